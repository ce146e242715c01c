/* SPDX-License-Identifier: MIT
 * Moving bytes between pipes and files without the program's memory: splice, tee, vmsplice. */
#include "file_calls.h"
#include "inode.h"
#include "linux.h"
#include "splice.h"

#define SPLICE_NONBLOCK 2u
#define SPLICE_ALL 15u /* MOVE, NONBLOCK, MORE, GIFT: all but the second are hints */
#define SPLICE_MOST 0x7ffff000ul
#define BOUNCE (16 * PAGE)

static int is_pipe(const struct file *f)
{
	return f->ops == &pipe_ops;
}

static struct file *splice_fd(u64 fd, int writing, s64 *error)
{
	struct file *f = fd_file((u32)fd);
	*error = -EBADF;
	if (!f || f->flags & O_PATH || (f->flags & O_ACCMODE) == (writing ? O_RDONLY : O_WRONLY))
		return NULL;
	*error = 0;
	return f;
}

/* Whether bytes may be moved out of or into it. Of what counts events or queues records, no bytes are taken (Linux: no
 * splice_read). */
static int can_splice(const struct file *f, int writing)
{
	if (f->inode->device == DEVICE_ANON && f->ops != &file_regular_ops)
		return 0;
	return writing ? f->ops->write != NULL : f->ops->read != NULL;
}

/* Sleeps until the pipe has something to read. 1: it has, 0: nobody will write, or -E. */
static s64 wait_data(struct pipe *p, int nonblock)
{
	while (p->head == p->tail) {
		if (!p->writers)
			return 0;
		if (nonblock)
			return -EAGAIN;
		if (sleep_on(&p->read_wait, 0, 1) == -EINTR)
			return -ERESTARTSYS;
	}
	return 1;
}

/* Sleeps until the pipe has room. 1 or -E. */
static s64 wait_room(struct pipe *p, int nonblock)
{
	for (;;) {
		if (!p->readers)
			return write_broken();
		if (p->head - p->tail < p->npages * PAGE)
			return 1;
		if (nonblock)
			return -EAGAIN;
		if (sleep_on(&p->write_wait, 0, 1) == -EINTR)
			return -ERESTARTSYS;
	}
}

/* All of what ExOS has in hand already. Bytes that went in: fewer when nobody reads any more, or there is no memory. */
static u64 feed_all(struct pipe *p, const u8 *from, u64 bytes)
{
	u64 done = 0;
	while (done < bytes) {
		u64 fed = pipe_feed(p, from + done, bytes - done);
		done += fed;
		if (done < bytes && p->head - p->tail < p->npages * PAGE) {
			if (!fed)
				break; /* it is not for room that it took less */
			continue;
		}
		if (done < bytes && (!p->readers || sleep_on(&p->write_wait, 0, 2) == -EINTR))
			break;
	}
	return done;
}

/* As much as is there now of one pipe, as far as the other has room; keep: it stays in the first. */
static s64 pipe_to_pipe(struct pipe *in, struct pipe *out, u64 bytes, int nonblock, int keep)
{
	s64 error = wait_data(in, nonblock);
	if (error > 0)
		error = wait_room(out, nonblock);
	if (error > 0 && in->head == in->tail)
		return pipe_to_pipe(in, out, bytes, nonblock, keep); /* somebody else had it */
	if (!error && !out->readers)
		return write_broken();
	if (error <= 0)
		return error;
	u64 done = 0;
	while (done < bytes) {
		u64 left = 0;
		const u8 *from = pipe_peek(in, keep ? done : 0, &left);
		u64 n = from ? pipe_feed(out, from, min(left, bytes - done)) : 0;
		if (!n)
			break;
		if (!keep)
			pipe_skip(in, n);
		done += n;
	}
	return (s64)done;
}

static s64 pipe_to_file(struct pipe *in, struct file *out, u64 *offset, u64 bytes, int nonblock)
{
	s64 error = can_splice(out, 1) ? wait_data(in, nonblock) : -EINVAL, wrote = 0;
	u8 *buffer = error > 0 ? kmalloc(BOUNCE) : NULL;
	u64 done = 0;
	if (!buffer)
		return error > 0 ? -ENOMEM : error;
	while (done < bytes && in->head != in->tail) {
		u64 n = 0, left;
		const u8 *from;
		while (n < BOUNCE && n < bytes - done && (from = pipe_peek(in, n, &left))) {
			left = min(left, min(BOUNCE - n, bytes - done - n));
			__builtin_memcpy(buffer + n, from, left);
			n += left;
		}
		/* taken before it is written, as writing may sleep; what was not written goes back, if its place is
		 * still as it was */
		u64 tail = in->tail;
		in->tail += n;
		wrote = out->ops->write(out, (u64)buffer, n, offset);
		u64 back = n - (u64)max(wrote, 0l);
		if (back && in->tail == tail + n &&
		    in->head - (in->tail - back) <= in->npages * PAGE)
			in->tail -= back;
		pipe_skip(in, 0);
		done += (u64)max(wrote, 0l);
		if (back)
			break;
	}
	kfree(buffer);
	return done ? (s64)done : wrote == -EINTR ? -ERESTARTSYS : wrote;
}

static s64 file_to_pipe(struct file *in, u64 *offset, struct pipe *out, u64 bytes, int nonblock)
{
	s64 error = wait_room(out, nonblock), n = 0;
	if (error > 0 && !can_splice(in, 0))
		return -EINVAL;
	u8 *buffer = error > 0 ? kmalloc(BOUNCE) : NULL;
	u64 done = 0;
	if (!buffer)
		return error > 0 ? -ENOMEM : error;
	while (done < bytes) {
		u64 room = out->npages * PAGE - (out->head - out->tail);
		u64 want = min(min(room, BOUNCE), bytes - done);
		if (!want)
			break;
		n = in->ops->read(in, (u64)buffer, want, offset);
		if (n <= 0)
			break;
		u64 fed = feed_all(out, buffer, (u64)n);
		done += fed;
		if (in->ops == &file_regular_ops)
			*offset -= (u64)n - fed; /* it is read again another time */
		if (fed < (u64)n || in->ops != &file_regular_ops) {
			n = fed ? n : out->readers ? -ENOMEM : -EPIPE;
			break;
		}
	}
	kfree(buffer);
	return done ? (s64)done : n == -EINTR ? -ERESTARTSYS : n;
}

/* An offset that the program gave for one side; none: the file's own. 0, -ESPIPE, -EINVAL, -EFAULT. */
static s64 offset_in(const struct file *f, u64 at, u64 *offset)
{
	*offset = file_offset(f);
	if (!at)
		return 0;
	if (is_pipe(f))
		return -ESPIPE;
	if (!f->ops->seek)
		return -EINVAL;
	if (copy_in(offset, at, sizeof(*offset)))
		return -EFAULT;
	return (s64)*offset < 0 ? -EINVAL : 0;
}

static s64 offset_out(struct file *f, u64 at, u64 offset)
{
	if (at)
		return copy_out(at, &offset, sizeof(offset)) ? -EFAULT : 0;
	if (!is_pipe(f))
		file_offset_set(f, offset);
	return 0;
}

static s64 splice_files(struct file *in, u64 *from, struct file *out, u64 *to, u64 bytes, u32 flags)
{
	int nonblock = flags & SPLICE_NONBLOCK || (in->flags | out->flags) & O_NONBLOCK;
	if (is_pipe(in) && is_pipe(out))
		return in->data == out->data
			       ? -EINVAL
			       : pipe_to_pipe(in->data, out->data, bytes, nonblock, 0);
	if (is_pipe(in))
		return out->flags & O_APPEND ? -EINVAL
					     : pipe_to_file(in->data, out, to, bytes, nonblock);
	if (is_pipe(out))
		return file_to_pipe(in, from, out->data, bytes, nonblock);
	return -EINVAL;
}

s64 sys_splice(u64 in_fd, u64 in_offset, u64 out_fd, u64 out_offset, u64 bytes, u64 flags)
{
	s64 error;
	u64 from, to;
	if (!bytes)
		return 0;
	if ((u32)flags & ~SPLICE_ALL)
		return -EINVAL;
	struct file *in = splice_fd(in_fd, 0, &error);
	struct file *out = in ? splice_fd(out_fd, 1, &error) : NULL;
	if (!out)
		return error;
	error = offset_in(in, in_offset, &from);
	if (!error)
		error = offset_in(out, out_offset, &to);
	if (error)
		return error;
	file_get(in);
	file_get(out);
	s64 n = splice_files(in, &from, out, &to, min(bytes, SPLICE_MOST), (u32)flags);
	if (n > 0 && (offset_out(in, in_offset, from) || offset_out(out, out_offset, to)))
		n = -EFAULT;
	file_put(in);
	file_put(out);
	return n;
}

s64 sys_tee(u64 in_fd, u64 out_fd, u64 bytes, u64 flags)
{
	s64 error;
	if ((u32)flags & ~SPLICE_ALL)
		return -EINVAL;
	if (!bytes)
		return 0;
	struct file *in = splice_fd(in_fd, 0, &error);
	struct file *out = in ? splice_fd(out_fd, 1, &error) : NULL;
	if (!out)
		return error;
	if (!is_pipe(in) || !is_pipe(out) || in->data == out->data)
		return -EINVAL;
	int nonblock = flags & SPLICE_NONBLOCK || (in->flags | out->flags) & O_NONBLOCK;
	file_get(in);
	file_get(out);
	s64 n = pipe_to_pipe(in->data, out->data, min(bytes, SPLICE_MOST), nonblock, 1);
	file_put(in);
	file_put(out);
	return n;
}

/* The program's memory into a pipe, as much as there is room for now. */
static s64 memory_to_pipe(struct pipe *p, const struct linux_iovec *vec, u64 count, int nonblock)
{
	s64 error = wait_room(p, nonblock);
	u8 *buffer = error > 0 ? kmalloc(PAGE) : NULL;
	u64 done = 0;
	if (!buffer)
		return error > 0 ? -ENOMEM : error;
	error = 0;
	for (u64 i = 0; i < count && !error; i++) {
		for (u64 at = 0; at < vec[i].len && !error;) {
			u64 room = p->npages * PAGE - (p->head - p->tail);
			u64 n = min(min(room, PAGE), vec[i].len - at);
			if (!n)
				error = -EAGAIN; /* full */
			else if (copy_in(buffer, vec[i].base + at, n))
				error = -EFAULT;
			else if (pipe_feed(p, buffer, n) != n)
				error = -ENOMEM;
			at += error ? 0 : n;
			done += error ? 0 : n;
		}
	}
	kfree(buffer);
	return done ? (s64)done : error;
}

static s64 pipe_to_memory(struct pipe *p, const struct linux_iovec *vec, u64 count, int nonblock)
{
	s64 error = wait_data(p, nonblock);
	u64 done = 0;
	for (u64 i = 0; i < count && error > 0; i++) {
		for (u64 at = 0; at < vec[i].len;) {
			u64 left;
			const u8 *from = pipe_peek(p, 0, &left);
			if (!from)
				return (s64)done;
			left = min(left, vec[i].len - at);
			if (copy_out(vec[i].base + at, from, left))
				return done ? (s64)done : -EFAULT;
			pipe_skip(p, left);
			at += left;
			done += left;
		}
	}
	return error > 0 ? (s64)done : error;
}

s64 sys_vmsplice(u64 fd, u64 from, u64 count, u64 flags)
{
	struct file *f = fd_file((u32)fd);
	if ((u32)flags & ~SPLICE_ALL)
		return -EINVAL;
	if (!f || f->flags & O_PATH)
		return -EBADF;
	if (count > IOV_MAX)
		return -EINVAL;
	struct linux_iovec *vec = kmalloc(max(count, 1ul) * sizeof(*vec));
	if (!vec)
		return -ENOMEM;
	int nonblock = flags & SPLICE_NONBLOCK || f->flags & O_NONBLOCK;
	s64 n = iovec_in(from, count, vec);
	file_get(f);
	if (n > 0 && !is_pipe(f)) /* of nothing at all, any file takes it */
		n = -EBADF;
	if (n > 0)
		n = (f->flags & O_ACCMODE) != O_RDONLY
			    ? memory_to_pipe(f->data, vec, count, nonblock)
			    : pipe_to_memory(f->data, vec, count, nonblock);
	file_put(f);
	kfree(vec);
	return n;
}

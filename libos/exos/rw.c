/* SPDX-License-Identifier: MIT
 * Reading and writing: the calls, and how regular files do it. */
#include "file_calls.h"
#include "inode.h"
#include "inotify.h"
#include "proc.h"
#include "sched.h"

#define BOUNCE (16 * PAGE)

int io_out(u64 to, const void *from, usize bytes)
{
	if (to < PROGRAM_TOP)
		return copy_out(to, from, bytes) ? -EFAULT : 0;
	__builtin_memcpy((void *)to, from, bytes);
	return 0;
}

int io_in(void *to, u64 from, usize bytes)
{
	if (from < PROGRAM_TOP)
		return copy_in(to, from, bytes) ? -EFAULT : 0;
	__builtin_memcpy(to, (const void *)from, bytes);
	return 0;
}

s64 write_broken(void)
{
	signal_self(SIGPIPE);
	return -EPIPE;
}

s64 write_too_big(void)
{
	signal_self(SIGXFSZ);
	return -EFBIG;
}

/* How much of bytes RLIMIT_FSIZE leaves, or write_too_big. */
static s64 write_limit(u64 at, u64 bytes)
{
	u64 limit = current()->proc->limit_cur[RLIMIT_FSIZE];
	if (at < limit)
		return (s64)min(bytes, limit - at);
	return write_too_big();
}

/* Where a call begins, and where the next one will: the file's own offset, which no glance moves meanwhile, or another. */
static u64 offset_begin(struct file *f, const u64 *offset)
{
	return offset == &f->offset ? file_offset_take(f) : *offset;
}

static void offset_end(struct file *f, u64 *offset, u64 at)
{
	if (offset == &f->offset)
		file_offset_set(f, at);
	else
		*offset = at;
}

static s64 regular_read(struct file *f, u64 to, usize bytes, u64 *offset)
{
	u64 at = offset_begin(f, offset);
	s64 n = inode_read_kernel(f->inode, (void *)to, bytes, at);
	offset_end(f, offset, at + (u64)max(n, 0l));
	if (n > 0)
		inotify_file(f, IN_ACCESS);
	return n;
}

static s64 regular_write(struct file *f, u64 from, usize bytes, u64 *offset)
{
	if (!bytes)
		return 0;
	u64 before = offset_begin(f, offset);
	u64 at = f->flags & O_APPEND ? f->inode->size : before;
	s64 n = seals_write(f->inode, at + bytes);
	if (!n)
		n = write_limit(at, bytes);
	if (n > 0)
		n = inode_write_kernel(f->inode, (const void *)from, (usize)n, at);
	offset_end(f, offset, n > 0 ? at + (u64)n : before);
	if (n > 0) {
		inode_touch(f->inode);
		inode_unprivileged(f->inode);
		inotify_file(f, IN_MODIFY);
	}
	return n;
}

static s64 seek_to(struct file *f, s64 base, s64 offset)
{
	s64 to;
	if (__builtin_add_overflow(base, offset, &to))
		return -EOVERFLOW;
	if (to < 0)
		return -EINVAL;
	file_offset_set(f, (u64)to);
	return to;
}

/* The next offset from `at` that holds data (or is a hole). A page that nobody wrote or brought is a hole. */
static s64 seek_data(const struct inode *i, u64 at, int hole)
{
	if (at >= i->size)
		return -ENXIO;
	u64 data = inode_data_from(i, at);
	if (!hole)
		return data < i->size ? (s64)data : -ENXIO;
	while (data == at && at < i->size) {
		at = (at / PAGE + 1) * PAGE;
		data = inode_data_from(i, at);
	}
	return (s64)min(at, i->size);
}

static s64 regular_seek(struct file *f, s64 offset, u32 whence)
{
	s64 at, base;
	switch (whence) {
	case SEEK_SET:
		return seek_to(f, 0, offset);
	case SEEK_CUR:
		base = (s64)file_offset_take(f);
		at = seek_to(f, base, offset);
		if (at < 0)
			file_offset_set(f, (u64)base);
		return at;
	case SEEK_END:
		return seek_to(f, (s64)f->inode->size, offset);
	case SEEK_DATA:
	case SEEK_HOLE:
		at = offset < 0 ? -ENXIO : seek_data(f->inode, (u64)offset, whence == SEEK_HOLE);
		return at < 0 ? at : seek_to(f, 0, at);
	default:
		return -EINVAL;
	}
}

static s64 regular_ioctl(struct file *f, u64 request, u64 arg)
{
	if (request == FIONREAD) {
		s64 left = (s64)f->inode->size - (s64)file_offset(f);
		s32 n = (s32)left;
		return copy_out(arg, &n, sizeof(n));
	}
	return -ENOTTY;
}

const struct file_ops file_regular_ops = {.read = regular_read,
					  .write = regular_write,
					  .seek = regular_seek,
					  .ioctl = regular_ioctl,
					  .quick_write = file_quick_write};
const struct file_ops file_path_ops;

/* Files without offsets know no pread: seek says which they are. */
static int can_seek(const struct file *f)
{
	return f->ops->seek != NULL;
}

static struct file *fd_readable(u64 fd, s64 *error)
{
	struct file *f = fd_file((u32)fd);
	*error = -EBADF;
	if (!f || (f->flags & O_ACCMODE) == O_WRONLY || (f->flags & O_PATH))
		return NULL;
	*error = f->ops->read ? 0 : S_ISDIR(f->inode->mode) ? -EISDIR : -EINVAL;
	return *error ? NULL : f;
}

static struct file *fd_writable(u64 fd, s64 *error)
{
	struct file *f = fd_file((u32)fd);
	*error = -EBADF;
	if (!f || (f->flags & O_ACCMODE) == O_RDONLY || (f->flags & O_PATH))
		return NULL;
	*error = f->ops->write ? 0 : -EINVAL;
	return *error ? NULL : f;
}

/* One transfer; the file stays while the thread sleeps. -EINTR becomes a restart. */
static s64 transfer(struct file *f, u64 at, u64 bytes, u64 *offset, int writing)
{
	if (!user_range(at, bytes))
		return -EFAULT;
	bytes = min(bytes, RW_MAX);
	file_get(f);
	s64 n = writing ? f->ops->write(f, at, bytes, offset) : f->ops->read(f, at, bytes, offset);
	file_put(f);
	return n == -EINTR ? -ERESTARTSYS : n;
}

s64 sys_read(u64 fd, u64 to, u64 bytes)
{
	s64 error;
	struct file *f = fd_readable(fd, &error);
	return f ? transfer(f, to, bytes, &f->offset, 0) : error;
}

s64 sys_write(u64 fd, u64 from, u64 bytes)
{
	s64 error;
	struct file *f = fd_writable(fd, &error);
	return f ? transfer(f, from, bytes, &f->offset, 1) : error;
}

s64 sys_pread64(u64 fd, u64 to, u64 bytes, u64 offset)
{
	s64 error;
	if ((s64)offset < 0)
		return -EINVAL;
	struct file *f = fd_readable(fd, &error);
	if (!f)
		return error;
	return can_seek(f) ? transfer(f, to, bytes, &offset, 0) : -ESPIPE;
}

s64 sys_pwrite64(u64 fd, u64 from, u64 bytes, u64 offset)
{
	s64 error;
	if ((s64)offset < 0)
		return -EINVAL;
	struct file *f = fd_writable(fd, &error);
	if (!f)
		return error;
	return can_seek(f) ? transfer(f, from, bytes, &offset, 1) : -ESPIPE;
}

s64 iovec_in(u64 from, u64 count, struct linux_iovec *vec)
{
	u64 sum = 0;
	if (count > IOV_MAX)
		return -EINVAL;
	if (copy_in(vec, from, count * sizeof(*vec)))
		return -EFAULT;
	for (u64 i = 0; i < count; i++) {
		if ((s64)vec[i].len < 0)
			return -EINVAL;
		if (!user_range(vec[i].base, vec[i].len) && vec[i].len)
			return -EFAULT;
		vec[i].len = min(vec[i].len, RW_MAX - sum);
		sum += vec[i].len;
	}
	return (s64)sum;
}

static s64 transfer_vector(struct file *f, u64 from, u64 count, u64 *offset, int writing)
{
	struct linux_iovec *vec = kmalloc(max(count, 1ul) * sizeof(*vec));
	s64 done = 0, n = 0;
	u64 at = 0;
	if (!vec)
		return -ENOMEM;
	s64 sum = iovec_in(from, count, vec);
	int own = offset == &f->offset && f->ops == &file_regular_ops;
	if (own) { /* for all of it: no glance goes between its parts */
		at = file_offset_take(f);
		offset = &at;
	}
	if (!sum && (writing ? f->ops->write != NULL : f->ops->read != NULL))
		count = 0; /* of nothing, the file hears nothing */
	if (sum > 0 && f->ops->vector) {
		n = f->ops->vector(f, vec, count, (u64)sum, writing);
		count = 0;
	}
	for (u64 i = 0; sum >= 0 && i < count; i++) {
		if (!vec[i].len && sum)
			continue;
		n = transfer(f, vec[i].base, vec[i].len, offset, writing);
		if (n < 0)
			break;
		done += n;
		if ((u64)n < vec[i].len || (!writing && f->ops != &file_regular_ops && done))
			break; /* a second part would wait for more */
	}
	if (own)
		file_offset_set(f, at);
	kfree(vec);
	return sum < 0 ? sum : done ? done : n;
}

static s64 call_vector(u64 fd, u64 vec, u64 count, u64 *offset, int writing)
{
	s64 error;
	if (count > IOV_MAX)
		return -EINVAL;
	struct file *f = writing ? fd_writable(fd, &error) : fd_readable(fd, &error);
	if (!f)
		return error;
	if (offset && !can_seek(f))
		return -ESPIPE;
	file_get(f); /* it may sleep, and another thread close it */
	s64 n = transfer_vector(f, vec, count, offset ? offset : &f->offset, writing);
	if (!n && !writing && S_ISREG(f->inode->mode) && inotify_watches())
		inotify_file(f, IN_ACCESS); /* Linux tells of the end of a file too, here only */
	file_put(f);
	return n;
}

s64 sys_readv(u64 fd, u64 vec, u64 count)
{
	return call_vector(fd, vec, count, NULL, 0);
}

s64 sys_writev(u64 fd, u64 vec, u64 count)
{
	return call_vector(fd, vec, count, NULL, 1);
}

s64 sys_preadv(u64 fd, u64 vec, u64 count, u64 offset)
{
	return (s64)offset < 0 ? -EINVAL : call_vector(fd, vec, count, &offset, 0);
}

s64 sys_pwritev(u64 fd, u64 vec, u64 count, u64 offset)
{
	return (s64)offset < 0 ? -EINVAL : call_vector(fd, vec, count, &offset, 1);
}

/* preadv2's and pwritev2's offset -1 is the file's own. */
static s64 call_vector2(u64 fd, u64 vec, u64 count, u64 offset, u64 flags, int writing)
{
	u32 known = RWF_HIPRI | RWF_DSYNC | RWF_SYNC | (writing ? RWF_APPEND : 0);
	struct file *f = fd_file((u32)fd);
	if ((u32)flags & ~known)
		return -EOPNOTSUPP;
	if ((s64)offset < -1)
		return -EINVAL;
	if (!((u32)flags & RWF_APPEND) || !f || f->flags & O_APPEND)
		return call_vector(fd, vec, count, offset == ~0ul ? NULL : &offset, writing);
	f->flags |= O_APPEND;
	file_get(f);
	s64 n = call_vector(fd, vec, count, offset == ~0ul ? NULL : &offset, writing);
	f->flags &= ~(u32)O_APPEND;
	file_put(f);
	return n;
}

s64 sys_preadv2(u64 fd, u64 vec, u64 count, u64 offset, u64 high, u64 flags)
{
	(void)high;
	return call_vector2(fd, vec, count, offset, flags, 0);
}

s64 sys_pwritev2(u64 fd, u64 vec, u64 count, u64 offset, u64 high, u64 flags)
{
	(void)high;
	return call_vector2(fd, vec, count, offset, flags, 1);
}

s64 sys_lseek(u64 fd, u64 offset, u64 whence)
{
	struct file *f = fd_file((u32)fd);
	if (!f || (f->flags & O_PATH))
		return -EBADF;
	if ((u32)whence > SEEK_HOLE)
		return -EINVAL;
	return can_seek(f) ? f->ops->seek(f, (s64)offset, (u32)whence) : -ESPIPE;
}

s64 sys_ioctl(u64 fd, u64 request, u64 arg)
{
	struct file *f = fd_file((u32)fd);
	s32 on;
	if (!f || (f->flags & O_PATH))
		return -EBADF;
	switch ((u32)request) {
	case FIOCLEX:
	case FIONCLEX:
		current()->proc->files->slots[(u32)fd].cloexec = (u32)request == FIOCLEX;
		return 0;
	case FIONBIO:
		if (copy_in(&on, arg, sizeof(on)))
			return -EFAULT;
		f->flags = on ? f->flags | O_NONBLOCK : f->flags & ~(u32)O_NONBLOCK;
		return 0;
	default:
		return f->ops->ioctl ? f->ops->ioctl(f, (u32)request, arg) : -ENOTTY;
	}
}

/* Moves up to bytes from one file to another through a buffer of ExOS's own. What was read but could not be
 * written goes back: only files with offsets are read here. It may sleep: the caller holds both files. */
static s64 copy_files(struct file *in, u64 *from, struct file *out, u64 *to, u64 bytes)
{
	u8 *buffer = kmalloc(BOUNCE);
	s64 done = 0, n = 0;
	if (!buffer)
		return -ENOMEM;
	bytes = min(bytes, RW_MAX);
	while ((u64)done < bytes) {
		u64 at = *from;
		n = in->ops->read(in, (u64)buffer, min(bytes - (u64)done, BOUNCE), from);
		if (n <= 0)
			break;
		s64 wrote = out->ops->write(out, (u64)buffer, (usize)n, to);
		if (wrote != n)
			*from = at + (u64)max(wrote, 0l);
		if (wrote < 0)
			n = wrote;
		done += max(wrote, 0l);
		if (wrote != n || wrote < 0 || ((u64)done < bytes && sched_rest()))
			break;
	}
	kfree(buffer);
	return done ? done : n == -EINTR ? -ERESTARTSYS : n;
}

s64 sys_sendfile(u64 out_fd, u64 in_fd, u64 offset, u64 bytes)
{
	s64 error, at, n;
	struct file *in = fd_readable(in_fd, &error);
	s64 unreadable = error == -EISDIR ? -EINVAL : error;
	if (!in && unreadable == -EBADF)
		return unreadable;
	if (offset && copy_in(&at, offset, sizeof(at)))
		return -EFAULT;
	if (offset && at < 0)
		return -EINVAL;
	struct file *out = fd_writable(out_fd, &error);
	if (!out)
		return error;
	if (!in)
		return unreadable;
	if (!can_seek(in) || (out->flags & O_APPEND))
		return -EINVAL;
	u64 from = offset ? (u64)at : file_offset(in);
	file_get(in);
	file_get(out);
	n = copy_files(in, &from, out, &out->offset, bytes);
	if (!offset && n > 0)
		file_offset_set(in, from);
	file_put(in);
	file_put(out);
	return offset && copy_out(offset, &from, sizeof(from)) ? -EFAULT : n;
}

/* Whether a range may be copied: 0 or -E. *bytes is cut to what there is. */
static s64 range_check(struct file *in, u64 from, struct file *out, u64 to, u64 *wanted)
{
	u64 bytes = *wanted;

	if (S_ISDIR(in->inode->mode) || S_ISDIR(out->inode->mode))
		return -EISDIR;
	if (in->ops != &file_regular_ops || out->ops != &file_regular_ops)
		return -EINVAL;
	if ((in->flags & O_ACCMODE) == O_WRONLY || (out->flags & O_ACCMODE) == O_RDONLY ||
	    out->flags & O_APPEND)
		return -EBADF;
	if (from + bytes < from || to + bytes < to)
		return -EOVERFLOW;
	if ((s64)from < 0 || (s64)to < 0)
		return -EINVAL;
	bytes = from < in->inode->size ? min(bytes, in->inode->size - from) : 0;
	*wanted = bytes;
	if (bytes && in->inode == out->inode && from < to + bytes && to < from + bytes)
		return -EINVAL;
	return 0;
}

s64 sys_copy_file_range(u64 in_fd, u64 in_offset, u64 out_fd, u64 out_offset, u64 bytes, u64 flags)
{
	s64 error;
	u64 from, to;
	struct file *in = fd_file((u32)in_fd), *out = fd_file((u32)out_fd);
	if (!in || !out || (in->flags | out->flags) & O_PATH)
		return -EBADF;
	from = file_offset(in);
	to = file_offset(out);
	if ((in_offset && copy_in(&from, in_offset, 8)) ||
	    (out_offset && copy_in(&to, out_offset, 8)))
		return -EFAULT;
	if (flags)
		return -EINVAL;
	bytes = min(bytes, RW_MAX);
	error = range_check(in, from, out, to, &bytes);
	if (error)
		return error;
	file_get(in);
	file_get(out);
	s64 n = copy_files(in, &from, out, &to, bytes);
	if (!in_offset && n > 0)
		file_offset_set(in, from);
	if (!out_offset && n > 0)
		file_offset_set(out, to);
	file_put(in);
	file_put(out);
	if (n <= 0)
		return n;
	if ((in_offset && copy_out(in_offset, &from, 8)) ||
	    (out_offset && copy_out(out_offset, &to, 8)))
		return -EFAULT;
	return n;
}

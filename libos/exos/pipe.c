/* SPDX-License-Identifier: MIT
 * Pipes and FIFOs: a ring of pages between readers and writers. */
#include "file_calls.h"
#include "inode.h"
#include "poll.h"
#include "switch.h"
#include "usermem.h"

#define PIPE_MAX_PAGES 256u
#define FEW 64u /* bytes that are copied in a hurry */

struct pipe *pipe_create(void)
{
	struct pipe *p = kmalloc(sizeof(*p));
	if (!p)
		return NULL;
	p->npages = PIPE_PAGES;
	p->pages = kmalloc(p->npages * sizeof(*p->pages));
	if (!p->pages) {
		kfree(p);
		return NULL;
	}
	waitq_init(&p->read_wait);
	waitq_init(&p->write_wait);
	waitq_init(&p->open_wait);
	return p;
}

static void pages_release(u8 **pages, u32 n)
{
	for (u32 i = 0; i < n; i++)
		if (pages[i])
			page_put(pages[i]);
	kfree(pages);
}

/* The pipe became readable or writable once more. */
static __attribute__((noinline)) void pipe_event_seen(struct pipe *p, u32 events)
{
	if (p->inode)
		poll_event_seen(p->inode, events);
	else
		poll_notify();
}

static inline void pipe_event(struct pipe *p, u32 events)
{
	if (RARE(word_marked(&poll_watched)))
		pipe_event_seen(p, events);
}

void pipe_free(struct pipe *p)
{
	pages_release(p->pages, p->npages);
	kfree(p);
}

static u64 pipe_used(const struct pipe *p)
{
	return p->head - p->tail;
}

static u64 pipe_room(const struct pipe *p)
{
	return p->npages * PAGE - pipe_used(p);
}

/* The memory at a byte count of the ring, and how much of the page is left. NULL: no memory for the page. */
static u8 *pipe_at(struct pipe *p, u64 at, u64 *left)
{
	u8 **page = &p->pages[at / PAGE & (p->npages - 1)];
	if (!*page)
		*page = page_alloc(0);
	*left = PAGE - at % PAGE;
	return *page ? *page + at % PAGE : NULL;
}

/* Takes bytes out, which are there. Bytes or -EFAULT. */
static __attribute__((noinline)) s64 pipe_take(struct pipe *p, u64 to, u64 bytes)
{
	u64 done = 0;
	while (done < bytes) {
		u64 left, n;
		u8 *from = pipe_at(p, p->tail, &left);
		n = min(left, bytes - done);
		if (io_out(to + done, from, n))
			return done ? (s64)done : -EFAULT;
		p->tail += n;
		done += n;
	}
	return (s64)done;
}

/* Puts bytes in, for which there is room. Bytes, -EFAULT or -ENOMEM. */
static __attribute__((noinline)) s64 pipe_put(struct pipe *p, u64 from, u64 bytes)
{
	u64 done = 0;
	while (done < bytes) {
		u64 left, n;
		u8 *to = pipe_at(p, p->head, &left);
		if (!to)
			return done ? (s64)done : -ENOMEM;
		n = min(left, bytes - done);
		if (io_in(to, from + done, n))
			return done ? (s64)done : -EFAULT;
		p->head += n;
		done += n;
	}
	return (s64)done;
}

u64 pipe_feed(struct pipe *p, const u8 *from, u64 bytes)
{
	s64 n = pipe_put(p, (u64)from, min(bytes, pipe_room(p)));
	if (n > 0) {
		wake_all(&p->read_wait);
		pipe_event(p, POLLIN);
	}
	return n > 0 ? (u64)n : 0;
}

const u8 *pipe_peek(struct pipe *p, u64 skip, u64 *left)
{
	u64 used = pipe_used(p);
	if (skip >= used)
		return NULL;
	const u8 *from = pipe_at(p, p->tail + skip, left);
	*left = min(*left, used - skip);
	return from;
}

void pipe_skip(struct pipe *p, u64 bytes)
{
	p->tail += bytes;
	wake_all(&p->write_wait);
	pipe_event(p, POLLOUT);
	if (p->drained && bytes)
		p->drained(p, bytes);
}

static inline void pipe_taken(struct pipe *p, u64 bytes)
{
	waitq_wake(&p->write_wait);
	pipe_event(p, POLLOUT);
	if (RARE(p->drained))
		p->drained(p, bytes);
}

/* With something in it, or at its end. */
static inline __attribute__((always_inline)) s64 pipe_read_now(struct pipe *p, u64 to, usize bytes)
{
	u64 used = pipe_used(p);
	if (!used)
		return 0;
	s64 n = pipe_take(p, to, min(bytes, used));
	if (!RARE(n <= 0))
		pipe_taken(p, (u64)n);
	if (RARE((s64)used != n) && !list_empty(&p->read_wait.sleepers))
		wake_one(&p->read_wait);
	return n;
}

/* Sleeps first. */
static s64 pipe_read_late(struct file *f, u64 to, usize bytes)
{
	struct pipe *p = f->data;
	s64 n;
	if (f->flags & O_NONBLOCK)
		return -EAGAIN;
	file_get(f);
	do
		n = sleep_here(&p->read_wait);
	while (n != -EINTR && !pipe_used(p) && p->writers);
	n = n == -EINTR ? -ERESTARTSYS : pipe_read_now(p, to, bytes);
	file_put(f);
	return n;
}

static s64 pipe_read(struct file *f, u64 to, usize bytes, u64 *offset)
{
	struct pipe *p = f->data;
	(void)offset;
	if (!bytes)
		return 0;
	return pipe_used(p) || !p->writers ? pipe_read_now(p, to, bytes)
					   : pipe_read_late(f, to, bytes);
}

/* For quick calls. */
static __attribute__((noinline)) s64 pipe_quick_read_any(struct file *f, u64 to, u64 bytes)
{
	struct pipe *p = f->data;
	return quick_end(bytes ? pipe_read_now(p, to, bytes) : 0);
}

/* What one that sleeps for room is not all that hears of; others may read what is left. */
static __attribute__((noinline)) s64 pipe_quick_taken(struct pipe *p, s64 n)
{
	waitq_wake_more(&p->write_wait);
	pipe_event(p, POLLOUT);
	if (p->drained)
		p->drained(p, (u64)n);
	if (pipe_used(p))
		wake_one(&p->read_wait);
	return quick_end(n);
}

/* With something in it. */
static inline __attribute__((always_inline)) s64 pipe_quick_now(struct file *f, u64 to, u64 bytes)
{
	struct pipe *p = f->data;
	u64 tail = p->tail, at = tail % PAGE, used = p->head - tail, n = min(bytes, used);
	if (n != 1 && (RARE(n - 1 >= FEW) || RARE(at + n > PAGE)))
		return pipe_quick_read_any(f, to, bytes);
	if (RARE(user_few_out(to, p->pages[tail / PAGE & (p->npages - 1)] + at, n)))
		return quick_end(-EFAULT);
	p->tail = tail + n;
	if (RARE(waitq_wake_first(&p->write_wait)) || RARE(word_marked(&poll_watched)) ||
	    RARE(p->drained) || RARE(n != used))
		return pipe_quick_taken(p, (s64)n);
	return quick_end((s64)n);
}

static __attribute__((noinline)) s64 pipe_quick_ready(struct file *f, u64 to, u64 bytes)
{
	return pipe_quick_now(f, to, bytes);
}

/* Where nothing is in it, it sleeps first. */
static s64 pipe_quick_read(struct file *f, u64 to, u64 bytes, struct thread *t)
{
	struct pipe *p = f->data;
	if (pipe_used(p))
		return pipe_quick_ready(f, to, bytes);
	if (!word_marked(&p->writers) || RARE(!bytes))
		return quick_end(0);
	struct sleep_kept kept = {f, to, bytes};
	if (RARE(f->flags & O_NONBLOCK))
		return quick_end(-EAGAIN);
	f->refs++;
	for (;;) {
		sleep_keep(&kept);
		t = sleep_quick(t, &p->read_wait);
		f = kept.file;
		p = f->data;
		if (!RARE(!pipe_used(p)))
			break;
		if (t->wake_result == -EINTR || !p->writers)
			return file_quick_slept(f, t->wake_result, 0);
	}
	to = kept.at;
	bytes = kept.bytes;
	if (RARE(!--f->refs)) { /* closed meanwhile: what is left goes with it */
		f->refs = 1;
		return file_quick_slept(f, 0, pipe_read_now(p, to, bytes));
	}
	return pipe_quick_now(f, to, bytes);
}

/* Writes a part of a call, or all of it; whole: how many bytes the call has. Up to PIPE_BUF go in as one piece. */
static __attribute__((noinline)) s64 pipe_write_any(struct file *f, u64 from, usize bytes,
						    u64 whole)
{
	struct pipe *p = f->data;
	u64 done = 0;
	s64 n = 0;
	file_get(f);
	while (done < bytes && !n) {
		u64 left = bytes - done, room = pipe_room(p);
		if (!p->readers) {
			n = write_broken();
		} else if (room && (whole > PIPE_BUF || room >= left)) {
			n = pipe_put(p, from + done, min(left, room));
			if (n < 0)
				break;
			done += (u64)n;
			n = 0;
			waitq_wake(&p->read_wait);
			pipe_event(p, POLLIN);
		} else if (f->flags & O_NONBLOCK) {
			n = -EAGAIN;
		} else if (sleep_here(&p->write_wait) == -EINTR) {
			n = -ERESTARTSYS;
		}
	}
	file_put(f);
	return done ? (s64)done : n;
}

static s64 pipe_write(struct file *f, u64 from, usize bytes, u64 *offset)
{
	(void)offset;
	return pipe_write_any(f, from, bytes, bytes);
}

/* What is there goes to one part after the other; only the first one waits. */
static s64 pipe_scatter(struct file *f, const struct linux_iovec *vec, u64 count)
{
	s64 done = 0, n = 0;
	for (u64 i = 0; i < count && (!done || pipe_used(f->data)); i++) {
		n = pipe_read(f, vec[i].base, vec[i].len, NULL);
		if (n < 0)
			break;
		done += n;
		if ((u64)n < vec[i].len)
			break;
	}
	return done ? done : n;
}

/* Parts of no more than PIPE_BUF bytes together are one piece, as a single write's bytes are (POSIX, writev). */
static s64 pipe_gather_whole(struct file *f, const struct linux_iovec *vec, u64 count, u64 bytes)
{
	u8 *piece = kmalloc(bytes);
	s64 n = piece ? 0 : -ENOMEM;
	u64 at = 0;
	for (u64 i = 0; i < count && !n; at += vec[i++].len)
		n = io_in(piece + at, vec[i].base, vec[i].len);
	if (!n)
		n = pipe_write_any(f, (u64)piece, bytes, bytes);
	kfree(piece);
	return n;
}

static s64 pipe_vector(struct file *f, struct linux_iovec *vec, u64 count, u64 bytes, int writing)
{
	s64 done = 0, n = 0;
	if (!writing)
		return pipe_scatter(f, vec, count);
	if (bytes <= PIPE_BUF)
		return pipe_gather_whole(f, vec, count, bytes);
	for (u64 i = 0; i < count; i++) {
		if (!vec[i].len)
			continue;
		n = pipe_write_any(f, vec[i].base, vec[i].len, bytes);
		if (n < 0)
			break;
		done += n;
		if ((u64)n < vec[i].len)
			break;
	}
	return done ? done : n;
}

static __attribute__((noinline)) s64 pipe_quick_write_any(struct file *f, u64 from, u64 bytes)
{
	return quick_end(pipe_write_any(f, from, bytes, bytes));
}

/* What one that sleeps is not all that hears of. */
static __attribute__((noinline)) s64 pipe_quick_written(struct pipe *p, s64 n)
{
	waitq_wake_more(&p->read_wait);
	pipe_event(p, POLLIN);
	return quick_end(n);
}

static s64 pipe_quick_write(struct file *f, u64 from, u64 bytes, struct thread *t)
{
	struct pipe *p = f->data;
	u64 head = p->head, at = head % PAGE;
	(void)t;
	if (!word_marked(&p->readers) || RARE(bytes - 1 >= FEW) || RARE(pipe_room(p) < bytes) ||
	    (bytes != 1 && RARE(at + bytes > PAGE)))
		return pipe_quick_write_any(f, from, bytes);
	u8 *page = p->pages[head / PAGE & (p->npages - 1)];
	if (RARE(!page))
		return pipe_quick_write_any(f, from, bytes);
	if (RARE(user_few_in(page + at, from, bytes)))
		return quick_end(-EFAULT);
	p->head = head + bytes;
	if (RARE(waitq_wake_first(&p->read_wait)) || RARE(word_marked(&poll_watched)))
		return pipe_quick_written(p, (s64)bytes);
	return quick_end((s64)bytes);
}

static u32 pipe_poll(struct file *f)
{
	struct pipe *p = f->data;
	u32 mask = 0, mode = f->flags & O_ACCMODE;
	if (mode != O_WRONLY) {
		if (pipe_used(p))
			mask |= POLLIN | POLLRDNORM;
		if (!p->writers && p->opens_write)
			mask |= POLLHUP;
	}
	if (mode != O_RDONLY) {
		if (pipe_room(p) >= PIPE_BUF)
			mask |= POLLOUT | POLLWRNORM;
		if (!p->readers)
			mask |= POLLERR;
	}
	return mask;
}

static s64 pipe_ioctl(struct file *f, u64 request, u64 arg)
{
	struct pipe *p = f->data;
	s32 n = (s32)pipe_used(p);
	if (request != FIONREAD)
		return -ENOTTY;
	return copy_out(arg, &n, sizeof(n)) ? -EFAULT : 0;
}

static void pipe_release(struct file *f)
{
	struct pipe *p = f->data;
	u32 mode = f->flags & O_ACCMODE;
	p->readers -= mode != O_WRONLY;
	p->writers -= mode != O_RDONLY;
	wake_all(&p->read_wait);
	wake_all(&p->write_wait);
	pipe_event(p, POLLIN | POLLOUT);
	if (!p->readers && !p->writers && f->inode->device == DEVICE_ROOT) {
		/* a FIFO forgets what nobody read, and the size that it was given */
		f->inode->pipe = NULL;
		pipe_free(p);
	}
}

const struct file_ops pipe_ops = {.read = pipe_read,
				  .write = pipe_write,
				  .vector = pipe_vector,
				  .poll = pipe_poll,
				  .ioctl = pipe_ioctl,
				  .release = pipe_release,
				  .quick_read = pipe_quick_read,
				  .quick_write = pipe_quick_write};

static u32 round_pages(u64 bytes)
{
	u32 n = 1;
	while (n * PAGE < bytes)
		n *= 2;
	return n;
}

/* Sets the capacity, rounded up to a power of two of pages. The capacity, -EINVAL, -EPERM, -EBUSY (more is in it),
 * -ENOMEM. */
s64 pipe_set_size(struct pipe *p, u64 bytes)
{
	if (bytes > PIPE_MAX_PAGES * PAGE)
		return bytes > 1ul << 31 ? -EINVAL : -EPERM;
	u32 n = round_pages(bytes);
	u64 used = pipe_used(p), tail = p->tail;
	if (used > n * PAGE)
		return -EBUSY;
	struct pipe fresh = {.npages = n, .pages = kmalloc(n * sizeof(*p->pages))};
	if (!fresh.pages)
		return -ENOMEM;
	for (u64 left, at = 0; at < used; at += left) {
		u8 *from = pipe_at(p, tail + at, &left);
		left = min(left, used - at);
		if (pipe_put(&fresh, (u64)from, left) != (s64)left) {
			pages_release(fresh.pages, n);
			return -ENOMEM;
		}
	}
	pages_release(p->pages, p->npages);
	p->pages = fresh.pages;
	p->npages = n;
	p->head = used;
	p->tail = 0;
	wake_all(&p->write_wait);
	poll_notify();
	return (s64)(n * PAGE);
}

/* An open that waits for the other side to come. */
static s64 fifo_wait(struct pipe *p, const u32 *side, const u32 *opens)
{
	u32 seen = *opens;
	while (!*side && *opens == seen)
		if (sleep_on(&p->open_wait, 0, 1) == -EINTR)
			return -ERESTARTSYS;
	return 0;
}

s64 fifo_open(struct inode *i, struct file *f)
{
	u32 mode = f->flags & O_ACCMODE;
	s64 error = 0;
	if (!i->pipe)
		i->pipe = pipe_create();
	struct pipe *p = i->pipe;
	if (!p)
		return -ENOMEM;
	if (mode == O_WRONLY && !p->readers && (f->flags & O_NONBLOCK) && i->device != DEVICE_PIPE)
		return -ENXIO;
	f->ops = &pipe_ops;
	f->data = p;
	if (mode != O_WRONLY) {
		p->readers++;
		p->opens_read++;
	}
	if (mode != O_RDONLY) {
		p->writers++;
		p->opens_write++;
	}
	wake_all(&p->open_wait);
	/* A pipe without a name waits for nobody: who opens it again has found it in /proc. */
	if (i->device == DEVICE_PIPE)
		return 0;
	if (mode == O_RDONLY && !p->writers && !(f->flags & O_NONBLOCK))
		error = fifo_wait(p, &p->writers, &p->opens_write);
	else if (mode == O_WRONLY && !p->readers)
		error = fifo_wait(p, &p->readers, &p->opens_read);
	if (error)
		pipe_release(f);
	return error;
}

/* Two open files on a new pipe. */
static s64 pipe_files(u32 flags, struct file *ends[2])
{
	struct inode *i = inode_create(S_IFIFO | 0600, DEVICE_PIPE);
	if (!i)
		return -ENFILE;
	i->nlink = 1;
	i->pipe = pipe_create();
	if (i->pipe) {
		i->pipe->inode = i;
		i->poll_counts = 1;
	}
	ends[0] = i->pipe ? file_create(i, O_RDONLY | flags, &pipe_ops, i->pipe) : NULL;
	ends[1] = ends[0] ? file_create(i, O_WRONLY | flags, &pipe_ops, i->pipe) : NULL;
	for (u32 n = 0; n < 2; n++)
		if (ends[n])
			ends[n]->flags &= ~(u32)O_LARGEFILE;
	if (i->pipe && ends[0])
		i->pipe->readers = i->pipe->opens_read = 1;
	if (i->pipe && ends[1])
		i->pipe->writers = i->pipe->opens_write = 1;
	inode_put(i);
	if (ends[1])
		return 0;
	if (ends[0])
		file_put(ends[0]);
	return -ENFILE;
}

s64 sys_pipe2(u64 fds, u64 flags)
{
	struct file *ends[2];
	s32 fd[2];
	if (flags & ~(u64)(O_CLOEXEC | O_NONBLOCK))
		return -EINVAL;
	s64 error = pipe_files((u32)flags & O_NONBLOCK, ends);
	if (error)
		return error;
	fd[0] = (s32)fd_install(ends[0], 0, (flags & O_CLOEXEC) != 0);
	fd[1] = fd[0] < 0 ? fd[0] : (s32)fd_install(ends[1], 0, (flags & O_CLOEXEC) != 0);
	if (fd[1] >= 0 && !copy_out(fds, fd, sizeof(fd)))
		return 0;
	error = fd[1] < 0 ? fd[1] : -EFAULT;
	for (u32 k = 0; k < 2; k++) {
		if (fd[k] >= 0)
			sys_close((u64)fd[k]);
		else
			file_put(ends[k]);
	}
	return error;
}

s64 sys_pipe(u64 fds)
{
	return sys_pipe2(fds, 0);
}

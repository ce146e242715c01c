/* SPDX-License-Identifier: MIT
 * Quick calls that need the family lock: where nobody else has it, they do the whole call, sleeping included. */
#include "file_calls.h"
#include "glance.h"
#include "inode.h"
#include "mm.h"
#include "linux.h"
#include "proc_calls.h"
#include "quick.h"
#include "switch.h"
#include "usermem.h"

_Static_assert(GLANCE_MISSED == QUICK_NO, "a glance that missed takes the long way");

static inline s64 quick_end(s64 result)
{
	lock_release();
	return result;
}

/* The file behind a descriptor, not opened for `not` alone, of a kind that has quick calls; with the lock. NULL: the long way. */
static inline __attribute__((always_inline)) struct file *quick_file(u32 fd, u32 not, u32 how)
{
	struct thread *t = current();
	struct files *files = t->proc->files;
	struct file *f;
	const struct file_ops *ops;
	u32 quick;

	/* without the lock: what is read here may be anything */
	if (fd >= files->capacity)
		return NULL;
	PEEK(f, files->slots[fd].file, missed);
	PEEK(ops, f->ops, missed);
	PEEK(quick, ops->quick, missed);
	if (!(quick & how) || !lock_take(t))
		return NULL;
	if (__builtin_expect(fd < files->capacity && files->slots[fd].file == f &&
				     (f->flags & O_ACCMODE) != not,
			     1))
		return f;
	lock_release();
missed:
	return NULL;
}

s64 quick_read(u64 fd, u64 to, u64 bytes, u64 d, u64 e, u64 g)
{
	struct file *f;

	(void)d, (void)e, (void)g;
	if (__builtin_expect(to > PROGRAM_TOP - PAGE || bytes > PAGE ||
				     !(f = quick_file((u32)fd, O_WRONLY, QUICK_READ)),
			     0))
		return glance_read((u32)fd, to, bytes);
	return quick_end(f->ops->read(f, to, bytes, &f->offset));
}

s64 quick_write(u64 fd, u64 from, u64 bytes, u64 d, u64 e, u64 g)
{
	struct file *f;

	(void)d, (void)e, (void)g;
	if (__builtin_expect(from > PROGRAM_TOP - PAGE || bytes > PAGE ||
				     !(f = quick_file((u32)fd, O_RDONLY, QUICK_WRITE)),
			     0))
		return QUICK_NO;
	return quick_end(f->ops->write(f, from, bytes, &f->offset));
}

s64 quick_sched_yield(u64 a, u64 b, u64 c, u64 d, u64 e, u64 f)
{
	(void)a, (void)b, (void)c, (void)d, (void)e, (void)f;
	if (list_empty(&run_queue))
		return 0;
	if (!lock_take(current()))
		return QUICK_NO;
	sched_yield_now();
	return quick_end(0);
}

/* Calls that look at no registers but their arguments, as they are: the frame, and taking the lock at length, are spared. */
#define QUICK_LOCKED(name, call)                                      \
	s64 quick_##name(u64 a, u64 b, u64 c, u64 d, u64 e, u64 f)    \
	{                                                             \
		(void)a, (void)b, (void)c, (void)d, (void)e, (void)f; \
		if (!lock_take(current()))                            \
			return QUICK_NO;                              \
		return quick_end(call);                               \
	}
QUICK_LOCKED(poll, sys_poll(a, b, c))
QUICK_LOCKED(sendto, sys_sendto(a, b, c, d, e, f))
QUICK_LOCKED(recvfrom, sys_recvfrom(a, b, c, d, e, f))
QUICK_LOCKED(sendmsg, sys_sendmsg(a, b, c))
QUICK_LOCKED(recvmsg, sys_recvmsg(a, b, c))
QUICK_LOCKED(epoll_wait, sys_epoll_wait(a, b, c, d))
QUICK_LOCKED(close, sys_close(a))
QUICK_LOCKED(mmap, sys_mmap(a, b, c, d, e, f))
QUICK_LOCKED(mprotect, sys_mprotect(a, b, c))
QUICK_LOCKED(munmap, sys_munmap(a, b))
QUICK_LOCKED(brk, sys_brk(a))
QUICK_LOCKED(pwrite64, sys_pwrite64(a, b, c, d))
QUICK_LOCKED(writev, sys_writev(a, b, c))
QUICK_LOCKED(madvise, sys_madvise(a, b, c))
QUICK_LOCKED(fcntl, sys_fcntl(a, b, c))
QUICK_LOCKED(unlink, sys_unlink(a))

/* Without the lock where that goes. */
#define QUICK_GLANCED(name, glance, call)                             \
	s64 quick_##name(u64 a, u64 b, u64 c, u64 d, u64 e, u64 f)    \
	{                                                             \
		(void)a, (void)b, (void)c, (void)d, (void)e, (void)f; \
		s64 seen = glance;                                    \
		if (seen != GLANCE_MISSED || !lock_take(current()))   \
			return seen;                                  \
		return quick_end(call);                               \
	}
QUICK_GLANCED(lseek, glance_lseek((u32)a, b, (u32)c), sys_lseek(a, b, c))
QUICK_GLANCED(readv, glance_readv((u32)a, b, c), sys_readv(a, b, c))
QUICK_GLANCED(preadv, glance_preadv((u32)a, b, c, d), sys_preadv(a, b, c, d))
QUICK_GLANCED(getdents64, glance_list((u32)a, b, (u32)c), sys_getdents64(a, b, c))

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

s64 file_quick_read(struct file *f, u64 to, u64 bytes, struct thread *t)
{
	(void)t;
	return quick_end(f->ops->read(f, to, bytes, &f->offset));
}

s64 file_quick_write(struct file *f, u64 from, u64 bytes, struct thread *t)
{
	(void)t;
	return quick_end(f->ops->write(f, from, bytes, &f->offset));
}

s64 file_quick_slept(struct file *f, s64 slept, s64 result)
{
	file_put(f);
	if (slept == -EINTR) {
		sleep_interrupted();
		result = -ERESTARTSYS;
	}
	return quick_end(result);
}

/* Calls what the file behind a descriptor has for it, with the lock; goes to `missed` where it has nothing, for the long way. What
 * is read without the lock may be anything: it is compared with what is found there with it. A table never becomes smaller. */
#define QUICK_FILE(which)                                                                  \
	do {                                                                               \
		struct thread *t = current();                                              \
		const struct proc *p = t->proc;                                            \
		const struct files *files = p->files;                                      \
		struct file *f;                                                            \
		file_quick go;                                                             \
                                                                                           \
		if (at > PROGRAM_TOP - PAGE || bytes > PAGE || (u32)fd >= files->capacity) \
			goto missed;                                                       \
		PEEK(f, files->slots[(u32)fd].file, missed);                               \
		PEEK(go, f->which, missed);                                                \
		if (!go)                                                                   \
			goto missed;                                                       \
		if (RARE(!lock_take(t)))                                                   \
			return QUICK_NO;                                                   \
		if (!RARE(p->files != files) && !RARE(files->slots[(u32)fd].file != f) &&  \
		    !RARE(f->which != go))                                                 \
			return go(f, at, bytes, t);                                        \
		return quick_end(QUICK_NO);                                                \
	} while (0)

s64 quick_read(u64 fd, u64 at, u64 bytes, u64 d, u64 e, u64 g)
{
	(void)d, (void)e, (void)g;
	QUICK_FILE(quick_read);
missed:
	return glance_read((u32)fd, at, bytes);
}

s64 quick_write(u64 fd, u64 at, u64 bytes, u64 d, u64 e, u64 g)
{
	(void)d, (void)e, (void)g;
	QUICK_FILE(quick_write);
missed:
	return QUICK_NO;
}

/* As sched_yield_now, in line where it is plain. */
static __attribute__((noinline)) s64 yield_quick(struct thread *t)
{
	const struct aril_context *ctx = this_context();
	struct aril_context *to;
	const struct proc *p;
	struct thread *next;
	u64 cpu = ctx->cpu;

	if (RARE(!lock_take(t)))
		return QUICK_NO;
	if (RARE(sched_idle) || RARE(!(next = switch_is_plain(t, ctx, cpu, &p, &to)))) {
		sched_yield_now();
		return quick_end(0);
	}
	t->state = THREAD_RUNNABLE;
	list_add_tail(&run_queue, &t->run);
	switch_plain(t, next, p, cpu, to);
	switch_back();
	return quick_end(0);
}

s64 quick_sched_yield(u64 a, u64 b, u64 c, u64 d, u64 e, u64 f)
{
	(void)a, (void)b, (void)c, (void)d, (void)e, (void)f;
	return list_empty(&run_queue) ? 0 : yield_quick(current());
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

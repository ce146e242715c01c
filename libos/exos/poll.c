/* SPDX-License-Identifier: MIT
 * poll and select: all who wait sleep on one queue, and look again when anything becomes ready. */
#include "file_calls.h"
#include "inode.h"
#include "poll.h"
#include "proc.h"
#include "proc_internal.h"
#include "time.h"

#define POLL_ALWAYS (POLLERR | POLLHUP | POLLNVAL)
#define SET_WORDS (FD_SETSIZE / 64)
#define SELECT_IN (POLLIN | POLLRDNORM | POLLRDBAND | POLLHUP | POLLERR | POLLNVAL)
#define SELECT_OUT (POLLOUT | POLLWRNORM | POLLWRBAND | POLLERR | POLLNVAL)
#define SELECT_EXCEPT (POLLPRI | POLLNVAL)

struct waitq poll_waiters = {.sleepers = {&poll_waiters.sleepers, &poll_waiters.sleepers}};

u64 poll_changes;
u32 poll_watched;

void poll_event_seen(struct inode *i, u32 events)
{
	i->poll_in += (events & POLLIN) != 0;
	i->poll_out += (events & POLLOUT) != 0;
	poll_notify();
}

s64 poll_sleep(u64 deadline)
{
	poll_watched++;
	s64 slept = sleep_on(&poll_waiters, deadline, 1);
	poll_watched--;
	return slept;
}

/* Something may have become ready. Family lock. */
void poll_notify(void)
{
	poll_changes++;
	if (!list_empty(&poll_waiters.sleepers))
		wake_all(&poll_waiters);
}

u32 file_poll(struct file *f)
{
	return f->ops->poll ? f->ops->poll(f) : POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;
}

static u32 fd_poll(s32 fd)
{
	struct file *f = fd_file((u32)fd);
	return f && !(f->flags & O_PATH) ? file_poll(f) : POLLNVAL;
}

static u32 poll_scan(struct linux_pollfd *fds, u64 count)
{
	u32 ready = 0;
	for (u64 i = 0; i < count; i++) {
		fds[i].revents = 0;
		if (fds[i].fd < 0)
			continue;
		fds[i].revents = (s16)(fd_poll(fds[i].fd) & ((u16)fds[i].events | POLL_ALWAYS));
		ready += fds[i].revents != 0;
	}
	return ready;
}

/* deadline: ns of the exposed clock; 0 for ever; 1 do not wait. */
static s64 poll_run(u64 from, u64 count, u64 deadline)
{
	if (count > current()->proc->limit_cur[RLIMIT_NOFILE] || count > 1u << 20)
		return -EINVAL;
	struct linux_pollfd *fds = kmalloc(max(count, 1ul) * sizeof(*fds));
	s64 result;
	if (!fds)
		return -ENOMEM;
	if (copy_in(fds, from, count * sizeof(*fds))) {
		kfree(fds);
		return -EFAULT;
	}
	for (;;) {
		result = poll_scan(fds, count);
		if (result || deadline == 1)
			break;
		s64 woken = poll_sleep(deadline);
		if (woken == -ETIMEDOUT)
			deadline = 1;
		if (woken == -EINTR) {
			result = -EINTR;
			break;
		}
	}
	for (u64 i = 0; result >= 0 && i < count; i++)
		if (copy_out(from + i * sizeof(*fds) +
				     __builtin_offsetof(struct linux_pollfd, revents),
			     &fds[i].revents, sizeof(fds[i].revents)))
			result = -EFAULT;
	kfree(fds);
	return result;
}

s64 sys_poll(u64 fds, u64 count, u64 timeout)
{
	s32 ms = (s32)timeout;
	u64 deadline = ms < 0 ? 0 : ms == 0 ? 1 : now_ns() + (u64)ms * 1000000;
	/* The time left is lost on a restart, so a handled signal ends the call; Linux restarts it otherwise. */
	s64 result = poll_run(fds, (u32)count, deadline);
	return result == -EINTR ? -ERESTARTNOHAND : result;
}

s64 deadline_in(u64 from, u64 *deadline)
{
	u64 ns;
	*deadline = 0;
	if (!from)
		return 0;
	s64 error = timespec_in(from, &ns);
	if (error)
		return error;
	*deadline = ns ? now_ns() + ns : 1;
	if (*deadline < ns)
		*deadline = 0;
	return 0;
}

static void time_left_out(u64 to, u64 deadline, int timeval)
{
	u64 now = now_ns();
	u64 left = deadline > now ? deadline - now : 0;
	if (!to)
		return;
	/* Linux does not fail the call when this cannot be written */
	if (timeval)
		timeval_out(to, left);
	else
		timespec_out(to, left);
}

s64 mask_begin(u64 mask, u64 bytes, u64 *old)
{
	struct thread *t = current();
	u64 set;
	*old = t->sig_mask;
	if (!mask)
		return 0;
	if (bytes != 8)
		return -EINVAL;
	if (copy_in(&set, mask, 8))
		return -EFAULT;
	signal_set_mask(t, set);
	return 0;
}

void mask_end(u64 mask, u64 old, s64 result)
{
	struct thread *t = current();
	if (!mask)
		return;
	if (result == -EINTR || result == -ERESTARTNOHAND) {
		t->sig_saved_mask = old;
		t->sig_restore_mask = 1;
	} else {
		signal_set_mask(t, old);
	}
}

s64 sys_ppoll(u64 fds, u64 count, u64 timeout, u64 mask, u64 bytes)
{
	u64 deadline, old;
	s64 error = deadline_in(timeout, &deadline);
	if (!error)
		error = mask_begin(mask, bytes, &old);
	if (error)
		return error;
	s64 result = poll_run(fds, (u32)count, deadline);
	if (result == -EINTR)
		result = -ERESTARTNOHAND;
	mask_end(mask, old, result);
	time_left_out(timeout, deadline, 0);
	return result;
}

struct select_sets {
	u64 in[3][SET_WORDS], out[3][SET_WORDS];
	u64 at[3];
	u32 count;
};

static s64 sets_in(struct select_sets *s)
{
	u64 bytes = (s->count + 63) / 64 * 8;
	for (u32 k = 0; k < 3; k++)
		if (s->at[k] && copy_in(s->in[k], s->at[k], bytes))
			return -EFAULT;
	return 0;
}

/* Fills the out sets. Bits set, or, the first time, -EBADF: one is not open. What another thread closes later is ready. */
static s64 select_scan(struct select_sets *s, int first)
{
	static const u32 events[3] = {SELECT_IN, SELECT_OUT, SELECT_EXCEPT};
	s64 ready = 0;
	__builtin_memset(s->out, 0, sizeof(s->out));
	for (u32 fd = 0; fd < s->count; fd++) {
		u64 bit = 1ul << fd % 64, word = fd / 64;
		if (!((s->in[0][word] | s->in[1][word] | s->in[2][word]) & bit))
			continue;
		u32 now = fd_poll((s32)fd);
		if (first && now == POLLNVAL && !fd_file(fd))
			return -EBADF;
		for (u32 k = 0; k < 3; k++) {
			if ((s->in[k][word] & bit) && (now & events[k])) {
				s->out[k][word] |= bit;
				ready++;
			}
		}
	}
	return ready;
}

static s64 select_wait(struct select_sets *s, u64 deadline)
{
	for (int first = 1;; first = 0) {
		s64 ready = select_scan(s, first);
		if (ready || deadline == 1)
			return ready;
		s64 woken = poll_sleep(deadline);
		if (woken == -ETIMEDOUT)
			deadline = 1;
		if (woken == -EINTR)
			return -ERESTARTNOHAND;
	}
}

static s64 select_run(u64 count, u64 in, u64 out, u64 except, u64 deadline)
{
	if ((s32)count < 0)
		return -EINVAL;
	struct select_sets *s = kmalloc(sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->at[0] = in;
	s->at[1] = out;
	s->at[2] = except;
	/* what lies beyond the descriptor table is not looked at, as on Linux */
	s->count = min(min((u32)count, (u32)FD_SETSIZE), current()->proc->files->capacity);
	s64 result = sets_in(s);
	if (!result)
		result = select_wait(s, deadline);
	for (u32 k = 0; result >= 0 && k < 3; k++)
		if (s->at[k] && copy_out(s->at[k], s->out[k], (s->count + 63) / 64 * 8))
			result = -EFAULT;
	kfree(s);
	return result;
}

s64 sys_select(u64 count, u64 in, u64 out, u64 except, u64 timeout)
{
	struct linux_timeval tv;
	u64 deadline = 0;
	if (timeout) {
		if (copy_in(&tv, timeout, sizeof(tv)))
			return -EFAULT;
		if (tv.sec < 0 || tv.usec < 0)
			return -EINVAL;
		u64 seconds = min((u64)tv.sec + (u64)tv.usec / 1000000, 1ul << 32);
		u64 ns = seconds * SECOND + (u64)tv.usec % 1000000 * 1000;
		deadline = ns ? now_ns() + ns : 1;
	}
	s64 result = select_run(count, in, out, except, deadline);
	time_left_out(timeout, deadline, 1);
	return result;
}

s64 sys_pselect6(u64 count, u64 in, u64 out, u64 except, u64 timeout, u64 mask)
{
	u64 deadline, old, arg[2] = {0, 0};
	if (mask && copy_in(arg, mask, sizeof(arg)))
		return -EFAULT;
	s64 error = deadline_in(timeout, &deadline);
	if (!error)
		error = mask_begin(arg[0], arg[1], &old);
	if (error)
		return error;
	s64 result = select_run(count, in, out, except, deadline);
	mask_end(arg[0], old, result);
	time_left_out(timeout, deadline, 0);
	return result;
}

/* SPDX-License-Identifier: MIT
 * Event counters and timers as files: eventfd, timerfd. */
#include "file_calls.h"
#include "inode.h"
#include "linux.h"
#include "poll.h"
#include "switch.h"
#include "usermem.h"
#include "time.h"

#define COUNT_MOST (~0ul - 1)

struct counter {
	u64 count;
	u32 semaphore;
	struct waitq wait;
};

/* Sleeps until the count is at least 1, or at most `room`, where that is less than all. 0 or -E. */
static s64 counter_await(struct file *f, u64 room)
{
	struct counter *c = f->data;
	s64 woken = 0;
	if (f->flags & O_NONBLOCK)
		return -EAGAIN;
	while (woken != -EINTR && (room == COUNT_MOST ? !c->count : c->count > room))
		woken = sleep_on(&c->wait, 0, 1);
	return woken == -EINTR ? -ERESTARTSYS : 0;
}

static s64 counter_take(struct file *f, u64 to)
{
	struct counter *c = f->data;
	u64 taken = c->semaphore ? 1 : c->count;
	c->count -= taken;
	waitq_wake(&c->wait);
	poll_event(f->inode, POLLOUT);
	return user_few_out(to, &taken, 8) ? -EFAULT : 8;
}

static s64 counter_read(struct file *f, u64 to, usize bytes, u64 *offset)
{
	const struct counter *c = f->data;
	(void)offset;
	if (bytes < 8)
		return -EINVAL;
	if (c->count)
		return counter_take(f, to);
	file_get(f);
	s64 result = counter_await(f, COUNT_MOST);
	if (!result)
		result = counter_take(f, to);
	file_put(f);
	return result;
}

static s64 counter_add(struct file *f, u64 more)
{
	struct counter *c = f->data;
	c->count += more;
	waitq_wake(&c->wait);
	poll_event(f->inode, POLLIN);
	return 8;
}

static s64 counter_write(struct file *f, u64 from, usize bytes, u64 *offset)
{
	const struct counter *c = f->data;
	u64 more;
	(void)offset;
	if (bytes != 8)
		return -EINVAL;
	if (user_few_in(&more, from, 8))
		return -EFAULT;
	if (more > COUNT_MOST)
		return -EINVAL;
	if (more <= COUNT_MOST - c->count)
		return counter_add(f, more);
	file_get(f);
	s64 result = counter_await(f, COUNT_MOST - more);
	if (!result)
		result = counter_add(f, more);
	file_put(f);
	return result;
}

/* For quick calls: what one that sleeps is not all that hears of. */
static __attribute__((noinline)) s64 counter_quick_changed(struct file *f, u32 events)
{
	struct counter *c = f->data;
	waitq_wake_more(&c->wait);
	poll_event(f->inode, events);
	return quick_end(8);
}

static inline __attribute__((always_inline)) s64 counter_quick_take(struct file *f, u64 to)
{
	struct counter *c = f->data;
	u64 taken = c->semaphore ? 1 : c->count;
	c->count -= taken;
	USER_PUT((u64 *)to, taken, fault);
	if (RARE(waitq_wake_first(&c->wait)) || RARE(word_marked(&poll_watched)))
		return counter_quick_changed(f, POLLOUT);
	return quick_end(8);
fault:
	waitq_wake(&c->wait);
	poll_event(f->inode, POLLOUT);
	return quick_end(-EFAULT);
}

/* Sleeps first. */
static __attribute__((noinline)) s64 counter_quick_late(struct file *f, u64 to, u64 bytes,
							struct thread *t)
{
	struct counter *c = f->data;
	struct sleep_kept kept = {f, to, bytes};
	if (RARE(f->flags & O_NONBLOCK) || RARE(bytes < 8))
		return file_quick_read(f, to, bytes, t);
	f->refs++;
	for (;;) {
		sleep_keep(&kept);
		t = sleep_quick(t, &c->wait);
		f = kept.file;
		c = f->data;
		if (!RARE(!c->count))
			break;
		if (t->wake_result == -EINTR)
			return file_quick_slept(f, -EINTR, 0);
	}
	to = kept.at;
	if (RARE(!--f->refs)) {
		f->refs = 1;
		return file_quick_slept(f, 0, counter_take(f, to));
	}
	return counter_quick_take(f, to);
}

static s64 counter_quick_read(struct file *f, u64 to, u64 bytes, struct thread *t)
{
	const struct counter *c = f->data;
	if (!c->count || RARE(bytes < 8))
		return counter_quick_late(f, to, bytes, t);
	return counter_quick_take(f, to);
}

static s64 counter_quick_write(struct file *f, u64 from, u64 bytes, struct thread *t)
{
	struct counter *c = f->data;
	u64 more;
	if (RARE(bytes != 8))
		return file_quick_write(f, from, bytes, t);
	USER_GET(more, (const u64 *)from, fault);
	if (RARE(more > COUNT_MOST - c->count))
		return file_quick_write(f, from, bytes, t);
	c->count += more;
	if (RARE(waitq_wake_first(&c->wait)) || RARE(word_marked(&poll_watched)))
		return counter_quick_changed(f, POLLIN);
	return quick_end(8);
fault:
	return quick_end(-EFAULT);
}

static u32 counter_poll(struct file *f)
{
	const struct counter *c = f->data;
	return (c->count ? POLLIN : 0) | (c->count < COUNT_MOST ? POLLOUT : 0);
}

static void counter_release(struct file *f)
{
	kfree(f->data);
}

static const struct file_ops counter_ops = {
	.read = counter_read,
	.write = counter_write,
	.poll = counter_poll,
	.release = counter_release,
	.quick_read = counter_quick_read,
	.quick_write = counter_quick_write,
};

s64 sys_eventfd2(u64 initial, u64 flags)
{
	struct file *f;
	if ((u32)flags & ~(u32)(EFD_SEMAPHORE | O_CLOEXEC | O_NONBLOCK))
		return -EINVAL;
	struct counter *c = kmalloc(sizeof(*c));
	if (!c)
		return -ENOMEM;
	c->count = (u32)initial;
	c->semaphore = flags & EFD_SEMAPHORE;
	waitq_init(&c->wait);
	return file_anonymous("anon_inode:[eventfd]", &counter_ops, c,
			      O_RDWR | ((u32)flags & (O_CLOEXEC | O_NONBLOCK)), &f);
}

s64 sys_eventfd(u64 initial)
{
	return sys_eventfd2(initial, 0);
}

/* A timer as a file: how often it fired since it was last read. */
struct timer_file {
	struct timer timer;
	struct inode *inode; /* of its open file */
	u64 due, interval;   /* ns of the exposed clock; due 0: not armed */
	u64 fired;
	u32 clock;
	struct waitq wait;
};

static void timer_file_fire(struct timer *timer)
{
	struct timer_file *t = timer->data;
	t->fired += timer_again(timer, &t->due, t->interval);
	wake_all(&t->wait);
	poll_event(t->inode, POLLIN);
}

static s64 timer_file_read(struct file *f, u64 to, usize bytes, u64 *offset)
{
	struct timer_file *t = f->data;
	(void)offset;
	if (bytes < 8)
		return -EINVAL;
	while (!t->fired) {
		if (f->flags & O_NONBLOCK)
			return -EAGAIN;
		if (sleep_on(&t->wait, 0, 1) == -EINTR)
			return -ERESTARTSYS;
	}
	u64 fired = t->fired;
	t->fired = 0;
	return io_out(to, &fired, 8) ? -EFAULT : 8;
}

static u32 timer_file_poll(struct file *f)
{
	const struct timer_file *t = f->data;
	return t->fired ? POLLIN : 0;
}

static void timer_file_release(struct file *f)
{
	struct timer_file *t = f->data;
	timer_cancel(&t->timer);
	kfree(t);
}

static const struct file_ops timer_file_ops = {
	.read = timer_file_read,
	.poll = timer_file_poll,
	.release = timer_file_release,
};

s64 sys_timerfd_create(u64 clock, u64 flags)
{
	struct file *f;
	if ((u32)flags & ~(u32)(O_CLOEXEC | O_NONBLOCK))
		return -EINVAL;
	if ((u32)clock != CLOCK_REALTIME && (u32)clock != CLOCK_MONOTONIC &&
	    (u32)clock != CLOCK_BOOTTIME)
		return -EINVAL; /* what wakes a sleeping machine is not here */
	struct timer_file *t = kmalloc(sizeof(*t));
	if (!t)
		return -ENOMEM;
	t->clock = (u32)clock;
	t->timer.fire = timer_file_fire;
	t->timer.data = t;
	waitq_init(&t->wait);
	s64 fd =
		file_anonymous("anon_inode:[timerfd]", &timer_file_ops, t, O_RDWR | (u32)flags, &f);
	if (fd >= 0)
		t->inode = f->inode;
	return fd;
}

/* The timer behind a descriptor; NULL and *error. */
static struct timer_file *timer_file_of(u64 fd, s64 *error)
{
	struct file *f = fd_file((u32)fd);
	*error = !f ? -EBADF : -EINVAL;
	return f && f->ops == &timer_file_ops ? f->data : NULL;
}

/* struct itimerspec: interval, then value. */
static s64 timer_file_out(const struct timer_file *t, u64 to)
{
	u64 now = now_ns(), left = t->due > now ? t->due - now : t->due ? 1 : 0;
	return timespec_out(to, t->interval) || timespec_out(to + 16, left) ? -EFAULT : 0;
}

s64 sys_timerfd_gettime(u64 fd, u64 to)
{
	s64 error;
	const struct timer_file *t = timer_file_of(fd, &error);
	return t ? timer_file_out(t, to) : error;
}

s64 sys_timerfd_settime(u64 fd, u64 flags, u64 from, u64 old)
{
	u64 interval, value;
	s64 error = timespec_in(from, &interval);
	if (!error)
		error = timespec_in(from + 16, &value);
	if (error)
		return error;
	/* the clock is never set, so that TFD_TIMER_CANCEL_ON_SET has nothing to do */
	if ((u32)flags & ~(u32)(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET))
		return -EINVAL;
	struct timer_file *t = timer_file_of(fd, &error);
	if (!t)
		return error;
	if (old && timer_file_out(t, old))
		return -EFAULT;
	timer_cancel(&t->timer);
	t->fired = t->due = 0;
	t->interval = interval;
	if (!value)
		return 0;
	t->due = timer_due((u32)t->clock, value, (flags & TFD_TIMER_ABSTIME) != 0);
	timer_set(&t->timer, t->due);
	return 0;
}

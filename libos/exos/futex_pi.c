/* SPDX-License-Identifier: MIT
 * Futexes with an owner (FUTEX_LOCK_PI): the word holds the owner's number, and who unlocks gives it to the one that has
 * waited longest. There are no priorities here, so none is inherited; the order, the hand-over and what becomes of
 * a lock whose owner ends are as Linux has them.
 *
 * Invariant: while somebody sleeps for a word it has an owner and FUTEX_WAITERS, unless the program wrote something
 * else; then nobody is promised anything. */
#include "futex.h"
#include "linux.h"
#include "proc.h"
#include "proc_internal.h"

u32 futex_pi_waiting; /* in all buckets: mostly none */

/* The first who waits to own the word, and whether there are more. NULL: nobody. */
static struct futex_sleeper *first_waiter(struct futex_key key, int *more)
{
	struct futex_sleeper *first = NULL;
	struct list *head = futex_bucket(key);
	*more = 0;
	for (struct list *at = head->next; futex_pi_waiting && at != head; at = at->next) {
		struct futex_sleeper *s = container_of(at, struct futex_sleeper, link);
		if (!s->owns || !futex_same(s->key, key))
			continue;
		if (first) {
			*more = 1;
			break;
		}
		first = s;
	}
	return first;
}

/* One attempt to take a word as it was seen. 1: it is the caller's; 0: it is another's, who is named and knows that
 * somebody waits; -EAGAIN: it changed meanwhile; or as futex_lock_pi. */
static s64 take(u64 addr, u32 value, int try)
{
	const u32 me = current()->tid, owner = value & FUTEX_TID_MASK;
	u32 seen, want = value | FUTEX_WAITERS;
	if (owner == me)
		return -EDEADLK;
	if (!owner)
		want = me | (value & ~FUTEX_TID_MASK);
	else if (try)
		return 0;
	else if (!thread_find(owner))
		return -ESRCH;
	else if (value & FUTEX_WAITERS)
		return 0;
	if (futex_exchange(addr, value, want, &seen))
		return -EFAULT;
	return seen != value ? -EAGAIN : !owner;
}

s64 futex_lock_pi(u64 addr, u64 deadline, int try)
{
	u32 value;
	s64 taken;
	do {
		if (copy_in(&value, addr, sizeof(value)))
			return -EFAULT;
		taken = take(addr, value, try);
	} while (taken == -EAGAIN);
	if (taken)
		return taken > 0 ? 0 : taken;
	if (try)
		return -EAGAIN;
	struct futex_sleeper s = {.bitset = ~0u, .owns = 1, .key = futex_key(addr)};
	futex_pi_waiting++;
	s64 slept = futex_sleep(&s, deadline);
	futex_pi_waiting--;
	return slept == -EINTR ? -ERESTARTNOINTR : slept;
}

/* Makes the next waiter the owner of a word as it was seen, or nobody; died: bits that tell how. 0, -EFAULT, -EAGAIN. */
static s64 hand_on(u64 addr, u32 value, u32 died)
{
	int more;
	struct futex_sleeper *next = first_waiter(futex_key(addr), &more);
	u32 seen, want = next ? next->thread->tid | (more ? FUTEX_WAITERS : 0) | died : died;
	if (futex_exchange(addr, value, want, &seen))
		return -EFAULT;
	if (seen != value)
		return -EAGAIN;
	if (next)
		futex_let_go(next);
	return 0;
}

s64 futex_unlock_pi(u64 addr)
{
	u32 value;
	s64 done;
	do {
		if (copy_in(&value, addr, sizeof(value)))
			return -EFAULT;
		if ((value & FUTEX_TID_MASK) != current()->tid)
			return -EPERM;
		done = hand_on(addr, value, 0);
	} while (done == -EAGAIN);
	return done;
}

void futex_pi_died(u64 addr, u32 value)
{
	while ((value & FUTEX_TID_MASK) == current()->tid &&
	       hand_on(addr, value, FUTEX_OWNER_DIED) == -EAGAIN)
		if (copy_in(&value, addr, sizeof(value)))
			return;
}

/* Where ExOS itself finds a sleeper's word, if it is in the current memory or shared. */
static u32 *word_of(const struct futex_sleeper *s)
{
	if (!s->key.where)
		return (u32 *)((u8 *)frame_page((u32)(s->key.word >> 12)) + (s->key.word & 4095));
	return s->key.where == (u64)current()->proc->mm ? (u32 *)s->key.word : NULL;
}

/* What is in no robust list. A word in shared memory may be in a page that this process does not have: it is reached by
 * its frame. */
static void word_died(struct futex_sleeper *s)
{
	u32 *word = word_of(s), seen = 0;
	int more;
	if (!word || user_exchange(word, 0, 0, &seen) || (seen & FUTEX_TID_MASK) != current()->tid)
		return;
	struct futex_sleeper *next = first_waiter(s->key, &more);
	u32 value = seen, want = next->thread->tid | (more ? FUTEX_WAITERS : 0) | FUTEX_OWNER_DIED;
	if (!user_exchange(word, value, want, &seen) && seen == value)
		futex_let_go(next);
}

void futex_pi_exit(void)
{
	for (u32 i = 0; futex_pi_waiting && i < FUTEX_BUCKETS; i++) {
		struct list *head = futex_bucket_at(i), *next;
		for (struct list *at = head->next; at != head; at = next) {
			struct futex_sleeper *s = container_of(at, struct futex_sleeper, link);
			next = at->next;
			if (s->owns)
				word_died(s);
		}
	}
}

/* SPDX-License-Identifier: MIT
 * Futexes: what futex.c (sleeping and waking) and futex_pi.c (locks with an owner) share. Family lock throughout. */
#ifndef EXOS_FUTEX_H
#define EXOS_FUTEX_H

#include "exos.h"

#define FUTEX_TID_MASK 0x3fffffffu
#define FUTEX_OWNER_DIED 0x40000000u
#define FUTEX_WAITERS 0x80000000u

/* What names a word: its address in one memory, or its frame where the memory is shared. */
struct futex_key {
	u64 where; /* struct mm *, or 0 */
	u64 word;
};

struct futex_sleeper {
	struct list link; /* in its key's bucket, oldest first */
	struct futex_key key;
	struct thread *thread;
	u32 bitset;
	u32 woken;
	u32 owns; /* waits to own the word: woken by who owns it alone */
};

/* The key of a word that was read before: its page is bound. */
struct futex_key futex_key(u64 addr);
void futex_boot(void);
/* Those that sleep for keys like this one, and for those of one of FUTEX_BUCKETS kinds. */
#define FUTEX_BUCKETS 256u
struct list *futex_bucket(struct futex_key key);
struct list *futex_bucket_at(u32 kind);
static inline int futex_same(struct futex_key a, struct futex_key b)
{
	return a.where == b.where && a.word == b.word;
}
/* Sleeps in s (key, bitset, owns are set) until it is woken. 0, -ETIMEDOUT, -EINTR. */
s64 futex_sleep(struct futex_sleeper *s, u64 deadline);
/* s, which sleeps, is through. */
void futex_let_go(struct futex_sleeper *s);

/* usermem.S: *at becomes new if it is old, in one step; *seen: what it was. 0, or -1 at a fault that nothing resolves. */
int user_exchange(u32 *at, u32 old, u32 new, u32 *seen);
/* The same for a word of the program, checked: 0 or -EFAULT. */
s64 futex_exchange(u64 addr, u32 old, u32 new, u32 *seen);

/* ---- futex_pi.c ---- */
/* Takes the lock at addr, waiting for its owner unless `try`. 0, -EFAULT, -EDEADLK: it is the caller's, -ESRCH: its owner
 * is gone, -EAGAIN, -ETIMEDOUT, -ERESTARTNOINTR. */
s64 futex_lock_pi(u64 addr, u64 deadline, int try);
/* Gives it to who has waited longest, or frees it. 0, -EFAULT, -EPERM: it is not the caller's. */
s64 futex_unlock_pi(u64 addr);
/* The lock at addr, whose value was last seen as `value`, loses its owner, who ends. */
void futex_pi_died(u64 addr, u32 value);
/* The current thread ends: what it owns and others wait for is theirs. */
void futex_pi_exit(void);
/* Who sleeps for such locks, in all buckets: mostly nobody. */
extern u32 futex_pi_waiting;

#endif

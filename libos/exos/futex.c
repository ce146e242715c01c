/* SPDX-License-Identifier: MIT
 * Futexes: sleeping on a word of memory, within a process and between processes that share it. */
#include "futex.h"
#include "mm.h"
#include "pidfd.h"
#include "proc_calls.h"
#include "proc_internal.h"
#include "quick.h"
#include "switch.h"
#include "time.h"
#include "usermem.h"
#include <peek.h>

#define ROBUST_MAX 2048 /* entries walked of a list that may be a ring */

/* Guarded by the family lock. */
static struct list buckets[FUTEX_BUCKETS];

void futex_boot(void)
{
	for (u32 i = 0; i < FUTEX_BUCKETS; i++)
		list_init(&buckets[i]);
}

struct list *futex_bucket_at(u32 kind)
{
	return &buckets[kind];
}

static inline u32 futex_kind(struct futex_key key)
{
	return (u32)(key.word >> 2 ^ key.word >> 12 ^ key.where >> 6) % FUTEX_BUCKETS;
}

struct list *futex_bucket(struct futex_key key)
{
	return futex_bucket_at(futex_kind(key));
}

struct futex_key futex_key(u64 addr)
{
	struct mm *mm = current()->proc->mm;
	const struct area *area = mm_find(mm, addr);
	if (!area || !(area->flags & MAP_SHARED))
		return (struct futex_key){(u64)mm, addr};
	u64 entry = *(const volatile u64 *)(ARIL_SELF_VA + (addr >> 12) * 8);
	return (struct futex_key){0, (u64)ARIL_PTE_FRAME(entry) << 12 | (addr & 4095)};
}

/* The same, of a word mostly in the area that was found last. */
static inline struct futex_key key_near(struct mm *mm, u64 addr)
{
	const struct area *area = mm->seen;
	if (area && addr >= area->start && addr < area->end && !(area->flags & MAP_SHARED))
		return (struct futex_key){(u64)mm, addr};
	return futex_key(addr);
}

s64 futex_exchange(u64 addr, u32 old, u32 new, u32 *seen)
{
	return addr >= PROGRAM_TOP || user_exchange((u32 *)addr, old, new, seen) ? -EFAULT : 0;
}

void futex_let_go(struct futex_sleeper *s)
{
	list_del(&s->link);
	s->woken = 1;
	thread_wake_alone(s->thread);
}

static s64 futex_sleep_on(struct futex_sleeper *s, u64 deadline)
{
	s64 slept = 0;
	while (!s->woken && !slept)
		slept = deadline ? sleep_on(NULL, deadline, 1) : sleep_alone();
	if (s->woken)
		return 0;
	list_del(&s->link);
	return slept;
}

s64 futex_sleep(struct futex_sleeper *s, u64 deadline)
{
	s->thread = current();
	list_add_tail(futex_bucket(s->key), &s->link);
	return futex_sleep_on(s, deadline);
}

/* At least one: so Linux understands a count of 0, or below. */
static u32 key_wake(struct futex_key key, u32 count, u32 bitset)
{
	struct list *head = futex_bucket(key), *next;
	u32 woken = 0;
	count = (u32)max((s32)count, 1);
	for (struct list *at = head->next; at != head && woken < count; at = next) {
		struct futex_sleeper *s = container_of(at, struct futex_sleeper, link);
		next = at->next;
		if (!futex_same(s->key, key) || !(s->bitset & bitset) || s->owns)
			continue;
		futex_let_go(s);
		woken++;
	}
	return woken;
}

/* The key of a word that the program says is its own. It need not be there to be woken by. */
static struct futex_key key_of(u64 addr, u32 op)
{
	if (op & FUTEX_PRIVATE_FLAG)
		return (struct futex_key){(u64)current()->proc->mm, addr};
	return futex_key(addr);
}

u32 futex_wake(u64 addr, u32 count, u32 bitset)
{
	u32 value;
	if (copy_in(&value, addr, sizeof(value)))
		return 0;
	return key_wake(futex_key(addr), count, bitset);
}

/* 0 woken, -EAGAIN: the word differs, -EFAULT, -ETIMEDOUT, -ERESTARTSYS (without a deadline) or -ERESTARTNOHAND.
 * The word is read for the last time when the sleeper lies in its bucket: who wakes looks there without the lock
 * (wake_own), having written to the word. */
static inline s64 futex_wait(u64 addr, u32 op, u32 expected, u64 deadline, u32 bitset)
{
	struct futex_sleeper s = {.bitset = bitset, .thread = current()};
	u32 value;
	if (addr >= PROGRAM_TOP)
		return -EFAULT;
	if (!(op & FUTEX_PRIVATE_FLAG)) {
		PEEK(value, *(const u32 *)addr, fault);
		s.key = futex_key(addr);
	} else {
		s.key = (struct futex_key){(u64)s.thread->proc->mm, addr};
	}
	list_add_tail(futex_bucket(s.key), &s.link);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	PEEK(value, *(const u32 *)addr, fault_queued);
	if (value != expected) {
		list_del(&s.link);
		return -EAGAIN;
	}
	s64 slept = futex_sleep_on(&s, deadline);
	if (slept == -EINTR)
		return deadline ? -ERESTARTNOHAND : -ERESTARTSYS;
	return slept;
fault_queued:
	list_del(&s.link);
fault:
	return -EFAULT;
}

static s64 futex_deadline(u64 timeout, u32 op, u64 *deadline)
{
	u64 ns;
	*deadline = 0;
	if (!timeout)
		return 0;
	s64 error = timespec_in(timeout, &ns);
	if (error)
		return error;
	u64 now = now_ns();
	if ((op & 127) == FUTEX_WAIT)
		*deadline = now + ns;
	else if (op & FUTEX_CLOCK_REALTIME || (op & 127) == FUTEX_LOCK_PI)
		*deadline = ns > (u64)family.realtime_offset ? ns - (u64)family.realtime_offset : 1;
	else
		*deadline = ns ? ns : 1;
	return 0;
}

/* Wakes `wake` sleepers of the first word and moves `move` others to the second. How many in all. */
static s64 futex_requeue(u64 addr, u32 op, u32 wake, u32 move, u64 addr2, int compare, u32 expected)
{
	u32 value;
	if ((s32)wake < 0 || (s32)move < 0)
		return -EINVAL;
	if ((addr2 & 3) || copy_in(&value, addr2, sizeof(value)) ||
	    copy_in(&value, addr, sizeof(value)))
		return addr2 & 3 ? -EINVAL : -EFAULT;
	if (compare && value != expected)
		return -EAGAIN;
	struct futex_key from = key_of(addr, op), to = key_of(addr2, op);
	u32 done = wake ? key_wake(from, wake, ~0u) : 0, moved = 0;
	struct list *head = futex_bucket(from), *next;
	for (struct list *at = head->next; at != head && moved < move; at = next) {
		struct futex_sleeper *s = container_of(at, struct futex_sleeper, link);
		next = at->next;
		if (!futex_same(s->key, from) || s->owns)
			continue;
		s->key = to;
		moved++;
		if (futex_bucket(to) == head)
			continue;
		list_del(at);
		list_add_tail(futex_bucket(to), at);
	}
	return done + moved;
}

/* What FUTEX_WAKE_OP does to the second word, and asks of what it was. */
static u32 op_result(u32 op, u32 old, u32 arg)
{
	switch (op) {
	case 0:
		return arg;
	case 1:
		return old + arg;
	case 2:
		return old | arg;
	case 3:
		return old & ~arg;
	default:
		return old ^ arg;
	}
}

static int op_holds(u32 compare, s32 old, s32 arg)
{
	switch (compare) {
	case 0:
		return old == arg;
	case 1:
		return old != arg;
	case 2:
		return old < arg;
	case 3:
		return old <= arg;
	case 4:
		return old > arg;
	default:
		return old >= arg;
	}
}

/* Changes the second word as `code` says, wakes up to count sleepers of the first, and, where the second's old value is
 * as asked, up to count2 of the second. How many, -EFAULT, -EINVAL, -ENOSYS. */
static s64 futex_wake_op(u64 addr, u32 op_word, u32 count, u32 count2, u64 addr2, u32 code)
{
	u32 op = code >> 28 & 7, compare = code >> 24 & 15, old, seen, value;
	s32 arg = (s32)(code << 8) >> 20, with = (s32)(code << 20) >> 20;
	if (addr2 & 3)
		return -EINVAL;
	if (op > 4 || compare > 5)
		return -ENOSYS;
	u32 operand = code >> 31 ? 1u << (arg & 31) : (u32)arg;
	if (copy_in(&value, addr, sizeof(value)) || copy_in(&seen, addr2, sizeof(seen)))
		return -EFAULT;
	do {
		old = seen;
		if (futex_exchange(addr2, old, op_result(op, old, operand), &seen))
			return -EFAULT;
	} while (seen != old);
	u32 woken = key_wake(key_of(addr, op_word), count, ~0u);
	if (op_holds(compare, (s32)old, with))
		woken += key_wake(key_of(addr2, op_word), count2, ~0u);
	return woken;
}

/* Wakes up to count of those that sleep for that key, and drops the lock. */
static __attribute__((noinline)) s64 wake_any(u64 where, u64 word, u32 count)
{
	return quick_end(key_wake((struct futex_key){where, word}, count, ~0u));
}

/* One has been woken, and an idle processor is to hear of it. */
static __attribute__((noinline)) s64 wake_told(void)
{
	sched_want();
	return quick_end(1);
}

/* With the lock, and somebody in the bucket: lets one sleeper for that key go, where it is the first there, as it mostly is. 0: it
 * is not, or there is more to it. */
static inline __attribute__((always_inline)) int first_let_go(struct list *head,
							      struct futex_key key)
{
	struct list *first = head->next, *second;
	struct futex_sleeper *s = container_of(first, struct futex_sleeper, link);
	struct thread *t = s->thread;
	if (RARE(s->key.word != key.word) || RARE(s->key.where != key.where) ||
	    RARE(word_marked(&s->owns)) || RARE(t->state != THREAD_SLEEPING))
		return 0;
	second = first->next;
	second->prev = head;
	head->next = second;
	s->woken = 1;
	t->state = THREAD_RUNNABLE;
	list_add_tail(&run_queue, &t->run);
	return 1;
}

/* With the lock: up to count sleepers for that key. */
static inline __attribute__((always_inline)) s64 wake_first(struct list *head, struct futex_key key,
							    u32 count)
{
	if (head->next == head)
		return quick_end(0);
	if (RARE(count != 1) || RARE(!first_let_go(head, key)))
		return wake_any(key.where, key.word, count);
	return RARE(word_marked(&sched_idle)) ? wake_told() : quick_end(1);
}

/* FUTEX_WAKE of a word of the process's own. Where nobody sleeps the lock is not asked for. */
static inline __attribute__((always_inline)) s64 wake_own(u64 addr, u32 count)
{
	struct thread *t = current();
	struct futex_key key = {(u64)t->proc->mm, addr};
	struct list *head = &buckets[futex_kind(key)], *first;
	__atomic_thread_fence(__ATOMIC_SEQ_CST); /* with the one of futex_wait */
	first = __atomic_load_n(&head->next, __ATOMIC_RELAXED);
	if (first == head)
		return 0;
	return RARE(!lock_take(t)) ? QUICK_NO : wake_first(head, key, count);
}

static __attribute__((noinline)) s64 wake_shared(u64 addr, u32 count)
{
	u32 value;
	if (!lock_take(current()))
		return QUICK_NO;
	PEEK(value, *(const u32 *)addr, fault);
	(void)value;
	struct futex_key key = futex_key(addr);
	return wake_first(&buckets[futex_kind(key)], key, count);
fault:
	return quick_end(-EFAULT);
}

static __attribute__((noinline)) s64 quick_futex_any(u64 addr, u64 op, u64 value, u64 timeout,
						     u64 addr2, u64 value3)
{
	if (!lock_take(current()))
		return QUICK_NO;
	s64 result = sys_futex(addr, op, value, timeout, addr2, value3);
	lock_release();
	return result;
}

/* As futex_wait, for ever. */
static inline __attribute__((always_inline)) s64 wait_quick(struct thread *t, struct futex_key key,
							    u64 addr, u32 expected)
{
	struct list *head = &buckets[futex_kind(key)];
	struct futex_sleeper s;
	u32 value;
	s64 slept;
	s.key = key;
	s.thread = t;
	s.bitset = ~0u;
	s.woken = s.owns = 0;
	list_add_tail(head, &s.link);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	slept = -EFAULT;
	PEEK(value, *(const u32 *)addr, unqueue);
	slept = -EAGAIN;
	if (RARE(value != expected))
		goto unqueue;
	do {
		t = sleep_quick(t, NULL);
		if (word_marked(&s.woken))
			return quick_end(0);
		slept = t->wake_result;
	} while (!slept);
	if (slept == -EINTR) {
		sleep_interrupted();
		slept = -ERESTARTSYS;
	}
unqueue:
	list_del(&s.link);
	return quick_end(slept);
}

static __attribute__((noinline)) s64 quick_futex_wait_own(u64 addr, u32 value)
{
	struct thread *t = current();
	if (RARE(!lock_take(t)))
		return QUICK_NO;
	return wait_quick(t, (struct futex_key){(u64)t->proc->mm, addr}, addr, value);
}

static __attribute__((noinline)) s64 quick_futex_wait_shared(u64 addr, u32 expected)
{
	struct thread *t = current();
	u32 value;
	if (RARE(!lock_take(t)))
		return QUICK_NO;
	PEEK(value, *(const u32 *)addr, fault);
	(void)value;
	return wait_quick(t, key_near(t->proc->mm, addr), addr, expected);
fault:
	return quick_end(-EFAULT);
}

static __attribute__((noinline)) s64 quick_futex_more(u64 addr, u64 op, u64 value, u64 timeout,
						      u64 addr2, u64 value3)
{
	u32 plain = (u32)op & ~(u32)(FUTEX_CLOCK_REALTIME | FUTEX_PRIVATE_FLAG);
	if (addr & 3 || addr >= PROGRAM_TOP)
		return quick_futex_any(addr, op, value, timeout, addr2, value3);
	if ((u32)op == FUTEX_WAKE)
		return wake_shared(addr, (u32)value);
	if (!timeout &&
	    ((u32)op == FUTEX_WAIT || (plain == FUTEX_WAIT_BITSET && (u32)value3 == ~0u)))
		return (u32)op & FUTEX_PRIVATE_FLAG ? quick_futex_wait_own(addr, (u32)value)
						    : quick_futex_wait_shared(addr, (u32)value);
	return quick_futex_any(addr, op, value, timeout, addr2, value3);
}

/* What most programs ask for first: to wake, and to wait for ever. */
s64 quick_futex(u64 addr, u64 op, u64 value, u64 timeout, u64 addr2, u64 value3)
{
	if (addr & 3 || addr >= PROGRAM_TOP)
		return quick_futex_more(addr, op, value, timeout, addr2, value3);
	if ((u32)op == (FUTEX_WAKE | FUTEX_PRIVATE_FLAG))
		return wake_own(addr, (u32)value);
	if ((u32)op == (FUTEX_WAIT | FUTEX_PRIVATE_FLAG) && !timeout)
		return quick_futex_wait_own(addr, (u32)value);
	if ((u32)op == (FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME) && !timeout &&
	    (u32)value3 == ~0u) /* for a thread's end */
		return quick_futex_wait_shared(addr, (u32)value);
	return quick_futex_more(addr, op, value, timeout, addr2, value3);
}

s64 sys_futex(u64 addr, u64 op, u64 value, u64 timeout, u64 addr2, u64 value3)
{
	u32 command = (u32)op & ~(u32)(FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME), word;
	u64 deadline;
	s64 error;
	if (op & FUTEX_CLOCK_REALTIME && command != FUTEX_WAIT_BITSET && command != FUTEX_LOCK_PI2)
		return -ENOSYS;
	if (addr & 3)
		return -EINVAL;
	switch (command) {
	case FUTEX_WAIT:
		value3 = ~0u; /* fall through */
	case FUTEX_WAIT_BITSET:
		if (!(u32)value3)
			return -EINVAL;
		error = futex_deadline(timeout, (u32)op, &deadline);
		return error ? error : futex_wait(addr, (u32)op, (u32)value, deadline, (u32)value3);
	case FUTEX_WAKE:
		value3 = ~0u; /* fall through */
	case FUTEX_WAKE_BITSET:
		if (!(u32)value3)
			return -EINVAL;
		if (addr >= PROGRAM_TOP ||
		    (!(op & FUTEX_PRIVATE_FLAG) && copy_in(&word, addr, sizeof(word))))
			return -EFAULT;
		return key_wake(key_of(addr, (u32)op), (u32)value, (u32)value3);
	case FUTEX_REQUEUE:
		return futex_requeue(addr, (u32)op, (u32)value, (u32)timeout, addr2, 0, 0);
	case FUTEX_CMP_REQUEUE:
		return futex_requeue(addr, (u32)op, (u32)value, (u32)timeout, addr2, 1,
				     (u32)value3);
	case FUTEX_WAKE_OP:
		return futex_wake_op(addr, (u32)op, (u32)value, (u32)timeout, addr2, (u32)value3);
	case FUTEX_LOCK_PI:
	case FUTEX_LOCK_PI2:
		error = futex_deadline(timeout, (u32)op, &deadline);
		return error ? error : futex_lock_pi(addr, deadline, 0);
	case FUTEX_TRYLOCK_PI:
		return futex_lock_pi(addr, 0, 1);
	case FUTEX_UNLOCK_PI:
		return futex_unlock_pi(addr);
	case FUTEX_WAIT_REQUEUE_PI:
	case FUTEX_CMP_REQUEUE_PI:
		exos_log_once("exos: futex operation %u is not there (ENOSYS)",
			      command); /* fall through */
	default:			/* nobody has it */
		return -ENOSYS;
	}
}

/* Threads leave locks that others sleep for: their words lie at a fixed distance from list entries, whose lowest bit tells
 * locks with an owner. */
static void robust_release(u64 entry, u64 distance)
{
	u64 word = (entry & ~1ul) + distance;
	u32 value, seen;
	if ((word & 3) || copy_in(&value, word, sizeof(value)))
		return;
	if (entry & 1) {
		futex_pi_died(word, value);
		return;
	}
	while ((value & FUTEX_TID_MASK) == current()->tid) {
		u32 died = (value & FUTEX_WAITERS) | FUTEX_OWNER_DIED;
		if (futex_exchange(word, value, died, &seen))
			return;
		if (seen == value) {
			if (value & FUTEX_WAITERS)
				futex_wake(word, 1, ~0u);
			return;
		}
		value = seen;
	}
}

static __attribute__((noinline)) void robust_walk(u64 list)
{
	u64 entry, distance, last;
	PEEK(entry, ((const u64 *)list)[0], fault);
	PEEK(distance, ((const u64 *)list)[1], fault);
	PEEK(last, ((const u64 *)list)[2], fault); /* was being taken or let go */
	for (u32 n = 0; entry && (entry & ~1ul) != list && n < ROBUST_MAX; n++) {
		u64 next;
		if (copy_in(&next, entry & ~1ul, sizeof(next)))
			break;
		if ((entry & ~1ul) != (last & ~1ul))
			robust_release(entry, distance);
		entry = next;
	}
	if (last)
		robust_release(last, distance);
fault:
	return;
}

/* Mostly the list is empty: its head names itself, and nothing is being taken. */
static inline void robust_exit(const struct thread *t)
{
	u64 entry, last, list = t->robust_list;
	if (!list || list > PROGRAM_TOP - 3 * sizeof(u64))
		return;
	PEEK(entry, ((const u64 *)list)[0], fault);
	PEEK(last, ((const u64 *)list)[2], fault);
	if (entry != list || last)
		robust_walk(list);
fault:
	return;
}

void thread_leave_memory(void)
{
	const struct thread *t = current();
	u64 addr = t->clear_tid;
	robust_exit(t);
	if (RARE(word_marked(&futex_pi_waiting)))
		futex_pi_exit();
	if (!addr || addr >= PROGRAM_TOP || (t->proc->nthreads == 1 && t->proc->mm->refs == 1))
		return;
	asm goto("1: movl $0, %0\n" USER_FAULT("1b", "fault")::"m"(*(u32 *)addr)
		 : "memory"
		 : fault);
	struct futex_key key = key_near(t->proc->mm, addr);
	struct list *head = futex_bucket(key);
	if (head->next == head)
		return;
	if (RARE(!first_let_go(head, key)))
		key_wake(key, 1, ~0u);
	else if (RARE(word_marked(&sched_idle)))
		sched_want();
fault:
	return;
}

s64 sys_set_robust_list(u64 head, u64 bytes)
{
	if (bytes != ROBUST_BYTES)
		return -EINVAL;
	current()->robust_list = head;
	return 0;
}

s64 quick_set_robust_list(u64 head, u64 bytes, u64 c, u64 d, u64 e, u64 f)
{
	(void)c, (void)d, (void)e, (void)f;
	return sys_set_robust_list(head, bytes);
}

s64 sys_get_robust_list(u64 pid, u64 head, u64 bytes)
{
	static const u64 head_bytes = 24;
	const struct thread *t = (u32)pid ? thread_find((u32)pid) : current();
	if (!t)
		return -ESRCH;
	if (!proc_may_look(t->proc))
		return -EPERM;
	if (copy_out(bytes, &head_bytes, 8) || copy_out(head, &t->robust_list, 8))
		return -EFAULT;
	return 0;
}

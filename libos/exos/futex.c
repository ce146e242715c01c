/* SPDX-License-Identifier: MIT
 * Futexes: sleeping on a word of memory, within a process and between processes that share it. */
#include "mm.h"
#include "proc_calls.h"
#include "proc_internal.h"
#include "time.h"

#define FUTEX_TID_MASK 0x3fffffffu
#define FUTEX_OWNER_DIED 0x40000000u
#define ROBUST_MAX 2048 /* entries walked of a list that may be a ring */

/* What names a word: its address in one memory, or its frame where the memory is shared. */
struct futex_key {
	u64 where; /* struct mm *, or 0 */
	u64 word;
};

struct futex_sleeper {
	struct list link;
	struct futex_key key;
	u32 bitset;
	u32 woken;
	struct waitq q;
};

/* All sleepers, oldest first. Guarded by the family lock. */
static struct list sleepers = {&sleepers, &sleepers};

/* The word was read before: its page is bound. */
static struct futex_key futex_key(u64 addr)
{
	struct mm *mm = current()->proc->mm;
	const struct area *area = mm_find(mm, addr);
	if (!area || !(area->flags & MAP_SHARED))
		return (struct futex_key){(u64)mm, addr};
	u64 entry = *(const volatile u64 *)(ARIL_SELF_VA + (addr >> 12) * 8);
	return (struct futex_key){0, (u64)ARIL_PTE_FRAME(entry) << 12 | (addr & 4095)};
}

static u32 key_wake(struct futex_key key, u32 count, u32 bitset)
{
	u32 woken = 0;
	for (struct list *at = sleepers.next, *next; at != &sleepers && woken < count; at = next) {
		struct futex_sleeper *s = container_of(at, struct futex_sleeper, link);
		next = at->next;
		if (s->key.where != key.where || s->key.word != key.word || !(s->bitset & bitset))
			continue;
		list_del(&s->link);
		s->woken = 1;
		wake_all(&s->q);
		woken++;
	}
	return woken;
}

u32 futex_wake(u64 addr, u32 count, u32 bitset)
{
	u32 value;
	if (copy_in(&value, addr, sizeof(value)))
		return 0;
	return key_wake(futex_key(addr), count, bitset);
}

/* 0 woken, -EAGAIN: the word differs, -EFAULT, -ETIMEDOUT, -ERESTARTSYS (without a deadline) or -EINTR. */
static s64 futex_wait(u64 addr, u32 expected, u64 deadline, u32 bitset)
{
	u32 value;
	struct futex_sleeper s = {.bitset = bitset};
	s64 slept = 0;
	if (copy_in(&value, addr, sizeof(value)))
		return -EFAULT;
	if (value != expected)
		return -EAGAIN;
	s.key = futex_key(addr);
	waitq_init(&s.q);
	list_add_tail(&sleepers, &s.link);
	while (!s.woken && !slept)
		slept = sleep_on(&s.q, deadline, 1);
	if (s.woken)
		return 0;
	list_del(&s.link);
	if (slept == -EINTR)
		return deadline ? -EINTR : -ERESTARTSYS;
	return slept;
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
	else if (op & FUTEX_CLOCK_REALTIME)
		*deadline = ns > (u64)family.realtime_offset ? ns - (u64)family.realtime_offset : 1;
	else
		*deadline = ns ? ns : 1;
	return 0;
}

/* Wakes `wake` sleepers of the first word and moves `move` others to the second. */
static s64 futex_requeue(u64 addr, u32 wake, u32 move, u64 addr2, int compare, u32 expected)
{
	u32 value;
	if ((addr2 & 3) || copy_in(&value, addr2, sizeof(value)) ||
	    copy_in(&value, addr, sizeof(value)))
		return addr2 & 3 ? -EINVAL : -EFAULT;
	if (compare && value != expected)
		return -EAGAIN;
	struct futex_key from = futex_key(addr), to = futex_key(addr2);
	u32 done = key_wake(from, wake, ~0u), moved = 0;
	for (struct list *at = sleepers.next; at != &sleepers && moved < move; at = at->next) {
		struct futex_sleeper *s = container_of(at, struct futex_sleeper, link);
		if (s->key.where != from.where || s->key.word != from.word)
			continue;
		s->key = to;
		moved++;
	}
	return done + (compare ? moved : 0);
}

s64 sys_futex(u64 addr, u64 op, u64 value, u64 timeout, u64 addr2, u64 value3)
{
	u32 command = (u32)op & ~(u32)(FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME), word;
	u64 deadline;
	if (addr & 3)
		return -EINVAL;
	switch (command) {
	case FUTEX_WAIT:
		value3 = ~0u; /* fall through */
	case FUTEX_WAIT_BITSET:
		if (!(u32)value3)
			return -EINVAL;
		s64 error = futex_deadline(timeout, (u32)op, &deadline);
		return error ? error : futex_wait(addr, (u32)value, deadline, (u32)value3);
	case FUTEX_WAKE:
		value3 = ~0u; /* fall through */
	case FUTEX_WAKE_BITSET:
		if (!(u32)value3)
			return -EINVAL;
		if (copy_in(&word, addr, sizeof(word)))
			return -EFAULT;
		return futex_wake(addr, (u32)value, (u32)value3);
	case FUTEX_REQUEUE:
		return futex_requeue(addr, (u32)value, (u32)timeout, addr2, 0, 0);
	case FUTEX_CMP_REQUEUE:
		return futex_requeue(addr, (u32)value, (u32)timeout, addr2, 1, (u32)value3);
	default:
		exos_log_once("exos: futex operation %u is not there (ENOSYS)", command);
		return -ENOSYS;
	}
}

/* Threads leave locks that others sleep for: their words lie at a fixed distance from list entries. */
static void robust_release(u64 word)
{
	u32 value, tid = current()->tid;
	if ((word & 3) || copy_in(&value, word, sizeof(value)) || (value & FUTEX_TID_MASK) != tid)
		return;
	u32 died = (value & 0x80000000u) | FUTEX_OWNER_DIED;
	if (!copy_out(word, &died, sizeof(died)))
		futex_wake(word, 1, ~0u);
}

static void robust_exit(void)
{
	u64 head[3], list = current()->robust_list; /* first entry, distance, pending entry */
	if (!list || copy_in(head, list, sizeof(head)))
		return;
	u64 entry = head[0];
	for (u32 n = 0; entry && (entry & ~1ul) != list && n < ROBUST_MAX; n++) {
		u64 next;
		if (copy_in(&next, entry & ~1ul, sizeof(next)))
			break;
		if ((entry & ~1ul) != (head[2] & ~1ul))
			robust_release((entry & ~1ul) + head[1]);
		entry = next;
	}
	if (head[2])
		robust_release((head[2] & ~1ul) + head[1]);
}

void futex_exit(void)
{
	robust_exit();
}

s64 sys_set_robust_list(u64 head, u64 bytes)
{
	if (bytes != 24)
		return -EINVAL;
	current()->robust_list = head;
	return 0;
}

s64 sys_get_robust_list(u64 pid, u64 head, u64 bytes)
{
	static const u64 head_bytes = 24;
	const struct thread *t = (u32)pid ? thread_find((u32)pid) : current();
	if (!t)
		return -ESRCH;
	if (copy_out(bytes, &head_bytes, 8) || copy_out(head, &t->robust_list, 8))
		return -EFAULT;
	return 0;
}

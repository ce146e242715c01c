/* SPDX-License-Identifier: MIT
 * The guard's memory (guard.h): keys of what init bound, and stashes.
 *
 * A stash is a line of a page with key 0, which any program of the family can write to. What lies there for the few instructions of a
 * way in are the program's own: where it goes on, and an argument that is looked at as any. So a stray write at that moment hurts
 * nobody else. The call's number, by which ExOS finds the function, never lies there. Such pages are never given back. */
#include "guard.h"
#include "linux.h"
#include "mm.h"
#include "sched.h"
#include <aril/info.h>
#include <aril_stubs.h>
#include <core/domain.h>

extern const u8 guarded_entry[], guarded_syscall_stub_entry[], guarded_quick_entry[],
	guarded_leaf_clock[], guarded_bare_entry[], guarded_sigreturn_entry[], guarded_own_entry[];
void guarded_thread_first(void);
_Noreturn void guarded_leave(struct user_regs *regs);

static const struct ways plain = {exos_entry,	   exos_syscall_stub_entry, exos_quick_entry,
				  exos_leaf_clock, exos_bare_entry,	    exos_sigreturn_entry,
				  exos_own_entry,  exos_mask_entry,	    exos_robust_entry,
				  thread_first};
static const struct ways guarded = {
	guarded_entry,	     guarded_syscall_stub_entry, guarded_quick_entry, guarded_leaf_clock,
	guarded_bare_entry,  guarded_sigreturn_entry,	 guarded_own_entry,   guarded_quick_entry,
	guarded_quick_entry, guarded_thread_first};

const struct ways *ways = &plain;
void (*exos_leave_to)(struct user_regs *regs) = exos_leave;
u32 guard_flags;

#define LINE 64u
#define STASH_AT 40u /* in its line: the leaf's words below it, the others above */
#define LINES (PAGE / LINE)

/* Pages of stashes: what is free of each, a bit for each line. */
static struct stash_page {
	struct stash_page *next;
	u8 *page;
	u64 free;
} * stashes;

static void key_set(u64 va, u32 flags)
{
	struct aril_space_op op = {
		.va = va, .count = 1, .kind = ARIL_PROTECT, .flags = flags, .auth = family.auth};
	s64 r;

	do
		r = aril_space_update(family.auth, family.domain->space, &op, 1);
	while (r == -ARIL_E_AGAIN);
	if (r != 1)
		exos_panic("exos: key of %lx: error %ld", (unsigned long)va, (long)-r);
}

/* The word of the running space's own tables for va, at a level (1: the page's, 4: the root's). */
static u64 table_word(u64 va, u32 level)
{
	for (u32 i = 0; i < level; i++)
		va = ARIL_SELF_VA | ((va & 0xfffffffffffful) >> 9 & ~7ul);
	return *(const volatile u64 *)va;
}

/* Gives the key to all that may be written in a slot of the space. */
static void slot_guard(u64 va)
{
	u64 end = va + (1ul << 39);

	while (va < end) {
		u32 level = 4;
		u64 word;

		while ((word = table_word(va, level)) & ARIL_PTE_PRESENT && level > 1)
			level--;
		u64 span = PAGE << (9 * (level - 1));
		if (level == 1 && (word & (ARIL_PTE_PRESENT | ARIL_PTE_WRITE)) ==
					  (ARIL_PTE_PRESENT | ARIL_PTE_WRITE))
			key_set(va, ARIL_BIND_WRITE | ARIL_BIND_SOFT(ARIL_PTE_SOFT(word)) |
					    guard_flags);
		va = (va & ~(span - 1)) + span;
	}
}

int guard_boot(void)
{
	if (!(family.domain->flags & CORE_DOMAIN_GUARD))
		return 1;
	if (!ARIL_INFO->keys)
		return 0;
	guard_flags = ARIL_BIND_KEY(GUARD_KEY);
	ways = &guarded;
	exos_leave_to = guarded_leave;
	slot_guard(EXOS_VA);
	slot_guard(CORE_DOMAIN_VA & ~((1ul << 39) - 1));
	return 1;
}

/* One more page of stashes; NULL: no memory. */
static struct stash_page *stash_page_create(void)
{
	struct stash_page *s = kmalloc(sizeof(*s));
	u8 *page = s ? page_zalloc(0) : NULL;

	if (!page) {
		kfree(s);
		return NULL;
	}
	key_set((u64)page, ARIL_BIND_WRITE);
	*s = (struct stash_page){.next = stashes, .page = page, .free = ~0ul};
	_Static_assert(LINES == 64, "a bit each");
	stashes = s;
	return s;
}

static u64 *stash_of(struct thread *t)
{
	return (u64 *)((u8 *)t + THREAD_STASH);
}

s64 guard_stash(struct thread *t)
{
	struct stash_page *s = stashes;

	if (!guard_flags)
		return 0;
	while (s && !s->free)
		s = s->next;
	if (!s)
		s = stash_page_create();
	if (!s)
		return -ENOMEM;
	u32 line = (u32)__builtin_ctzl(s->free);
	s->free &= s->free - 1;
	*stash_of(t) = (u64)s->page + line * LINE + STASH_AT;
	return 0;
}

void guard_unstash(struct thread *t)
{
	u64 at = *stash_of(t);

	for (struct stash_page *s = stashes; s; s = s->next)
		if ((at & ~(PAGE - 1)) == (u64)s->page)
			s->free |= 1ul << (at & (PAGE - 1)) / LINE;
}

#define RIGHTS_MOST 3ul /* PKEY_DISABLE_ACCESS, PKEY_DISABLE_WRITE */

/* mprotect, with key -1. -EINVAL: with any other, as none was given out. */
s64 sys_pkey_mprotect(u64 addr, u64 bytes, u64 prot, u64 key)
{
	return (s32)key == -1 ? sys_mprotect(addr, bytes, prot) : -EINVAL;
}

/* -EINVAL: flags, or rights that are none. Else -ENOSPC. */
s64 sys_pkey_alloc(u64 flags, u64 rights)
{
	return flags || rights & ~RIGHTS_MOST ? -EINVAL : -ENOSPC;
}

s64 sys_pkey_free(u64 key)
{
	(void)key;
	return -EINVAL;
}

/* SPDX-License-Identifier: MIT
 * System calls become jumps: at a site's first reflection the `mov $number, %eax` before the `syscall` is replaced by a
 * jump to a stub near it, which enters ExOS as a function call would. Sites of another shape: rewrite_bare.c.
 *
 * Invariants. (1) The `syscall` itself stays, so who jumps to it is reflected as before. (2) Text is changed in a
 * page of the process's own: what it shares (page cache, parent, child) is copied first. (3) Bytes that
 * another thread may be executing are published breakpoint first; who hits it takes the family lock in the
 * trap, which the writer holds until the site is whole, and then tries again. */
#include "rewrite.h"
#include "guard.h"
#include "mm_internal.h"
#include "quick.h"
#include "sched.h"
#include "syscalls.h"
#include <core/string.h>

#define WIDE_BYTES 7
#define REACH 0x7ff00000ul /* a little under what a 32-bit displacement spans */

struct rewrite_counts rewrite_counts;

/* Sites that stay, by address and memory, as far as they are remembered. */
#define HOPELESS 256u
static u64 hopeless[HOPELESS];

/* Calls that only say something of the process. */
static const struct {
	u32 number, field;
} fields[] = {
	{39, __builtin_offsetof(struct proc, pid)},   {102, __builtin_offsetof(struct proc, uid)},
	{104, __builtin_offsetof(struct proc, gid)},  {107, __builtin_offsetof(struct proc, euid)},
	{108, __builtin_offsetof(struct proc, egid)}, {110, __builtin_offsetof(struct proc, ppid)},
	{111, __builtin_offsetof(struct proc, pgid)},
};
#define GETTID 186

u8 *rewrite_text(struct mm *mm, u64 va)
{
	struct area *area = mm_find(mm, va);
	u64 *word = pages_word(mm, page_down(va), 0);

	if (!area || area->flags & MAP_SHARED || !word || !(*word & MAPPED) ||
	    *word & MAPPED_NOREAD)
		return NULL;
	u8 *page = mapped_page(*word);
	if (page_refs(page) == 1)
		return page;
	u8 *copy = page_alloc(0);
	if (!copy)
		return NULL;
	memcpy(copy, page, PAGE);
	u64 kind = *word & MAPPED_OWN ? *word & MAPPED_KINDS : MAPPED_OWN | MAPPED_TEXT;
	pages_bind(mm, page_down(va), word, copy, (*word & MAPPED_FLAGS & ~MAPPED) | kind);
	pages_flush();
	page_put(page);
	return copy;
}

/* Losing the right to execute is a shoot-down. */
void rewrite_sync(struct mm *mm, u64 va)
{
	u64 *word = pages_word(mm, page_down(va), 0);
	u64 flags = *word & MAPPED_FLAGS & ~MAPPED;

	if (mm->refs < 2 && current()->proc->nthreads < 2)
		return;
	pages_protect(mm, page_down(va), word, flags & ~MAPPED_EXEC);
	pages_flush();
	pages_protect(mm, page_down(va), word, flags);
	pages_flush();
}

u64 rewrite_place(struct mm *mm, u64 from, u64 to)
{
	u64 va = from - PAGE;

	while (va >= LOWEST && va < from && from - va < REACH) {
		struct area *area = area_from(mm, va);

		if (!area || area->start >= va + PAGE)
			return va;
		va = area->start - PAGE;
	}
	for (va = to; va - to < REACH && va < PROGRAM_TOP;) {
		struct area *area = area_from(mm, va);

		if (!area || area->start >= va + PAGE)
			return va;
		va = area->end;
	}
	return 0;
}

s64 rewrite_page(struct mm *mm, u64 va)
{
	u8 *page = page_zalloc(0);

	if (!page)
		return -ENOMEM;
	if (mm_map(mm, va, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | AREA_STUBS,
		   NULL, 0)) {
		page_put(page);
		return -ENOMEM;
	}
	u64 *word = pages_word(mm, va, 1);
	if (!word) {
		area_unmap(mm, va, va + PAGE);
		page_put(page);
		return -ENOMEM;
	}
	*(u64 *)(page + POINTER_AT(ENTER_CALL)) = (u64)ways->call;
	*(u64 *)(page + POINTER_AT(ENTER_QUICK)) = (u64)ways->quick;
	*(u64 *)(page + POINTER_AT(ENTER_CLOCK)) = (u64)ways->clock;
	*(u64 *)(page + POINTER_AT(ENTER_BARE)) = (u64)ways->bare;
	*(u64 *)(page + POINTER_AT(ENTER_SIGRETURN)) = (u64)ways->sigreturn;
	*(u64 *)(page + POINTER_AT(ENTER_OWN)) = (u64)ways->own;
	*(u64 *)(page + POINTER_AT(ENTER_MASK)) = (u64)ways->mask;
	*(u64 *)(page + POINTER_AT(ENTER_ROBUST)) = (u64)ways->robust;
	pages_bind(mm, va, word, page, MAPPED_EXEC | MAPPED_OWN | MAPPED_TEXT);
	pages_flush();
	mm->stubs++;
	u64 end = max(mm->stubs_low + mm->stubs_span, va + PAGE);
	mm->stubs_low = mm->stubs_span ? min(mm->stubs_low, va) : va;
	mm->stubs_span = end - mm->stubs_low;
	return 0;
}

/* The same near an area, for the next stubs. */
static s64 stub_page_create(struct mm *mm, const struct area *area)
{
	u64 va = rewrite_place(mm, area->start, area->end);
	s64 error = va ? rewrite_page(mm, va) : -ENOMEM;

	if (error)
		return error;
	mm->stub_page = va;
	mm->stub_used = 0;
	return 0;
}

int rewrite_reaches(u64 a, u64 b)
{
	return (a > b ? a - b : b - a) < REACH;
}

/* Where a mov begins that may be replaced, and what stands between it and the `syscall`. */
struct site {
	u64 at, back; /* at 0: there is none; back: behind the syscall */
	u32 number, bytes;
	u8 between[REWRITE_BETWEEN_MOST];
};

/* Writes the stub that is right for the call. What is traced goes the way on which it is seen. 0: there is none. */
static u32 stub_write(u8 *stub, u64 at, const struct site *site, u64 page)
{
	u32 number = site->number;
	u64 back = site->back;

	u32 entry = number < SYSCALL_MAX && quick_calls[number] ? ENTER_QUICK : ENTER_CALL;

	if (entry == ENTER_CALL && number < SYSCALL_MAX &&
	    syscall_descs[number].flags & CALL_NOLOCK)
		entry = ENTER_OWN;
	if (number == CLOCK_GETTIME)
		entry = ENTER_CLOCK;
	if (number == RT_SIGRETURN)
		entry = ENTER_SIGRETURN;
	if (number == RT_SIGPROCMASK)
		entry = ENTER_MASK;
	if (number == SET_ROBUST_LIST)
		entry = ENTER_ROBUST;
	if (family.trace)
		entry = ENTER_CALL;
	if (site->bytes)
		return rewrite_stub_between(stub, at, number, site->between, site->bytes, back,
					    page + POINTER_AT(entry));
	if (family.trace)
		return rewrite_stub(stub, at, number, back, page + POINTER_AT(entry));
	if (number == GETTID)
		return rewrite_stub_word(stub, at, THREAD_TID, back);
	for (u32 i = 0; i < array_count(fields); i++)
		if (fields[i].number == number)
			return rewrite_stub_field(stub, at, THREAD_PROC, fields[i].field, back);
	return rewrite_stub(stub, at, number, back, page + POINTER_AT(entry));
}

/* A stub for the site; its address, or 0. */
static u64 stub_create(struct mm *mm, const struct site *site)
{
	struct area *area = mm_find(mm, site->at);

	if (!area)
		return 0;
	if (!mm->stub_page || !rewrite_reaches(mm->stub_page, site->at) ||
	    mm->stub_used + REWRITE_STUB_STEP > POINTERS_AT)
		if (stub_page_create(mm, area))
			return 0;
	u8 *page = rewrite_text(mm, mm->stub_page);
	if (!page)
		return 0;
	u64 at = mm->stub_page + mm->stub_used;
	if (!stub_write(page + mm->stub_used, at, site, mm->stub_page))
		return 0;
	mm->stub_used += REWRITE_STUB_STEP;
	return at;
}

void rewrite_jump(struct mm *mm, u64 site, u8 *const byte[REWRITE_SITE], u64 stub)
{
	u32 distance = (u32)(stub - (site + REWRITE_SITE));

	for (u32 i = 1; i < REWRITE_SITE; i++)
		__atomic_store_n(byte[i], (u8)(distance >> (8 * (i - 1))), __ATOMIC_SEQ_CST);
	rewrite_sync(mm, site);
	if (page_down(site) != page_down(site + REWRITE_SITE - 1))
		rewrite_sync(mm, site + REWRITE_SITE - 1);
	__atomic_store_n(byte[0], 0xe9, __ATOMIC_SEQ_CST);
}

/* Replaces the mov at site; both pages that it may lie on are private already. */
static void site_publish(struct mm *mm, u64 site, u8 *const byte[REWRITE_SITE], u64 stub)
{
	__atomic_store_n(byte[0], 0xcc, __ATOMIC_SEQ_CST);
	rewrite_sync(mm, site);
	rewrite_jump(mm, site, byte, stub);
}

/* Where the mov begins that may be replaced; at 0: there is none. */
static void site_find(struct mm *mm, u64 back, u64 number, struct site *site)
{
	u8 code[REWRITE_BEFORE], *end = code + sizeof(code) - 2;

	*site = (struct site){.back = back, .number = (u32)number};
	if (copy_in(end - WIDE_BYTES, back - WIDE_BYTES - 2, WIDE_BYTES + 2))
		return;
	if (rewrite_shape(end - REWRITE_SITE - 1, number)) {
		site->at = back - 2 - REWRITE_SITE;
		return;
	}
	if (rewrite_shape_wide(end - WIDE_BYTES, number)) {
		u64 at = back - 2 - WIDE_BYTES;
		site->at = number != RT_SIGRETURN || unwind_described(mm, at) ? at : 0;
		return;
	}
	/* unwinders know a handler's return by its bytes */
	if (number == RT_SIGRETURN || copy_in(code, back - sizeof(code), sizeof(code)))
		return;
	site->bytes = rewrite_between(code, number);
	if (!site->bytes)
		return;
	memcpy(site->between, end - site->bytes, site->bytes);
	site->at = back - 2 - site->bytes - REWRITE_SITE;
}

int rewrite_bytes(struct mm *mm, u64 site, u8 *byte[])
{
	for (u32 i = 0; i < REWRITE_SITE; i++) {
		u8 *page = rewrite_text(mm, site + i);

		if (!page)
			return 0;
		byte[i] = page + ((site + i) & (PAGE - 1));
	}
	return 1;
}

/* Rewrites the mov before the `syscall` before regs->rip. 0: it stays. */
static int rewrite_mov(struct mm *mm, const struct user_regs *regs)
{
	u8 *byte[REWRITE_SITE];
	struct site site;

	site_find(mm, regs->rip, regs->rax, &site);
	if (!site.at)
		return 0;
	if (!rewrite_bytes(mm, site.at, byte))
		return 0;
	u64 stub = stub_create(mm, &site);
	if (!stub)
		return 0;
	site_publish(mm, site.at, byte, stub);
	return 1;
}

/* What is remembered of a site that stays, and where. */
static u64 site_name(const struct mm *mm, u64 rip)
{
	return rip ^ (u64)mm->space << 48;
}

static u64 *site_slot(u64 rip)
{
	return &hopeless[(rip >> 1) % HOPELESS];
}

static __attribute__((noinline)) void site_try(struct user_regs *regs)
{
	static u64 texts;
	struct mm *mm = current()->proc->mm;
	u64 rip = regs->rip;

	family_lock();
	rewrite_counts.reflected++;
	if (rewrite_mov(mm, regs) || rewrite_bare(mm, regs)) {
		mm->text = ++texts;
		rewrite_counts.sites++;
	} else {
		__atomic_store_n(site_slot(rip), site_name(mm, rip), __ATOMIC_RELAXED);
		rewrite_counts.kept++;
	}
	family_unlock();
}

void rewrite_site(struct user_regs *regs)
{
	u64 stays = __atomic_load_n(site_slot(regs->rip), __ATOMIC_RELAXED);

	if (stays != site_name(current()->proc->mm, regs->rip) || family.trace)
		site_try(regs);
}

/* The jump is done here, not tried again: an emulator may keep what it translated before the last byte came, and
 * would come back for ever. The byte is stored once more, which makes it look again. */
int rewrite_breakpoint(struct user_regs *regs)
{
	struct mm *mm = current()->proc->mm;
	u64 site = regs->rip - 1;
	u8 code[REWRITE_SITE];

	if (copy_in(code, site, sizeof(code)) || code[0] != 0xe9)
		return 0;
	u32 distance = code[1] | code[2] << 8 | code[3] << 16 | (u32)code[4] << 24;
	regs->rip = site + REWRITE_SITE + (u64)(s64)(s32)distance;
	u8 *page = rewrite_text(mm, site);
	if (page)
		__atomic_store_n(page + (site & (PAGE - 1)), 0xe9, __ATOMIC_SEQ_CST);
	return 1;
}

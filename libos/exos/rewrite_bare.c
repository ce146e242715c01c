/* SPDX-License-Identifier: MIT
 * Sites where no `mov $number, %eax` stands directly before the `syscall`: it is replaced by a jump together with the
 * instruction behind it, which is done at the stub's end.
 *
 * Both begin in bytes that are replaced, and somebody may come to the second by another way: a jump, or a call that was on its way
 * when the site was rewritten. So the stub lies where the jump's third byte, at which that instruction began, is an instruction that
 * traps; who runs into it is sent to where the instruction is now (rewrite_moved). A `syscall` stands before it there, too, for calls
 * that begin anew. A short jump is an instruction of two bytes: then the jump's fifth byte, with which the next instruction begins, stays
 * as it is, and the stub lies in the 16 MiB that this says. What the program is shown of itself, in signal frames, is its own text (rewrite_shown). Family lock
 * throughout. */
#include "mm_internal.h"
#include "rewrite.h"
#include "sched.h"

#define CODE_BYTES 9 /* of the syscall, and of the longest that may stand behind it */
#define SLOTS (POINTERS_AT / REWRITE_BARE_STEP)
#define PAGES_TRIED 64
#define RT_SIGRETURN 15

/* What the third byte of the jump would be. */
static u8 third_byte(u64 site, u64 stub)
{
	return (u8)((stub - (site + REWRITE_SITE)) >> 8);
}

#define ANY_BYTE (-1)

/* Whether the jump's fifth byte would be `last`. */
static int last_byte_is(u64 site, u64 stub, s32 last)
{
	return last == ANY_BYTE || (u8)((stub - (site + REWRITE_SITE)) >> 24) == last;
}

/* A free place in a page from which the jump's third byte traps; 0: none. */
static u64 slot_find(const struct bare_page *b, u64 site, s32 last)
{
	for (u32 i = 0; i < SLOTS; i++) {
		u64 at = b->page + i * REWRITE_BARE_STEP;

		if (!(b->used[i / 64] >> (i % 64) & 1) && rewrite_traps(third_byte(site, at)) &&
		    last_byte_is(site, at, last))
			return at;
	}
	return 0;
}

/* Makes a page that has such a place. */
static int slot_page(struct mm *mm, struct bare_page *b, u64 site)
{
	const struct area *area = mm_find(mm, site);
	u64 from = area ? area->start : 0, to = area ? area->end : 0;

	for (u32 i = 0; area && i < PAGES_TRIED; i++) {
		struct bare_page fresh = {.page = rewrite_place(mm, from, to)};

		if (!fresh.page)
			return 0;
		if (slot_find(&fresh, site, ANY_BYTE)) {
			if (rewrite_page(mm, fresh.page))
				return 0;
			*b = fresh;
			return 1;
		}
		if (fresh.page < from)
			from = fresh.page;
		else
			to = fresh.page + PAGE;
	}
	return 0;
}

/* The same where the jump's fifth byte is given. */
static int slot_page_at(struct mm *mm, struct bare_page *b, u64 site, s32 last)
{
	u64 from = page_up(site + REWRITE_SITE + ((u64)(s64)(s8)last << 24));

	for (u32 i = 0; i < PAGES_TRIED; i++) {
		struct bare_page fresh = {.page = from + i * PAGE};

		if (fresh.page < LOWEST || fresh.page >= PROGRAM_TOP ||
		    !rewrite_reaches(fresh.page, site))
			return 0;
		const struct area *area = area_from(mm, fresh.page);
		if ((area && area->start < fresh.page + PAGE) || !slot_find(&fresh, site, last))
			continue;
		if (rewrite_page(mm, fresh.page))
			return 0;
		*b = fresh;
		return 1;
	}
	return 0;
}

/* A place for a site's stub, taken; 0: there is none. last: what the jump's fifth byte has to be, or ANY_BYTE. */
static u64 slot_take(struct mm *mm, u64 site, s32 last)
{
	for (u32 i = 0; i < BARE_PAGES; i++) {
		struct bare_page *b = &mm->bare[i];

		if (!b->page &&
		    !(last == ANY_BYTE ? slot_page(mm, b, site) : slot_page_at(mm, b, site, last)))
			return 0;
		u64 at = rewrite_reaches(b->page, site) ? slot_find(b, site, last) : 0;
		if (!at)
			continue;
		u32 slot = (at & (PAGE - 1)) / REWRITE_BARE_STEP;
		b->used[slot / 64] |= 1ul << (slot % 64);
		return at;
	}
	return 0;
}

static int is_stub(struct mm *mm, u64 at)
{
	const struct area *area = mm_find(mm, at);

	return area && area->flags & AREA_STUBS;
}

/* As of a mov (rewrite.c), but that whoever is between the two instructions has to be kept out, too. */
static void bare_publish(struct mm *mm, u64 site, u8 *const byte[REWRITE_SITE], u64 stub)
{
	__atomic_store_n(byte[0], 0xcc, __ATOMIC_SEQ_CST);
	__atomic_store_n(byte[2], third_byte(site, stub), __ATOMIC_SEQ_CST);
	rewrite_sync(mm, site);
	if (page_down(site) != page_down(site + REWRITE_SITE - 1))
		rewrite_sync(mm, site + REWRITE_SITE - 1);
	rewrite_jump(mm, site, byte, stub);
}

int rewrite_bare(struct mm *mm, struct user_regs *regs)
{
	u64 site = regs->rip - 2;
	u8 *byte[REWRITE_SITE], code[CODE_BYTES];

	if ((u32)regs->rax == RT_SIGRETURN)
		return 0; /* unwinders know a handler's return by its bytes */
	if (copy_in(code, site, sizeof(code)) || code[0] != 0x0f || code[1] != 0x05 ||
	    is_stub(mm, site))
		return 0;
	u32 bytes = rewrite_next(code + 2);
	s32 last = ANY_BYTE;
	if (!bytes && code[2] == 0xeb) {
		bytes = REWRITE_SHORT;
		last = code[2 + REWRITE_SHORT];
	}
	if (!bytes)
		return 0;
	if (!rewrite_bytes(mm, site, byte))
		return 0;
	u64 at = slot_take(mm, site, last);
	u8 *page = at ? rewrite_text(mm, at) : NULL;
	if (!page)
		return 0;
	u32 entry = family.trace ? ENTER_CALL : ENTER_BARE;
	rewrite_stub_bare(page + (at & (PAGE - 1)), at, site, code + 2, bytes,
			  page_down(at) + POINTER_AT(entry));
	bare_publish(mm, site, byte, at);
	regs->rip = regs->rcx = at + REWRITE_BARE_NEXT;
	return 1;
}

int rewrite_moved(struct user_regs *regs, u64 vector)
{
	u64 site = regs->rip - (vector == 3 ? 1 : 0) - 2;
	u8 code[REWRITE_SITE];

	if (copy_in(code, site, sizeof(code)) || code[0] != 0xe9 || !rewrite_traps(code[2]))
		return 0;
	u32 distance = code[1] | code[2] << 8 | code[3] << 16 | (u32)code[4] << 24;
	u64 stub = site + REWRITE_SITE + (u64)(s64)(s32)distance;
	if (!is_stub(current()->proc->mm, stub))
		return 0;
	regs->rip = stub + REWRITE_BARE_NEXT;
	return 1;
}

static __attribute__((noinline)) u64 stub_shown(struct mm *mm, u64 rip)
{
	u64 page = page_down(rip), at = rip & ~(u64)(REWRITE_BARE_STEP - 1);
	u8 stub[REWRITE_BARE_STEP];
	_Static_assert(sizeof(stub) >= REWRITE_STUB_STEP, "both kinds");

	if (rip - page >= POINTERS_AT)
		return rip;
	for (u32 i = 0; i < BARE_PAGES && mm->bare[i].page; i++)
		if (page == mm->bare[i].page)
			return copy_in(stub, at, sizeof(stub)) || !stub[0]
				       ? rip
				       : rewrite_bare_shown(stub, at, (u32)(rip - at));
	/* Of a stub that has no place for its site: before its jump into ExOS, or back, nothing is done that is not done again. */
	at = page + (rip - page) / REWRITE_STUB_STEP * REWRITE_STUB_STEP;
	if (!is_stub(mm, rip) || copy_in(stub, at, REWRITE_STUB_STEP) || !stub[0])
		return rip;
	if (stub[REWRITE_STUB_STEP - 1])
		return rewrite_between_shown(stub, at, (u32)(rip - at));
	u64 site = rewrite_stub_back(stub, at) - 7;
	return copy_in(stub, site, 1) || stub[0] != 0xe9 ? site - 2 : site;
}

u64 rewrite_shown(u64 rip)
{
	struct mm *mm = current()->proc->mm;

	return rip - mm->stubs_low < mm->stubs_span ? stub_shown(mm, rip) : rip;
}

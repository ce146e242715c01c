/* SPDX-License-Identifier: MIT
 * Demand paging to a memory device: see pager.h. */
#include <aril/info.h>
#include <aril_stubs.h>
#include <core/native.h>
#include <core/pager.h>
#include <core/string.h>

#define NONE (~0u)
#define PAGE_FAULT 14
#define TRIES 64

static struct core_pager *pager;
static struct core_page pages[CORE_PAGER_PAGES];

static u64 va_of(const struct core_pager *p, u32 i)
{
	return p->va + (u64)i * ARIL_PAGE_SIZE;
}

static u8 *store_of(const struct core_pager *p, u32 i)
{
	return p->store + (u64)i * ARIL_PAGE_SIZE;
}

/* The page's entry in the exposed tables. Its table is there: core_pager_start. */
static u64 entry_of(const struct core_pager *p, u32 i)
{
	return *(const volatile u64 *)(ARIL_SELF_VA + (va_of(p, i) >> ARIL_PAGE_SHIFT) * 8);
}

static s64 change(u32 kind, u64 va, u32 frame)
{
	u32 space = CORE_DOMAIN->space;
	s64 error;

	do /* no more work in this slice: the next is soon */
		error = kind == ARIL_BIND ? aril_page_bind(core_auth, space, va, frame,
							   ARIL_BIND_WRITE, core_auth)
					  : aril_page_unbind(core_auth, space, va);
	while (error == -ARIL_E_QUOTA);
	return error;
}

/* By the entry's accessed bit; binding it again clears that and the dirty bit, which is remembered. */
static int page_used(struct core_set *set, u32 i)
{
	u64 entry = entry_of(pager, i);

	if (!(entry & ARIL_PTE_ACCESSED))
		return 0;
	set->page[i].dirty |= !!(entry & ARIL_PTE_DIRTY);
	change(ARIL_BIND, va_of(pager, i), set->page[i].frame);
	return 1;
}

/* Copies a page while `at` may be taken by force at any moment: its faults are let in, and end in a frame of ours
 * that is kept. Whether nothing was taken. */
static int copy_guarded(struct core_pager *p, u64 at, void *to, const void *from)
{
	struct aril_context *context = core_context();
	struct core_cpu *cpu = (struct core_cpu *)context->cookie;
	u32 mask = cpu->mask;

	p->copying = at;
	p->torn = 0;
	cpu->mask = ARIL_MASK_ASYNC; /* a nested upcall returns to that */
	__atomic_store_n(&context->mask, ARIL_MASK_ASYNC, __ATOMIC_SEQ_CST);
	memcpy(to, from, ARIL_PAGE_SIZE);
	__atomic_store_n(&context->mask, ARIL_MASK_ALL, __ATOMIC_SEQ_CST);
	cpu->mask = mask;
	p->copying = 0;
	return !p->torn;
}

static void page_gone(struct core_pager *p, u32 i)
{
	struct core_page *page = &p->set.page[i];

	if (page->kept)
		p->kept--;
	page->frame = 0;
	page->kept = 0;
	page->dirty = 0;
	p->resident--;
}

/* Its frame was taken by force. */
static void page_lost(struct core_pager *p, u32 i)
{
	page_gone(p, i);
	p->taken++;
	if (p->lost)
		p->lost(i);
}

/* Out of memory: the device has what it holds. Returns its frame, still charged. */
static u32 page_out(struct core_pager *p, u32 i)
{
	struct core_page *page = &p->set.page[i];
	u64 entry = entry_of(p, i);
	u32 frame = page->frame;

	if (!(entry & ARIL_PTE_PRESENT)) { /* taken just now: the loss will be read */
		page_lost(p, i);
		return 0;
	}
	if (p->recompute && p->recompute(i, NULL)) {
		p->dropped++;
	} else if (page->dirty || entry & ARIL_PTE_DIRTY) {
		if (!copy_guarded(p, va_of(p, i), store_of(p, i), (const void *)va_of(p, i))) {
			change(ARIL_UNBIND, va_of(p, i), 0);
			page_lost(p, i);
			return 0;
		}
		page->stored = 1;
		p->outs++;
	}
	change(ARIL_UNBIND, va_of(p, i), 0);
	page_gone(p, i);
	p->evicted++;
	return frame;
}

static int frame_is_free(u32 f)
{
	const volatile struct aril_frame *frame =
		(const volatile struct aril_frame *)ARIL_INFO->frames_va + f;

	return !frame->state && !frame->account && !frame->refs && !frame->pins &&
	       !frame->guard[0].rights && !frame->guard[1].rights;
}

/* A frame more for the account: 0 where none is free or the limit is reached. */
static u32 frame_new(struct core_pager *p)
{
	struct aril_guard guard = {.len = CORE_DOMAIN->cap.len, .rights = ARIL_ALL};

	memcpy(guard.name, CORE_DOMAIN->cap.name, sizeof(guard.name));
	for (u32 i = p->from; i < p->to; i++) {
		u32 f = p->cursor;

		p->cursor = f + 1 < p->to ? f + 1 : p->from;
		if (!frame_is_free(f))
			continue;
		s64 got = aril_frame_alloc(core_auth, p->account, f, 1, &guard);
		if (got == 1)
			return f;
		if (got == -ARIL_E_QUOTA)
			return 0;
	}
	return 0;
}

/* A frame for a page, its own or another's that goes out for it. */
static u32 frame_get(struct core_pager *p, u8 *kept)
{
	u32 frame = frame_new(p);

	*kept = 0;
	if (frame && p->kept < p->keep) {
		struct aril_frame_op keep = {
			.first = frame, .count = 1, .kind = ARIL_FRAME_MARK_KEEP, .tag = 1};

		*kept = aril_frame_update(core_auth, &keep, 1) == 1;
	}
	while (!frame) {
		u32 i = p->policy.choose(&p->policy, &p->set, 0, NONE);

		if (i ==
		    NONE) { /* all are kept: the oldest of those, its frame kept for the next */
			for (u32 k = 0; k < p->npages; k++)
				if (pages[k].frame &&
				    (i == NONE || pages[k].arrived < pages[i].arrived))
					i = k;
			if (i == NONE)
				return 0;
			*kept = 1;
		}
		frame = page_out(p, i);
	}
	return frame;
}

/* What the page holds, ready to be copied. */
static const void *content_of(struct core_pager *p, u32 i)
{
	if (p->recompute && p->recompute(i, p->scratch))
		return p->scratch;
	if (p->set.page[i].stored)
		return store_of(p, i);
	memset(p->scratch, 0, ARIL_PAGE_SIZE);
	return p->scratch;
}

/* A frame that is got may be taken at once, where a deadline passed: then another is due. */
static int page_in(struct core_pager *p, u32 i)
{
	struct core_page *page = &p->set.page[i];
	u32 frame = 0;
	u8 kept = 0;

	for (u32 tries = 0; tries < TRIES; tries++) {
		frame = frame_get(p, &kept);
		if (!frame)
			return 0;
		if (!change(ARIL_BIND, p->window, frame) &&
		    copy_guarded(p, p->window, (void *)p->window, content_of(p, i)) &&
		    !change(ARIL_BIND, va_of(p, i), frame))
			break;
		frame = 0;
	}
	change(ARIL_BIND, p->window, p->scratch_frame);
	if (!frame)
		return 0;
	page->frame = frame;
	page->kept = kept;
	page->arrived = ++p->clock;
	p->kept += kept;
	p->resident++;
	p->ins++;
	return 1;
}

int core_pager_fault(const struct core_frame *frame)
{
	struct core_pager *p = pager;
	u64 at = frame->save.addr;

	if (frame->save.vector != PAGE_FAULT || !p)
		return 0;
	if (p->copying && (at & ~(ARIL_PAGE_SIZE - 1ul)) == p->copying) {
		p->torn = 1;
		return !change(ARIL_BIND, p->copying, p->scratch_frame);
	}
	if (at < p->va || at >= va_of(p, p->npages))
		return 0;
	u32 i = (u32)((at - p->va) >> ARIL_PAGE_SHIFT);
	if (entry_of(p, i) & ARIL_PTE_PRESENT) /* there, and yet: not ours to mend */
		return 0;
	if (p->set.page[i].frame) /* taken by force; the upcall that says so is to come */
		page_lost(p, i);
	return page_in(p, i);
}

static int give(void *self, u32 kind, u32 first, u32 last)
{
	struct core_pager *p = self;

	if (kind != ARIL_REVOKE_FRAMES)
		return 0;
	for (;;) {
		u32 i = p->policy.choose(&p->policy, &p->set, first, last);
		u32 frame = i == NONE ? 0 : page_out(p, i);

		if (i == NONE)
			return 0;
		if (!frame) /* lost meanwhile: that counted */
			continue;
		p->given++;
		return aril_frame_free(core_auth, frame, 1) == 1;
	}
}

static void loss(void *self, const struct aril_loss *loss)
{
	struct core_pager *p = self;

	if (loss->kind != ARIL_REVOKE_FRAMES)
		return;
	for (u32 i = 0; i < p->npages; i++)
		if (p->set.page[i].frame == loss->what && !(entry_of(p, i) & ARIL_PTE_PRESENT))
			page_lost(p, i);
}

static void look_through(void *self)
{
	struct core_pager *p = self;

	for (u32 i = 0; i < p->npages; i++)
		if (p->set.page[i].frame && !(entry_of(p, i) & ARIL_PTE_PRESENT))
			page_lost(p, i);
}

s64 core_pager_start(struct core_pager *p)
{
	struct core_keep keep;
	s64 error;

	if (!p->npages || p->npages > CORE_PAGER_PAGES || !p->keep || p->from >= p->to)
		return -ARIL_E_RANGE;
	core_keep_begin(&keep);
	for (u64 at = p->va & ~(ARIL_PAGE_SIZE * 512ul - 1); at < va_of(p, p->npages);
	     at += ARIL_PAGE_SIZE * 512ul) {
		error = core_add_tables(&core_self, at);
		if (error && error != -ARIL_E_TABLE)
			return error;
	}
	p->window = (u64)core_pages(1, NULL);
	p->scratch = core_pages(1, &p->scratch_frame);
	if (!p->window || !p->scratch)
		return -ARIL_E_QUOTA;
	core_keep_end(&keep);
	p->set = (struct core_set){.page = pages, .n = p->npages, .va = p->va, .used = page_used};
	p->revoke = (struct core_revoke){
		.self = p, .give = give, .lost = loss, .overflow = look_through};
	p->cursor = p->from;
	pager = p;
	return core_revoke_start(&p->revoke, p->account);
}

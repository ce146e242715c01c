/* SPDX-License-Identifier: MIT
 * The first env: an image inside the kernel's, every frame and slice, the root capability. After this the
 * kernel allocates nothing. */
#include "first.h"
#include "account.h"
#include "arch.h"
#include "boot.h"
#include "cap.h"
#include "env.h"
#include "frame.h"
#include "slice.h"
#include "space.h"
#include "util.h"

static u32 next_frame = (1u << 20) >> ARIL_PAGE_SHIFT; /* below 1 MiB stays for firmware's sake */

#define ROOT (ARIL_ACCOUNT_ROOT & 0xffff) /* slot of the first env's account */

static int in_module(u32 frame)
{
	u64 at = (u64)frame << ARIL_PAGE_SHIFT;

	for (u32 i = 0; i < boot.nmodules; i++)
		if (at + ARIL_PAGE_SIZE > boot.module[i].start &&
		    at < boot.module[i].start + boot.module[i].bytes)
			return 1;
	return 0;
}

/* The next frame that is nobody's, cleared. */
static u32 take_frame(void)
{
	for (; next_frame < nframes; next_frame++) {
		u32 f = next_frame;

		if (frames[f].state != ARIL_FRAME_NORMAL || in_module(f))
			continue;
		next_frame++;
		page_clear(frame_memory(f));
		account_move_frame(f, ROOT);
		return f;
	}
	panic("no memory for the first env");
}

/* The boot modules are the first env's too. */
static void charge_modules(void)
{
	for (u32 i = 0; i < boot.nmodules; i++) {
		u64 end = boot.module[i].start + boot.module[i].bytes;

		for (u64 at = boot.module[i].start & ~(ARIL_PAGE_SIZE - 1ul); at < end;
		     at += ARIL_PAGE_SIZE) {
			u32 f = at >> ARIL_PAGE_SHIFT;

			if (f < nframes && frames[f].state == ARIL_FRAME_NORMAL)
				account_move_frame(f, ROOT);
		}
	}
}

static u32 make_space(void)
{
	u32 root = take_frame(), shadow = take_frame();

	frame_retype(root, ARIL_FRAME_SPACE, 4, shadow, 1);
	frame_retype(shadow, ARIL_FRAME_SHADOW, 0, root, 1);
	space_kernel_half(root);
	return root;
}

/* Binds a page, adding the tables it needs. */
static void bind(u32 root, u64 va, u32 frame, u64 flags)
{
	for (u32 level = 3; level >= 1; level--) {
		if (space_entry(root, va, level))
			continue;
		u32 table = take_frame(), shadow = take_frame();

		frame_retype(table, ARIL_FRAME_TABLE, level, shadow, 1);
		frame_retype(shadow, ARIL_FRAME_SHADOW, 0, table, 1);
		space_table_raw(root, va, level, table);
	}
	space_bind_raw(root, va, frame, flags);
}

/* Copies and binds the image by its header; panics if it is not one: it was built with us. */
static u64 load_image(u32 root)
{
	const struct first_header *h = (const struct first_header *)init_image_start;
	u64 bytes = init_image_end - init_image_start;

	assert(bytes > sizeof(*h) && h->magic == FIRST_MAGIC);
	assert(h->data_end - FIRST_BASE <= bytes && h->bss_end > h->data_end);
	for (u64 va = FIRST_BASE; va < h->bss_end; va += ARIL_PAGE_SIZE) {
		u32 f = take_frame();
		u64 flags = PTE_P | PTE_U;

		if (va < h->data_end)
			memcpy(frame_memory(f), init_image_start + (va - FIRST_BASE),
			       min((u64)ARIL_PAGE_SIZE, h->data_end - va));
		if (va >= h->text_end)
			flags |= PTE_NX;
		if (va >= h->rodata_end)
			flags |= PTE_W;
		bind(root, va, f, flags);
	}
	return h->entry;
}

void first_env(void)
{
	charge_modules();
	u32 root = make_space();
	u64 entry = load_image(root);
	u32 page = take_frame();
	struct aril_cap *cap = frame_memory(page);

	cap->rights = ARIL_ALL;
	cap->generation = ~0ul;
	cap_sign(cap);
	bind(root, FIRST_CAP_VA, page, PTE_P | PTE_U | PTE_NX);
	page = take_frame();
	bind(root, FIRST_CONTEXT_VA, page, PTE_P | PTE_U | PTE_W | PTE_NX);
	struct env *env = env_boot(take_frame(), root, entry);
	struct context *ctx = &env->ctx[0];
	frame_pin(page);
	ctx->frame = page;
	context_place(ctx, FIRST_CONTEXT_VA);
	ctx->page = frame_memory(page);
	ctx->page->env = env->id;
	env->info->contexts = 1;
	ctx->state = CTX_READY;
	info->free_low = next_frame;
	for (u32 cpu = 0; cpu < ncpus; cpu++)
		for (u32 i = 0; i < ARIL_SLICES; i++) {
			struct aril_slice *slice = &slices[cpu * ARIL_SLICES + i];

			slice->env = env->id;
			slice->account = ROOT;
			account_charge(ROOT, ARIL_QUOTA_SLICES);
		}
}

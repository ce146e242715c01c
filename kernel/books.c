/* SPDX-License-Identifier: MIT
 * The exposed tables. The kernel writes them through the physical alias; programs see them read-only at
 * ARIL_INFO_VA. Their memory is the kernel's own, sized at boot: no program can make them grow. */
#include "books.h"
#include "account.h"
#include "arch.h"
#include "boot.h"
#include "env.h"
#include "frame.h"
#include "grant.h"
#include "slice.h"
#include "util.h"

#define ENVS_AT 0x100000ul
#define SLICES_AT 0x200000ul
#define ACCOUNTS_AT 0x300000ul
#define GRANTS_AT 0x400000ul
#define FRAMES_AT 0x40000000ul

struct aril_info *info;
struct aril_frame *frames;
u32 nframes;

static u64 page_up(u64 bytes)
{
	return (bytes + ARIL_PAGE_SIZE - 1) & ~(u64)(ARIL_PAGE_SIZE - 1);
}

/* Exposes zeroed memory at an offset in the window; returns the kernel's alias. */
static void *expose(u64 offset, u64 bytes)
{
	u64 physical = boot_alloc(page_up(bytes));

	arch_map_info(offset, physical, page_up(bytes));
	return phys(physical);
}

static u32 frames_present(void)
{
	u64 end = 0;

	for (u32 i = 0; i < boot.nregions; i++)
		if (boot.region[i].usable)
			end = max(end, boot.region[i].end);
	return min(end >> ARIL_PAGE_SHIFT, (u64)ARIL_MAX_FRAMES);
}

void books_alloc(void)
{
	nframes = frames_present();
	info = expose(0, sizeof(*info));
	env_infos = expose(ENVS_AT, ARIL_MAX_ENVS * sizeof(struct aril_env_info));
	slices = expose(SLICES_AT, ARIL_MAX_CPUS * ARIL_SLICES * sizeof(struct aril_slice));
	accounts = expose(ACCOUNTS_AT, ARIL_MAX_ACCOUNTS * sizeof(struct aril_account));
	grant_books = expose(GRANTS_AT, ARIL_MAX_GRANTS * sizeof(struct aril_grant));
	frames = expose(FRAMES_AT, (u64)nframes * sizeof(struct aril_frame));
	info->magic = ARIL_INFO_MAGIC;
	info->version = ARIL_INFO_VERSION;
	info->bytes = sizeof(*info);
	info->nframes = nframes;
	info->nenvs = ARIL_MAX_ENVS;
	info->nslices = ARIL_SLICES;
	info->frames_va = ARIL_INFO_VA + FRAMES_AT;
	info->envs_va = ARIL_INFO_VA + ENVS_AT;
	info->slices_va = ARIL_INFO_VA + SLICES_AT;
	info->accounts_va = ARIL_INFO_VA + ACCOUNTS_AT;
	info->grants_va = ARIL_INFO_VA + GRANTS_AT;
	info->self_va = ARIL_SELF_VA;
	info->envs_frame = ((u64)env_infos - ARIL_PHYS_VA) >> ARIL_PAGE_SHIFT;
	slice_expose(info);
	info->boot_tsc = boot.start_tsc;
	info->rsdp = boot.rsdp;
	info->nmodules = boot.nmodules;
	memcpy(info->module, boot.module, sizeof(info->module));
	memcpy(info->cmdline, boot.cmdline, sizeof(info->cmdline));
	for (u32 i = 0; i < sizeof(info->machine) - 1 && boot.protocol[i]; i++)
		info->machine[i] = boot.protocol[i];
}

u32 books_frames(void)
{
	u32 usable = 0;

	info->ncpus = ncpus;
	for (u32 f = 0; f < nframes; f++)
		frames[f].state = ARIL_FRAME_ABSENT;
	for (u32 i = 0; i < boot.nregions; i++) {
		const struct boot_region *r = &boot.region[i];

		if (!r->usable)
			continue;
		u64 last = min(r->end >> ARIL_PAGE_SHIFT, (u64)nframes);
		for (u64 f = page_up(r->start) >> ARIL_PAGE_SHIFT; f < last; f++)
			if (boot_is_kernel(f << ARIL_PAGE_SHIFT)) {
				frames[f].state = ARIL_FRAME_KERNEL;
			} else {
				frames[f].state = ARIL_FRAME_NORMAL;
				usable++;
			}
	}
	frames[0].state = ARIL_FRAME_KERNEL; /* 0 means none in bindings and partners */
	return usable;
}

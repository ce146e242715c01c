/* SPDX-License-Identifier: MIT
 * What the loaders hand over (PVH's start info, Multiboot2's tags), copied before its memory is
 * reused. */
#include "x86.h"
#include "util.h"

#define MAX_ADDRESS ((u64)ARIL_MAX_FRAMES << ARIL_PAGE_SHIFT)
#define REACHABLE 0x100000000ul /* what the first page tables map */

struct boot_info boot;

#define PVH_MAGIC 0x336ec578
struct pvh_info {
	u32 magic, version, flags, nmodules;
	u64 modules, cmdline, rsdp, memmap;
	u32 nmemmap, zero;
};
struct pvh_module {
	u64 address, bytes, cmdline, zero;
};
struct pvh_memory {
	u64 address, bytes;
	u32 type, zero;
};

struct mb2_tag {
	u32 type, bytes;
};
struct mb2_module {
	struct mb2_tag tag;
	u32 start, end;
};
struct mb2_memmap {
	struct mb2_tag tag;
	u32 entry_bytes, version;
};
enum {
	MB2_END = 0,
	MB2_CMDLINE = 1,
	MB2_MODULE = 3,
	MB2_MEMMAP = 6,
	MB2_RSDP1 = 14,
	MB2_RSDP2 = 15
};

static void add_region(u64 start, u64 end, int usable)
{
	if (usable) {
		start = (start + ARIL_PAGE_SIZE - 1) & ~(u64)(ARIL_PAGE_SIZE - 1);
		end &= ~(u64)(ARIL_PAGE_SIZE - 1);
		end = min(end, MAX_ADDRESS);
	}
	if (start >= end)
		return;
	if (boot.nregions) {
		struct boot_region *last = &boot.region[boot.nregions - 1];

		if (last->end == start && last->usable == (u32)usable) {
			last->end = end;
			return;
		}
	}
	if (boot.nregions == BOOT_REGIONS) {
		if (usable)
			kprint("aril: too many memory regions: %lu KiB at %lx are not used\n",
			       (end - start) >> 10, start);
		return;
	}
	boot.region[boot.nregions++] = (struct boot_region){start, end, usable};
}

static void add_module(u64 start, u64 bytes)
{
	if (!bytes)
		return;
	if (boot.nmodules == array_count(boot.module)) {
		kprint("aril: more than %u boot modules: the one at %lx is not used\n",
		       (u32)array_count(boot.module), start);
		return;
	}
	boot.module[boot.nmodules++] = (struct aril_module){start, bytes};
}

static void set_cmdline(const char *text)
{
	usize n = 0;

	for (; text[n] && n + 1 < sizeof(boot.cmdline); n++)
		boot.cmdline[n] = text[n];
	if (text[n])
		kprint("aril: command line cut to %lu bytes\n", n);
	boot.cmdline[n] = 0;
}

static void read_pvh(u64 address)
{
	const struct pvh_info *pvh = phys(address);

	boot.protocol = "pvh";
	if (pvh->magic != PVH_MAGIC)
		panic("PVH start info at %lx has the magic %x", address, pvh->magic);
	if (pvh->version < 1 || !pvh->nmemmap)
		panic("PVH start info version %u has no memory map", pvh->version);
	const struct pvh_memory *map = phys(pvh->memmap);
	for (u32 i = 0; i < pvh->nmemmap; i++)
		add_region(map[i].address, map[i].address + map[i].bytes, map[i].type == 1);
	const struct pvh_module *module = phys(pvh->modules);
	for (u32 i = 0; i < pvh->nmodules; i++)
		add_module(module[i].address, module[i].bytes);
	if (pvh->cmdline)
		set_cmdline(phys(pvh->cmdline));
	boot.rsdp = pvh->rsdp;
}

static void read_mb2_memmap(const struct mb2_memmap *map)
{
	const u8 *end = (const u8 *)map + map->tag.bytes;

	for (const u8 *at = (const u8 *)(map + 1); at + map->entry_bytes <= end;
	     at += map->entry_bytes) {
		const struct pvh_memory *m = (const void *)at;

		add_region(m->address, m->address + m->bytes, m->type == 1);
	}
}

/* Returns the address of the loader's copy of the RSDP, or 0. */
static u64 read_mb2(u64 address)
{
	const u32 *total = phys(address);
	const u8 *at = (const u8 *)(total + 2), *end = (const u8 *)total + *total;
	u64 rsdp = 0;

	boot.protocol = "multiboot2";
	while (at + sizeof(struct mb2_tag) <= end) {
		const struct mb2_tag *tag = (const void *)at;

		if (tag->type == MB2_END)
			break;
		if (tag->type == MB2_CMDLINE) {
			set_cmdline((const char *)(tag + 1));
		} else if (tag->type == MB2_MODULE) {
			const struct mb2_module *m = (const void *)tag;

			add_module(m->start, m->end - m->start);
		} else if (tag->type == MB2_MEMMAP) {
			read_mb2_memmap((const void *)tag);
		} else if (tag->type == MB2_RSDP2 || (tag->type == MB2_RSDP1 && !rsdp)) {
			rsdp = (u64)(tag + 1) - ARIL_PHYS_VA;
		}
		at += (tag->bytes + 7) & ~7u;
	}
	return rsdp;
}

void boot_read(u32 protocol, u64 address)
{
	u64 rsdp = 0;

	if (protocol == 1)
		read_pvh(address);
	else if (protocol == 2)
		rsdp = read_mb2(address);
	else
		panic("started by neither PVH nor Multiboot2");
	if (!boot.rsdp)
		boot.rsdp = acpi_scan();
	acpi_read(boot.rsdp ? boot.rsdp : rsdp);
	for (u32 i = 0; i < boot.nmodules; i++)
		if (boot.module[i].start & (ARIL_PAGE_SIZE - 1))
			panic("boot module at %lx is not on a page boundary", boot.module[i].start);
	if (address >= REACHABLE)
		panic("boot information above 4 GiB");
}

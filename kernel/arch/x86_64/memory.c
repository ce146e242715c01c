/* SPDX-License-Identifier: MIT
 * The kernel's own address space: all memory, the image by section, stacks over holes, exposed
 * tables, device registers. Built once at boot; the upper half is the same in every space, so its
 * top-level entries must all exist when this is done. */
#include "x86.h"
#include "space.h"
#include "util.h"

#define LARGE 0x200000ul
#define REACHABLE 0x100000000ul
#define LOW_END 0xa0000ul
#define DEVICE_BYTES 0x1000000ul
#define DEVICE_MAX 0x100000ul
#define EXTENTS 32
#define DEVICES 48

extern u8 kernel_start[], kernel_text_end[], kernel_rodata_end[], kernel_end[];

static u64 *root;
static u64 root_address;
static struct {
	u64 start, end;
} extent[EXTENTS];
static u32 nextents;
static u64 cursor;
static u64 trampoline;
static struct {
	u64 address, bytes, va;
} device[DEVICES];
static u32 ndevices;
static u64 device_next = ARIL_DEVICE_VA;
static struct cpu_area *areas[ARIL_MAX_CPUS];

static u64 image_address(const void *symbol)
{
	return (u64)symbol - ARIL_KERNEL_VA;
}

static void extent_add(u64 start, u64 end)
{
	if (nextents && extent[nextents - 1].end == start) {
		extent[nextents - 1].end = end;
		return;
	}
	if (nextents == EXTENTS)
		panic("boot memory is in more than %u pieces", EXTENTS);
	extent[nextents].start = start;
	extent[nextents++].end = end;
}

/* The first address from at where bytes fit in the region, clear of boot modules; 0: none. */
static u64 fit(const struct boot_region *r, u64 at, u64 bytes)
{
	at = max(at, r->start);
	for (u32 i = 0; i < boot.nmodules; i++) {
		u64 start = boot.module[i].start & ~(u64)(ARIL_PAGE_SIZE - 1);
		u64 end = boot.module[i].start + boot.module[i].bytes;

		if (at < end && start < at + bytes) {
			at = (end + ARIL_PAGE_SIZE - 1) & ~(u64)(ARIL_PAGE_SIZE - 1);
			i = ~0u; /* it may have moved into another */
		}
	}
	return at + bytes <= r->end ? at : 0;
}

u64 boot_alloc(u64 bytes)
{
	bytes = (bytes + ARIL_PAGE_SIZE - 1) & ~(u64)(ARIL_PAGE_SIZE - 1);
	for (u32 i = 0; i < boot.nregions; i++) {
		u64 at;

		if (!boot.region[i].usable || boot.region[i].end <= cursor)
			continue;
		at = fit(&boot.region[i], cursor, bytes);
		if (!at)
			continue;
		if (!root_address && at + bytes > REACHABLE)
			break;
		cursor = at + bytes;
		extent_add(at, cursor);
		memset(phys(at), 0, bytes);
		return at;
	}
	panic("no memory for %lu KiB of the kernel's tables: give the machine more", bytes >> 10);
}

int boot_is_kernel(u64 address)
{
	if (address < ARIL_PAGE_SIZE || address - trampoline < ARIL_PAGE_SIZE)
		return 1;
	if (address >= image_address(kernel_start) && address < image_address(kernel_end))
		return 1;
	for (u32 i = 0; i < nextents; i++)
		if (address >= extent[i].start && address < extent[i].end)
			return 1;
	return 0;
}

/* The table below *entry, made if it is missing. */
static u64 *table_below(u64 *entry, u64 flags)
{
	if (!(*entry & PTE_P))
		*entry = boot_alloc(ARIL_PAGE_SIZE) | PTE_P | PTE_W | flags;
	return phys(*entry & PTE_ADDR);
}

/* What is exposed, and memory, which may change frame by frame (arch_alias_set), is mapped by pages of 4 KiB. */
static int is_small(u64 va, u64 flags)
{
	return flags & PTE_U || (va >> 39 & 511) < ARIL_PML4_INFO;
}

/* Maps [pa, pa + bytes) at va. flags: the leaf's. */
static void map(u64 va, u64 pa, u64 bytes, u64 flags)
{
	u64 user = flags & PTE_U;

	while (bytes) {
		u64 *upper = table_below(&root[va >> 39 & 511], user);
		u64 *entry = &table_below(&upper[va >> 30 & 511], user)[va >> 21 & 511];

		if (!((va | pa) & (LARGE - 1)) && bytes >= LARGE && !is_small(va, flags)) {
			*entry = pa | flags | PTE_P | PTE_PS;
			va += LARGE;
			pa += LARGE;
			bytes -= LARGE;
			continue;
		}
		u64 *table = table_below(entry, user);
		do {
			table[va >> 12 & 511] = pa | flags | PTE_P;
			va += ARIL_PAGE_SIZE;
			pa += ARIL_PAGE_SIZE;
			bytes -= ARIL_PAGE_SIZE;
		} while (bytes && va & (LARGE - 1));
	}
}

#define DATA (PTE_W | PTE_NX | PTE_G)
#define CONSTANT (PTE_NX | PTE_G)

/* All usable memory at PHYS_VA; the image's text and constants stay read-only there too. */
static void map_memory(void)
{
	u64 fixed = image_address(kernel_start), fixed_end = image_address(kernel_rodata_end);

	for (u32 i = 0; i < boot.nregions; i++) {
		u64 start = boot.region[i].start, end = boot.region[i].end;

		if (!boot.region[i].usable)
			continue;
		if (start < fixed_end && fixed < end) {
			if (start < fixed)
				map(ARIL_PHYS_VA + start, start, fixed - start, DATA);
			map(ARIL_PHYS_VA + fixed, fixed, fixed_end - fixed, CONSTANT);
			start = fixed_end;
		}
		if (start < end)
			map(ARIL_PHYS_VA + start, start, end - start, DATA);
	}
}

static void map_image(const u8 *start, const u8 *end, u64 flags)
{
	map((u64)start, image_address(start), end - start, flags);
}

/* CPU id's stacks, as stacks_set in cpu.c expects them. */
static void map_stacks(u32 id)
{
	u64 at = STACKS_VA + (u64)id * STACK_SLOT + ARIL_PAGE_SIZE;

	map(at, boot_alloc(STACK_BYTES), STACK_BYTES, DATA);
	at += STACK_BYTES;
	for (u32 ist = IST_DF; ist <= IST_DB; ist++) {
		at += ARIL_PAGE_SIZE;
		map(at, boot_alloc(IST_BYTES), IST_BYTES, DATA);
		at += IST_BYTES;
	}
}

/* The tables of the device window, all of them: later there is no memory to make one. */
static void make_device_tables(void)
{
	for (u64 va = ARIL_DEVICE_VA; va < ARIL_DEVICE_VA + DEVICE_BYTES; va += LARGE) {
		u64 *upper = table_below(&root[va >> 39 & 511], 0);

		table_below(&table_below(&upper[va >> 30 & 511], 0)[va >> 21 & 511], 0);
	}
}

static void find_trampoline(void)
{
	for (u32 i = 0; i < boot.nregions && !trampoline; i++) {
		const struct boot_region *r = &boot.region[i];

		for (u64 at = max(r->start, 0x8000ul);
		     r->usable && at + ARIL_PAGE_SIZE <= r->end && at < LOW_END && !trampoline;
		     at += ARIL_PAGE_SIZE)
			trampoline = fit(r, at, ARIL_PAGE_SIZE) == at ? at : 0;
	}
}

void memory_init(void)
{
	u64 at;

	cursor = max(0x100000ul, image_address(kernel_end));
	find_trampoline();
	at = boot_alloc(ARIL_PAGE_SIZE);
	root = phys(at);
	map_memory();
	map_image(kernel_start, kernel_text_end, PTE_G);
	map_image(kernel_text_end, kernel_rodata_end, CONSTANT);
	map_image(kernel_rodata_end, kernel_end, DATA);
	make_device_tables();
	table_below(&root[ARIL_PML4_INFO], PTE_U);
	for (u32 i = 0; i < boot.ncpus; i++) {
		map_stacks(i);
		areas[i] = phys(boot_alloc(sizeof(struct cpu_area)));
	}
	root_address = at;
	write_cr3(at);
}

u64 memory_trampoline(void)
{
	return trampoline;
}

struct cpu_area *memory_cpu_area(u32 id)
{
	return areas[id];
}

void arch_map_info(u64 offset, u64 physical, u64 bytes)
{
	bytes = (bytes + ARIL_PAGE_SIZE - 1) & ~(u64)(ARIL_PAGE_SIZE - 1);
	map(ARIL_INFO_VA + offset, physical, bytes, PTE_U | PTE_NX | PTE_G);
}

void *arch_map_device(u64 address, u64 bytes)
{
	u64 offset = address & (ARIL_PAGE_SIZE - 1);
	u64 start = address - offset;

	bytes = (bytes + offset + ARIL_PAGE_SIZE - 1) & ~(u64)(ARIL_PAGE_SIZE - 1);
	for (u32 i = 0; i < ndevices; i++)
		if (device[i].address <= start &&
		    start + bytes <= device[i].address + device[i].bytes)
			return (void *)(device[i].va + (start - device[i].address) + offset);
	if (!bytes || bytes > DEVICE_MAX || ndevices == DEVICES ||
	    device_next + bytes > ARIL_DEVICE_VA + DEVICE_BYTES)
		return NULL;
	for (u64 i = 0; i < bytes; i += ARIL_PAGE_SIZE) {
		u64 va = device_next + i;
		u64 *pd = table_below(&table_below(&root[va >> 39 & 511], 0)[va >> 30 & 511], 0);

		table_below(&pd[va >> 21 & 511], 0)[va >> 12 & 511] =
			(start + i) | PTE_P | PTE_W | PTE_NX | PTE_G | PTE_PCD | PTE_PWT;
	}
	device[ndevices].address = start;
	device[ndevices].bytes = bytes;
	device[ndevices++].va = device_next;
	device_next += bytes;
	return (void *)(device_next - bytes + offset);
}

/* The entry of a frame of memory at PHYS_VA; NULL: it has none. */
static u64 *alias_of(u32 frame)
{
	u64 va = ARIL_PHYS_VA + ((u64)frame << ARIL_PAGE_SHIFT);
	u64 *table = root;

	for (u32 shift = 39; shift > ARIL_PAGE_SHIFT; shift -= 9) {
		u64 entry = table[va >> shift & 511];

		if (!(entry & PTE_P))
			return NULL;
		table = phys(entry & PTE_ADDR);
	}
	return &table[va >> ARIL_PAGE_SHIFT & 511];
}

void arch_alias_set(u32 first, u32 count, u32 how)
{
	static const u64 flags[] = {
		[ARCH_ALIAS_DATA] = DATA,
		[ARCH_ALIAS_CONSTANT] = CONSTANT,
		[ARCH_ALIAS_TEXT] = PTE_G,
	};

	for (u32 frame = first; frame < first + count; frame++)
		write_once(*alias_of(frame), (u64)frame << ARIL_PAGE_SHIFT | flags[how] | PTE_P);
}

u32 arch_alias_get(u32 frame)
{
	const u64 *entry = alias_of(frame);

	if (!entry || (*entry & ~(PTE_A | PTE_D | PTE_W | PTE_NX)) !=
			      ((u64)frame << ARIL_PAGE_SHIFT | PTE_P | PTE_G))
		return ARCH_ALIAS_NONE;
	if (*entry & PTE_W)
		return *entry & PTE_NX ? ARCH_ALIAS_DATA : ARCH_ALIAS_NONE;
	return *entry & PTE_NX ? ARCH_ALIAS_CONSTANT : ARCH_ALIAS_TEXT;
}

const u64 *arch_kernel_entries(void)
{
	return root + 256;
}

u64 arch_kernel_cr3(void)
{
	return root_address;
}

int arch_space_plain(void)
{
	return !cpu_pcid;
}

void arch_load_space(u64 cr3)
{
	struct cpu *cpu = this_cpu();

	if (cpu->cr3 == cr3)
		return;
	if (!cpu_pcid) {
		cpu->cr3 = cr3;
		write_cr3(cr3);
		return;
	}
	__atomic_store_n(&cpu->cr3, cr3, __ATOMIC_SEQ_CST);
	write_cr3(pcid_load(&cpu->contexts, cr3, cr3 == root_address));
	info->cpu[cpu->id].context_reuses = cpu->contexts.reuses;
}

void memory_flush(void)
{
	struct cpu *cpu = this_cpu();

	write_cr3(cpu_pcid ? pcid_flush(&cpu->contexts, cpu->cr3) : cpu->cr3);
}

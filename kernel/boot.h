/* SPDX-License-Identifier: MIT
 * What the boot protocols (PVH, Multiboot2) and firmware tables tell, in one form. */
#ifndef KERNEL_BOOT_H
#define KERNEL_BOOT_H

#include <aril/info.h>

#define BOOT_REGIONS 64
struct boot_region {
	u64 start, end; /* bytes */
	u32 usable;
};
struct boot_info {
	const char *protocol; /* "pvh", "multiboot2" */
	char cmdline[1024];
	struct boot_region region[BOOT_REGIONS];
	u32 nregions;
	struct aril_module module[4];
	u32 nmodules;
	u64 rsdp;
	u64 start_tsc;
	u32 apic[ARIL_MAX_CPUS]; /* usable CPUs, the boot CPU first */
	u32 ncpus;
};
extern struct boot_info boot;

/* main.c, called by the arch with interrupts off on the boot CPU, physical memory mapped: the list of what
 * is started, in order. Does not return. */
_Noreturn void kernel_main(void);
/* Where the arch puts exposed tables: builds ARIL_INFO_VA mappings of these physical pages, read-only,
 * user. */
void arch_map_info(u64 offset, u64 physical, u64 bytes);
/* Early allocation of contiguous zeroed physical pages from usable memory (boot only); the frames are
 * marked KERNEL when the frame table is made. Panics when there is none. */
u64 boot_alloc(u64 bytes);
/* The range boot_alloc has used so far, and other memory the kernel keeps. */
int boot_is_kernel(u64 address);
extern struct aril_info *info; /* the exposed page, kernel alias */
/* The init image inside the kernel image. */
extern const u8 init_image_start[], init_image_end[];

/* arch stages called by kernel_main in order. */
void arch_interrupts_init(void); /* IDT, LAPIC, IOAPIC from ACPI */
void arch_time_init(void);	 /* calibrates the TSC, fills info->clock */
void arch_smp_init(void); /* starts the other CPUs: each runs cpu_started() then slice_next() */
void cpu_started(void);	  /* portable per-CPU start */

#endif

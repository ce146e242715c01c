/* SPDX-License-Identifier: MIT
 * Whether SMAP can be used. Libraries end an upcall by an IRETQ in user mode; QEMU's TCG before
 * 9.1 does that instruction's loads with the kernel's rights, so that under SMAP it faults on
 * every user stack. It is tried, not guessed from a version: where it works SMAP stays on. */
#include "x86.h"
#include "space.h"
#include "util.h"

#define PROBE_VA 0x400000ul
#define UNDEFINED 6
#define PAGE_FAULT 14

extern const u8 probe_code[], probe_frame[], probe_code_end[];
u32 probe_run(u64 rip, u64 rsp);
void probe_fault(void);
void probe_passed(void);

int probe_user_iret(void)
{
	u64 *root = phys(arch_kernel_cr3());
	u64 page = boot_alloc(4 * ARIL_PAGE_SIZE), flags = PTE_P | PTE_W | PTE_U;

	memcpy(phys(page), probe_code, probe_code_end - probe_code);
	((u64 *)phys(page + 0x1000))[PROBE_VA >> 12 & 511] = page | flags;
	((u64 *)phys(page + 0x2000))[PROBE_VA >> 21 & 511] = (page + 0x1000) | flags;
	((u64 *)phys(page + 0x3000))[PROBE_VA >> 30 & 511] = (page + 0x2000) | flags;
	root[0] = (page + 0x3000) | flags;
	trap_set(PAGE_FAULT, probe_fault);
	trap_set(UNDEFINED, probe_passed);
	u32 vector = probe_run(PROBE_VA, PROBE_VA + (probe_frame - probe_code));
	root[0] = 0;
	write_cr3(arch_kernel_cr3());
	trap_init();
	return vector == UNDEFINED;
}

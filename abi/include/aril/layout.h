/* SPDX-License-Identifier: MIT
 * The address map, one picture for both sides.
 *
 *   from                    what                                        kernel   user
 *   0000_0000_0000_0000     user space; the last page stays unmapped      -      as bound
 *   0000_7fff_ffff_f000     end of user space
 *   ffff_8000_0000_0000     all physical memory, frame by frame          RW       -
 *   ffff_c000_0000_0000     exposed: info page, cpu, frame, env,         RW*      R
 *                           slice tables (*: the kernel writes through
 *                           the physical alias)
 *   ffff_e000_0000_0000     device memory the kernel drives itself       RW       -
 *   ffff_ff00_0000_0000     the space's own page tables, as pages:        R       R (user half)
 *                           the word for va is at SELF + (va>>12)*8
 *   ffff_ffff_8000_0000     kernel image, stacks with guard pages        W^X      -
 */
#ifndef ARIL_LAYOUT_H
#define ARIL_LAYOUT_H

#define ARIL_PAGE_SHIFT 12
#define ARIL_PAGE_SIZE 4096

/* Exclusive. The page below the hole stays unmapped so that no `syscall` can end exactly at the
 * canonical boundary: SYSRET to it would fault in ring 0 (Intel SDM vol. 2B, SYSRET). */
#define ARIL_USER_TOP 0x00007ffffffff000

#define ARIL_PHYS_VA 0xffff800000000000
#define ARIL_INFO_VA 0xffffc00000000000
#define ARIL_DEVICE_VA 0xffffe00000000000
#define ARIL_SELF_VA 0xffffff0000000000
#define ARIL_KERNEL_VA 0xffffffff80000000

#define ARIL_PML4_PHYS 256
#define ARIL_PML4_INFO 384
#define ARIL_PML4_DEVICE 448
#define ARIL_PML4_SELF 510
#define ARIL_PML4_KERNEL 511

#define ARIL_MAX_CPUS 16
#define ARIL_MAX_ENVS 1024
#define ARIL_MAX_FRAMES (1u << 23) /* 32 GiB: a binding is named by frame << 9 | index in 32 bits */
#define ARIL_SLICES 64		   /* positions in each CPU's vector */
#define ARIL_AUTHS 16		   /* capabilities an env can have open */

#endif

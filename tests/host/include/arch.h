/* SPDX-License-Identifier: MIT
 * The machine, as the unit tests of the portable kernel see it: found before the real arch.h. */
#ifndef KERNEL_ARCH_H
#define KERNEL_ARCH_H

#include <aril/layout.h>
#include <aril/types.h>

struct env;
struct context;
struct trap_frame;

struct cpu {
	struct context *ctx;
	struct env *env;
	u32 id;
};

extern u32 ncpus;

struct cpu *this_cpu(void);
void *phys(u64 address);
const u64 *arch_kernel_entries(void);
int copy_from_user(void *to, const void *from, u64 bytes);
int copy_to_user(void *to, const void *from, u64 bytes);
void smp_flush_all(void);
void smp_quiesce(void);
void smp_poll(void);
u64 arch_random(int *ok);

#endif

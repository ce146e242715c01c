/* SPDX-License-Identifier: MIT
 * The machine, as the unit tests of the portable kernel see it: found before the real arch.h. */
#ifndef KERNEL_ARCH_H
#define KERNEL_ARCH_H

#include <aril/layout.h>
#include <aril/types.h>
#include "permit.h"

struct env;
struct context;
struct code_run;

struct trap_frame {
	u64 r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
	u64 vector, error;
	u64 rip, cs, rflags, rsp, ss;
};

struct cpu {
	struct context *ctx;
	struct env *env;
	u32 id;
	struct code_run *run;
	u32 ports_of;
	u64 slice_end;
	u32 kicked;
	struct context *timers;
	u32 position, owner, warned;
	u64 grace_end;
	struct space_permit permit;
	const struct trap_frame *interrupted;
};

extern u32 ncpus;
extern struct cpu *cpus[ARIL_MAX_CPUS];

struct cpu *this_cpu(void);
static inline struct code_run *cpu_run(void)
{
	return this_cpu()->run;
}
void *phys(u64 address);
const u64 *arch_kernel_entries(void);
int copy_from_user(void *to, const void *from, u64 bytes);
int copy_to_user(void *to, const void *from, u64 bytes);
void smp_flush_all(void);
void smp_flush_kernel(void);
enum { ARCH_ALIAS_DATA, ARCH_ALIAS_CONSTANT, ARCH_ALIAS_TEXT, ARCH_ALIAS_NONE };
void arch_alias_set(u32 first, u32 count, u32 how);
u32 arch_alias_get(u32 frame);
void smp_flush_space(u32 root);
void arch_flush_page(u64 va);
void smp_space_new(u32 root);
void smp_quiesce(void);
void smp_poll(void);
extern const u8 arch_event_handler[], arch_event_guard[], arch_event_guard_kept[], arch_event_end[];
u64 arch_random(int *ok);

static inline int arch_space_plain(void)
{
	return 1;
}

/* The test of the file that uses these defines them. */
u64 time_now(void);
struct aril_forced;
void arch_pass_registers(struct aril_forced *to, const struct trap_frame *frame);
void smp_kick(u32 cpu);
void timer_set(u64 ns);
void arch_load_space(u64 cr3);
u64 arch_kernel_cr3(void);
void arch_clear_registers(void);
u64 arch_keys_open(void);
void arch_save_forced(struct aril_forced *to, const struct trap_frame *frame);
int arch_load_forced(const struct aril_forced *from, struct trap_frame *frame);
_Noreturn void arch_enter_user(u64 rip, u64 rsp);
_Noreturn void arch_return_frame(struct trap_frame *frame);
void arch_idle(void);
void *arch_map_device(u64 address, u64 bytes);
void arch_load_ports(const struct env *env);
u32 arch_isa_line(u32 isa, u32 *flags);
int arch_ports_whole(u32 first, u32 count);
int arch_memory_whole(u32 first, u32 count);
int arch_line_route(u32 gsi, u32 vector, u32 cpu, u32 flags);
void arch_line_mask(u32 gsi, int masked);
#define ARCH_VECTOR_LINES 0x40
#define ARCH_VECTOR_DEVICES 0x80

#endif

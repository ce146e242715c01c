/* SPDX-License-Identifier: MIT
 * Where every exception, interrupt and foreign system call goes. Interrupts arrive in user mode or
 * in arch_idle, nowhere else: the kernel runs with interrupts off. */
#include "x86.h"
#include "cache.h"
#include "code.h"
#include "code_functions.h"
#include "frame.h"
#include "grant.h"
#include "lock.h"
#include "ring.h"
#include "slice.h"
#include "util.h"
#include <aril/calls.h>
#include <aril/error.h>
#include <aril/ops.h>

_Static_assert(ARIL_E_CALL == 1 && ARIL_GATE_SYNC == 1, "entry.S");
_Static_assert(sizeof(struct trap_frame) == 176, "entry.S");
_Static_assert(__builtin_offsetof(struct trap_frame, rip) == 136, "entry.S");
_Static_assert(__builtin_offsetof(struct trap_frame, vector) == 120, "entry.S");
_Static_assert(__builtin_offsetof(struct cpu, ctx) == 24, "entry.S");
_Static_assert(__builtin_offsetof(struct context, page) == 0, "entry.S");
_Static_assert(__builtin_offsetof(struct context, va) == 8, "entry.S");
_Static_assert(__builtin_offsetof(struct context, env) == 16, "entry.S");
_Static_assert(__builtin_offsetof(struct env, entry) == 0, "entry.S");
_Static_assert(__builtin_offsetof(struct env, info) == 16, "entry.S");
_Static_assert(__builtin_offsetof(struct env, root) == 24, "entry.S");
_Static_assert(__builtin_offsetof(struct cpu, env) == 32, "entry.S");
_Static_assert(__builtin_offsetof(struct cpu, cr3) == 56, "entry.S");
_Static_assert(__builtin_offsetof(struct cpu, grace_end) == 64, "entry.S");
_Static_assert(__builtin_offsetof(struct cpu, book) == 72, "entry.S");
_Static_assert(__builtin_offsetof(struct context, state) == 24, "entry.S");
_Static_assert(__builtin_offsetof(struct context, donee) == 28, "entry.S");
_Static_assert(__builtin_offsetof(struct context, gate) == 32, "entry.S");
_Static_assert(__builtin_offsetof(struct context, yield) == 56, "entry.S");
_Static_assert(__builtin_offsetof(struct context, start_cause) == 80, "entry.S");
_Static_assert(__builtin_offsetof(struct context, spare) == 84, "entry.S");
_Static_assert(__builtin_offsetof(struct context, top) == 88, "entry.S");
_Static_assert(__builtin_offsetof(struct context, save) == 96, "entry.S");
_Static_assert(__builtin_offsetof(struct context, strikes) == 104, "entry.S");
_Static_assert(__builtin_offsetof(struct cpu, short_rcx) == 80, "entry.S");
_Static_assert(__builtin_offsetof(struct cpu, short_r11) == 88, "entry.S");
_Static_assert(__builtin_offsetof(struct cpu, permit) == 96, "entry.S");
_Static_assert(ARIL_CTX_FORCED == ARIL_CTX_GATE_OPEN + 4, "short.S reads both");
_Static_assert(__builtin_offsetof(struct space_permit, epoch) == 8, "entry.S");
_Static_assert(__builtin_offsetof(struct space_permit, to) == 16, "entry.S");
_Static_assert(__builtin_offsetof(struct space_permit, region) == 24, "entry.S");
_Static_assert(__builtin_offsetof(struct space_permit, entries) == 32, "entry.S");
_Static_assert(REGION_SHIFT == 21, "protect.S");
_Static_assert(__builtin_offsetof(struct permit, epoch) == 8, "entry.S");
_Static_assert(__builtin_offsetof(struct permit, to) == 16, "entry.S");
_Static_assert(__builtin_offsetof(struct env, gate) == 8, "entry.S");
_Static_assert(__builtin_offsetof(struct env, cr3) == 32, "entry.S");
_Static_assert(__builtin_offsetof(struct env, id) == 40, "entry.S");
_Static_assert(__builtin_offsetof(struct env, fault) == 48, "entry.S");
_Static_assert(__builtin_offsetof(struct cpu, run) == 224, "handler.S");
_Static_assert(__builtin_offsetof(struct cpu, counts) == 232, "handler.S");
_Static_assert(__builtin_offsetof(struct cpu, again) == 240, "entry.S");
_Static_assert(__builtin_offsetof(struct ext_run, budget) == 0, "handler.S");
_Static_assert(__builtin_offsetof(struct ext_run, stopped) == 8, "handler.S");
_Static_assert(__builtin_offsetof(struct ext_run, env[RUN_USE]) == 32, "handler.S");
_Static_assert(__builtin_offsetof(struct aril_code_counts, runs) == 0, "handler.S");
_Static_assert(__builtin_offsetof(struct aril_code_counts, stops) == 8, "handler.S");
_Static_assert(__builtin_offsetof(struct aril_code_counts, left) == 16, "handler.S");
_Static_assert(__builtin_offsetof(struct aril_code_slot, next) == 32, "handler.S");
_Static_assert(__builtin_offsetof(struct aril_code_slot, count) == 48, "handler.S");
_Static_assert(__builtin_offsetof(struct aril_code_slot, allowance) == 64, "handler.S");
_Static_assert(__builtin_offsetof(struct aril_code_slot, run) == 24, "handler.S");
_Static_assert(__builtin_offsetof(struct aril_code_slot, enter) == 72, "handler.S");
_Static_assert(ARIL_FAULT_RESUME == 1, "handler.S");
_Static_assert(__builtin_offsetof(struct aril_cpu_info, switches) == 16, "entry.S");
_Static_assert(__builtin_offsetof(struct aril_cpu_info, env) == 32, "entry.S");
_Static_assert(CTX_READY == 1 && CTX_RUNNING == 2, "entry.S");
_Static_assert(__builtin_offsetof(struct aril_env_info, upcalls) == 64, "entry.S");
_Static_assert(__builtin_offsetof(struct aril_frame, flags) == 10, "entry.S");
_Static_assert(ARIL_FRAME_CACHED == 32, "entry.S");

struct gate {
	u16 offset0, selector;
	u8 ist, type;
	u16 offset1;
	u32 offset2, zero;
};

#define GATE_KERNEL 0x8e
#define GATE_USER 0xee
#define NMI 2
#define PAGE_FAULT 14

static struct gate idt[256];
extern const u8 vector_stubs[];
extern const struct {
	u64 at, to;
} extable_start[], extable_end[];
void trap_paranoid(struct trap_frame *frame);
void idle_until_interrupt(void);
void entry_page_fault(void);
void entry_page_fault_keyed(void);
void fault_page_upcall_keyed(void);
void fault_other_upcall_keyed(void);
void yield_keyed(void);
void gate_keyed(void);
extern const u8 vector_stubs_keyed[];
extern void (*entry_table[])(void);
extern void (*fault_page_upcall_to)(void), (*fault_other_upcall_to)(void);
void syscall_again(void);

static void gate_set(u32 vector, u64 handler)
{
	static const u8 ist[32] = {[1] = IST_DB, [2] = IST_NMI, [8] = IST_DF, [18] = IST_MC};

	idt[vector] = (struct gate){
		.offset0 = handler,
		.offset1 = handler >> 16,
		.offset2 = handler >> 32,
		.selector = KERNEL_CS,
		.ist = vector < 32 ? ist[vector] : 0,
		.type = vector == 3 || vector == 4 ? GATE_USER : GATE_KERNEL,
	};
}

void trap_init(void)
{
	for (u32 i = 0; i < 256; i++)
		gate_set(i, (u64)vector_stubs + i * 16);
	for (u32 i = 0; i < 32 && cpu_keys; i++)
		gate_set(i, (u64)vector_stubs_keyed + i * 16);
	gate_set(PAGE_FAULT, (u64)(cpu_keys ? entry_page_fault_keyed : entry_page_fault));
}

void trap_keys(void)
{
	entry_table[ARIL_CALL_YIELD_INDEX] = yield_keyed;
	entry_table[ARIL_CALL_GATE_INDEX] = gate_keyed;
	fault_page_upcall_to = fault_page_upcall_keyed;
	fault_other_upcall_to = fault_other_upcall_keyed;
	trap_init();
}

void trap_set(u32 vector, void (*handler)(void))
{
	gate_set(vector, (u64)handler);
}

void trap_load(void)
{
	struct __attribute__((packed)) {
		u16 limit;
		u64 base;
	} pointer = {sizeof(idt) - 1, (u64)idt};

	__asm__ volatile("lidt %0" ::"m"(pointer));
}

u64 extable_find(u64 rip)
{
	for (u32 i = 0; &extable_start[i] < extable_end; i++)
		if (extable_start[i].at == rip)
			return extable_start[i].to;
	return 0;
}

/* frame: NULL when the CPU was idle. May not return: a slice may end. */
static void interrupt(u64 vector, struct trap_frame *frame)
{
	struct cpu *cpu = this_cpu();

	info->cpu[cpu->id].interrupts++;
	if (vector == VECTOR_TIMER) {
		cpu->timer_at = 0;
		lapic_eoi();
		slice_timer(frame);
	} else if (vector == VECTOR_IPI) {
		lapic_eoi();
		smp_poll();
	} else if (vector >= ARCH_VECTOR_DEVICES && vector < ARCH_VECTOR_DEVICES + 16) {
		ring_interrupt(vector - ARCH_VECTOR_DEVICES);
		lapic_eoi();
	} else if (vector >= ARCH_VECTOR_LINES && vector < ARCH_VECTOR_LINES + 64) {
		grant_interrupt(vector - ARCH_VECTOR_LINES);
		lapic_eoi();
	}
	/* else spurious: nothing is in service */
}

/* Called by entry.S for an exception from user mode that only the library can deal with. */
void trap_upcall(struct trap_frame *frame)
{
	upcall_exception(frame, frame->vector == PAGE_FAULT ? read_cr2() : 0);
}

/* Called by entry.S for all but NMI, #DF and #MC, and what went the short way (upcall_short). */
void trap_dispatch(struct trap_frame *frame)
{
	u64 vector = frame->vector;

	if (frame->cs & 3) {
		if (vector < 32 || vector == ARIL_VECTOR_SYSCALL) {
			if (vector == PAGE_FAULT &&
			    this_cpu()->env->root->flags & ARIL_FRAME_CACHED &&
			    cache_fault(read_cr2(), frame->error))
				return;
			if (vector < 32 && this_cpu()->env->fault &&
			    code_fault(frame, vector == PAGE_FAULT ? read_cr2() : 0))
				return;
			trap_upcall(frame);
			return;
		}
		this_cpu()->interrupted = frame;
		interrupt(vector, frame);
		this_cpu()->interrupted = NULL;
		upcall_deliver_pending(frame);
		return;
	}
	if (vector < 32) {
		u64 fixup = extable_find(frame->rip);

		if (!fixup)
			panic_frame(frame);
		frame->rip = fixup;
		return;
	}
	/* A request that saw this CPU asleep sent no interrupt, but waits from now on: it is served here. */
	__atomic_exchange_n(&this_cpu()->halted, 0, __ATOMIC_SEQ_CST);
	smp_poll();
	interrupt(vector, NULL);
}

/* Where entry.S called the handler from, behind rcx and r11 on the empty stack, is the third word. */
void arch_call_again(const u64 call[7])
{
	struct cpu *cpu = this_cpu();

	for (u32 i = 0; i < 7; i++)
		cpu->again[i] = call[i];
	((u64 *)cpu->kernel_rsp)[-3] = (u64)syscall_again;
}

/* On a stack of its own, from kernel or user mode. An NMI is how a panicking CPU stops the others;
 * #DB comes here only from the kernel (see entry.S) and means nothing; the rest is the end. */
void trap_paranoid(struct trap_frame *frame)
{
	if (frame->vector == NMI) {
		while (panic_running())
			__asm__ volatile("cli; hlt");
		return;
	}
	if (frame->vector == 1) {
		frame->rflags &= ~0x100ul;
		return;
	}
	panic_frame(frame);
}

void arch_idle(void)
{
	struct cpu *cpu = this_cpu();

	/* Others count on it: from here to the next interrupt this CPU uses nothing of theirs. */
	__atomic_exchange_n(&cpu->halted, 1, __ATOMIC_SEQ_CST);
	idle_until_interrupt();
	__atomic_exchange_n(&cpu->halted, 0, __ATOMIC_SEQ_CST);
}

/* SPDX-License-Identifier: MIT
 * What the portable kernel asks of the machine. A port supplies this header's functions. */
#ifndef KERNEL_ARCH_H
#define KERNEL_ARCH_H

#include <aril/layout.h>
#include <aril/types.h>
#include "pcid.h"
#include "permit.h"

struct env;
struct context;
struct aril_cpu_info;
struct code_run;

/* What an entry from user mode leaves on the CPU's kernel stack. Interrupt and exception entries fill all;
 * the order is that of entry.S. */
struct trap_frame {
	u64 r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
	u64 vector, error;
	u64 rip, cs, rflags, rsp, ss;
};

/* One per CPU, found by GS in the kernel. The first words are known to entry.S. */
struct cpu {
	struct cpu *self;    /* 0 */
	u64 kernel_rsp;	     /* 8: top of this CPU's kernel stack */
	u64 user_rsp;	     /* 16: scratch of the syscall entry */
	struct context *ctx; /* 24: whose registers are on the CPU; NULL: none (idle) */
	struct env *env;     /* 32: ctx->env */
	u64 slice_end;	     /* 40: ns; 0: no slice runs */
	u32 id;		     /* 48 */
	u32 apic;
	u64 cr3;		    /* 56: loaded now */
	u64 grace_end;		    /* 64: ns; 0: END was not delivered yet */
	struct aril_cpu_info *book; /* 72: what is exposed of it */
	u64 short_rcx, short_r11;   /* 80, 88: scratch of the gate entry */
	struct space_permit permit; /* 96: what its context was allowed last */
	struct code_run *run;	    /* 224: what downloaded code finds here */
	u64 counts;		    /* 232: where this CPU's counts are in a book of code */
	u64 again[7]; /* 240: six arguments and the number of a call that is to be made again */
	/* The program's registers while this CPU is in an interrupt that came from it; NULL: not in one */
	const struct trap_frame *interrupted;
	u32 position;	  /* in the slice vector */
	u32 kicked;	  /* another CPU made something runnable here, or this env must be left */
	u32 ports_of;	  /* env id whose ports the I/O bitmap holds; 0: none */
	u64 quiesce_seen; /* last global quiesce number this CPU acknowledged */
	u64 flush_seen;
	u64 kernel_seen; /* last change of the kernel's half whose translations were flushed here */
	/* blocked contexts with deadlines, earliest first; under wait_lock */
	struct context *timers;
	u32 owner;    /* env whose slice this is */
	u32 warned;   /* env that ran when the slice was over, with the whole grace to leave in */
	u64 timer_at; /* ns: what the timer is armed for, or earlier than that; 0: off */
	u32 halted;   /* asleep, on the kernel's space: holds no reference, needs no flush before
				   it loads another space */
	struct pcid_slots contexts; /* where the CPU has context ids */
};
_Static_assert(__builtin_offsetof(struct cpu, kernel_rsp) == 8, "entry.S");
_Static_assert(__builtin_offsetof(struct cpu, user_rsp) == 16, "entry.S");

extern struct cpu *cpus[ARIL_MAX_CPUS];
extern u32 ncpus;

static inline struct cpu *this_cpu(void)
{
	struct cpu *c;
	__asm__ volatile("movq %%gs:0, %0" : "=r"(c));
	return c;
}

/* this_cpu()->run */
static inline struct code_run *cpu_run(void)
{
	struct code_run *run;
	__asm__ volatile("movq %%gs:%c1, %0"
			 : "=r"(run)
			 : "i"(__builtin_offsetof(struct cpu, run)));
	return run;
}

/* Memory. */
static inline void *phys(u64 address)
{
	return (void *)(ARIL_PHYS_VA + address);
}
/* Maps device registers for the kernel's own use, uncached; bytes up to 1 MiB. Boot and device_open
 * only. NULL if the window is used up. */
void *arch_map_device(u64 address, u64 bytes);
/* The program makes its call again: six arguments, and what eax was. From a call's handler, which then returns. */
void arch_call_again(const u64 call[7]);
/* Upper-half entries (256..511) for a new root; index 510 is set by the caller. */
const u64 *arch_kernel_entries(void);
/* The kernel's own root, to run on while no env does. */
u64 arch_kernel_cr3(void);
/* Whether loading a space is one write of cr3: without context ids. */
int arch_space_plain(void);
/* Removes what this CPU may remember of one page of the space it is on. */
static inline void arch_flush_page(u64 va)
{
	__asm__ volatile("invlpg (%0)" ::"r"(va) : "memory");
}
/* Loads cr3 on this CPU if it differs. */
void arch_load_space(u64 cr3);

/* How the kernel sees frames of memory at PHYS_VA: written; read; read and executed. The caller flushes
 * (smp_flush_kernel). ALIAS_NONE: in no such way. */
enum { ARCH_ALIAS_DATA, ARCH_ALIAS_CONSTANT, ARCH_ALIAS_TEXT, ARCH_ALIAS_NONE };
void arch_alias_set(u32 first, u32 count, u32 how);
u32 arch_alias_get(u32 frame);

/* How the kernel goes on at a node of an event (code_event.c): the field `enter` of one that is a handler, a guard, a guard
 * that keeps its arguments, the end. */
extern const u8 arch_event_handler[], arch_event_guard[], arch_event_guard_kept[], arch_event_end[];

/* User memory. 0, or -1 where any byte is not user space or not accessible. Never trusts: SMAP stays on
 * except in the copy itself. */
int copy_from_user(void *to, const void *from, u64 bytes);
int copy_to_user(void *to, const void *from, u64 bytes);

/* Time. */
u64 time_now(void);	/* ns since boot, of the exposed clock */
void timer_set(u64 ns); /* this CPU's timer at an absolute time; 0: off */

/* Cross-CPU. */
/* Removes stale translations everywhere before it returns: this CPU and every other. Serves others'
 * requests while it waits. */
void smp_flush_all(void);
/* The same, translations of the kernel's half included: after arch_alias_set. */
void smp_flush_kernel(void);
/* The same for translations that only this space can have led to: its tables on the way are in no other. */
void smp_flush_space(u32 root);
/* A frame becomes a root: no CPU may use what it knows of a space that had this root before. */
void smp_space_new(u32 root);
/* Waits until every other CPU has passed a point where it holds no lock-free reference; CPUs that run a
 * dying env have left it. */
void smp_quiesce(void);
/* Makes another CPU look at its run state (an env there became runnable or must be left). */
void smp_kick(u32 cpu);
void smp_poll(void);

/* Entering user mode; none of these return. */
_Noreturn void arch_enter_user(u64 rip, u64 rsp); /* rflags 0x202, all else zero but rcx, r11 */
_Noreturn void arch_return_frame(struct trap_frame *frame); /* exactly this */
/* Clears vector state, FS and GS bases, PKRU. */
void arch_clear_registers(void);
/* For an upcall: what PKRU was; it is 0 then. 0 where the machine has no keys. */
u64 arch_keys_open(void);
struct aril_forced;
/* Saves frame's registers and vector state, FS/GS bases. */
void arch_save_forced(struct aril_forced *to, const struct trap_frame *frame);
/* Loads them, checked. -1 if the library made them invalid. Fills frame. */
int arch_load_forced(const struct aril_forced *from, struct trap_frame *frame);
/* The general registers of frame, and nothing else of it or of the CPU: vector state and bases are initial. */
void arch_pass_registers(struct aril_forced *to, const struct trap_frame *frame);
/* The I/O bitmap of this CPU for env's ports (none if it has none); always filled anew, ports_of set. A CPU
 * that acknowledges a quiesce does it too, where it has an env and either that env or the bitmap has ports:
 * so a change of an env's ports is in force everywhere after smp_quiesce (grant.c). */
void arch_load_ports(const struct env *env);
/* Sleeps with interrupts on until one came; returns with them off. */
void arch_idle(void);
/* Runs fn on the CPU's own empty stack. */
_Noreturn void arch_on_kernel_stack(void (*fn)(void));

/* Interrupt lines. gsi: global system interrupt. vector: arch_line_vector(grant). */
u32 arch_isa_line(u32 isa, u32 *flags); /* overrides from the firmware's tables */
int arch_line_route(u32 gsi, u32 vector, u32 cpu, u32 flags); /* masked; -1: no such line */
void arch_line_mask(u32 gsi, int masked);
#define ARCH_VECTOR_LINES 0x40	 /* + grant number 0..63 */
#define ARCH_VECTOR_DEVICES 0x80 /* + device number 0..15 */

/* Whether any of these ports, of these frames of device memory, reaches the whole machine: configuration of buses,
 * interrupt controllers, transfers to any memory, reset and power, the emulator's end. */
int arch_ports_whole(u32 first, u32 count);
int arch_memory_whole(u32 first, u32 count);
u64 arch_random(int *ok);
_Noreturn void arch_end(u32 status);

#endif

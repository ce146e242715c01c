/* SPDX-License-Identifier: MIT
 * What happens at each way into ExOS: system calls, faults, slice ends, and the start of a thread. */
#include "linux.h"
#include "mm_internal.h"
#include "pressure.h"
#include "proc.h"
#include "proc_internal.h"
#include "rescue.h"
#include "rewrite.h"
#include "sched.h"
#include "switch.h"
#include "syscalls.h"
#include "usermem.h"
#include <aril/info.h>
#include <aril_stubs.h>
#include <core/domain.h>

ARIL_ASSERT_OFFSET(struct thread, stack_top, THREAD_STACK_TOP);
ARIL_ASSERT_OFFSET(struct thread, scratch, THREAD_SCRATCH);
ARIL_ASSERT_OFFSET(struct thread, regs, THREAD_REGS);
ARIL_ASSERT_OFFSET(struct thread, switch_rsp, THREAD_SWITCH_RSP);
ARIL_ASSERT_OFFSET(struct thread, fs_base, THREAD_FS_BASE);
ARIL_ASSERT_OFFSET(struct thread, xsave, THREAD_XSAVE);
ARIL_ASSERT_OFFSET(struct user_regs, r11, REGS_R11);
ARIL_ASSERT_OFFSET(struct user_regs, rcx, REGS_RCX);
ARIL_ASSERT_OFFSET(struct user_regs, rip, REGS_RIP);
ARIL_ASSERT_OFFSET(struct user_regs, rflags, REGS_RFLAGS);
ARIL_ASSERT_SIZE(struct user_regs, REGS_BYTES);
ARIL_ASSERT_OFFSET(struct user_regs, orig_rax, REGS_ORIG_RAX);
ARIL_ASSERT_OFFSET(struct user_regs, rdi, REGS_RDI);
ARIL_ASSERT_OFFSET(struct user_regs, rax, REGS_RAX);
ARIL_ASSERT_OFFSET(struct user_regs, r10, REGS_R10);
ARIL_ASSERT_OFFSET(struct user_regs, rbx, REGS_RBX);
ARIL_ASSERT_OFFSET(struct thread, proc, THREAD_PROC);
ARIL_ASSERT_OFFSET(struct thread, tid, THREAD_TID);
ARIL_ASSERT_OFFSET(struct thread, sig_mask, THREAD_SIG_MASK);
ARIL_ASSERT_OFFSET(struct thread, pending, THREAD_PENDING);
ARIL_ASSERT_OFFSET(struct thread, sig_restore_mask, THREAD_SIG_RESTORE);
ARIL_ASSERT_OFFSET(struct thread, robust_list, THREAD_ROBUST);
ARIL_ASSERT_OFFSET(struct proc, pending, PROC_PENDING);
ARIL_ASSERT_OFFSET(struct family, realtime_offset, FAMILY_REALTIME);
ARIL_ASSERT_OFFSET(struct aril_info, clock, INFO_CLOCK);
ARIL_ASSERT_OFFSET(struct aril_clock, seq, CLOCK_SEQ);
ARIL_ASSERT_OFFSET(struct aril_clock, shift, CLOCK_SHIFT);
ARIL_ASSERT_OFFSET(struct aril_clock, mult, CLOCK_MULT);
ARIL_ASSERT_OFFSET(struct aril_clock, tsc0, CLOCK_TSC0);
ARIL_ASSERT_OFFSET(struct aril_clock, ns0, CLOCK_NS0);
_Static_assert(RESTART_FIRST == ERESTARTSYS && RESTART_LAST == ERESTART_RESTARTBLOCK, "entry.S");
_Static_assert(MASK_UNBLOCKABLE == SIG_UNBLOCKABLE, "entry.S");
_Static_assert(ENTRY_PROGRAM_TOP == PROGRAM_TOP && ENTRY_SYSCALL_MAX == SYSCALL_MAX, "entry.S");

ARIL_ASSERT_OFFSET(struct cpu, current, CPU_CURRENT);
ARIL_ASSERT_OFFSET(struct cpu, last, CPU_LAST);
ARIL_ASSERT_OFFSET(struct cpu, expects, CPU_EXPECTS);
ARIL_ASSERT_SIZE(struct cpu, 1 << CPU_SHIFT);
ARIL_ASSERT_OFFSET(struct lock_state, word, LOCK_WORD);
ARIL_ASSERT_OFFSET(struct lock_state, owner, LOCK_OWNER);
_Static_assert(LOCK_TAKEN == 1, "switch.S");

#define VECTOR_BREAKPOINT 3
#define VECTOR_INVALID 6
#define VECTOR_PAGE 14
#define VECTOR_ALIGNMENT 17
#define FLAGS_ALIGNMENT 0x40000ul

static __attribute__((noinline)) void fault_resolve(struct user_regs *regs, u64 addr, u64 error)
{
	struct thread *t = current();
	struct siginfo_k info = {.addr = addr};

	family_lock();
	info.signo = mm_fault(addr, error, &info.code);
	if (info.signo == FAULT_LATER) {
		sched_yield_now();
	} else if (info.signo) {
		t->fault_addr = addr;
		t->fault_error = error;
		t->fault_vector = VECTOR_PAGE;
		if (error & FAULT_KEY) /* the guard */
			info.code = SEGV_PKUERR;
		if (info.code == SEGV_PKUERR || !signal_enter(regs, &info, 1))
			signal_force(info.signo, &info);
	}
	family_unlock();
}

/* What the program's own protection forbids, and nobody else can change, needs no lock. */
static __attribute__((noinline)) void program_fault(struct user_regs *regs, u64 addr, u64 error)
{
	struct thread *t = current();
	struct proc *p = t->proc;

	const struct area *area = NULL;

	if (addr < PROGRAM_TOP && signal_alone(p) && p->mm->refs == 1) {
		area = p->mm->seen;
		if (!area || addr < area->start || addr >= area->end)
			area = mm_find(p->mm, addr);
	}
	if (!area || area_allows(area, error)) {
		fault_resolve(regs, addr, error);
		return;
	}
	struct siginfo_k info; /* each field by itself, so that nothing is written twice */
	info.signo = SIGSEGV;
	info.errnum = 0;
	info.code = SEGV_ACCERR;
	info.pad = 0;
	info.addr = addr;
	info.value = 0;
	t->fault_addr = addr;
	t->fault_error = error;
	t->fault_vector = VECTOR_PAGE;
	if (!signal_enter(regs, &info, 0))
		fault_resolve(regs, addr, error);
}

/* A byte of the program's text; 0 where it cannot be read. */
static u8 program_byte(u64 at)
{
	u32 byte;

	if (at >= PROGRAM_TOP)
		return 0;
	asm goto("1: movzbl (%1), %0\n" USER_FAULT("1b", "fault") : "=r"(byte) : "r"(at) : : fault);
	return (u8)byte;
fault:
	return 0;
}

/* Whether the exception came of how calls are rewritten: then rip is where the program goes on. */
static int trap_is_ours(struct user_regs *regs, u64 vector)
{
	const struct mm *mm = current()->proc->mm;

	/* a step within a stub: there is nothing to be seen, and what is shown would begin anew */
	if (vector == ENTRY_VECTOR_DEBUG && regs->rip - mm->stubs_low < mm->stubs_span)
		return 1;
	if (vector != VECTOR_BREAKPOINT && (vector != VECTOR_INVALID || !mm->bare[0].page ||
					    !rewrite_traps(program_byte(regs->rip))))
		return 0;
	family_lock();
	int ours = (vector == VECTOR_BREAKPOINT && rewrite_breakpoint(regs)) ||
		   rewrite_moved(regs, vector);
	family_unlock();
	return ours;
}

static __attribute__((noinline)) void trap_other(struct user_regs *regs, u64 vector, u64 error,
						 u64 addr)
{
	if (vector == ARIL_VECTOR_END)
		__atomic_or_fetch(&this_context()->pending, ARIL_PEND_END, __ATOMIC_SEQ_CST);
	else if (vector != ARIL_VECTOR_EVENT && !trap_is_ours(regs, vector))
		program_exception(vector, error, addr, regs);
}

/* The program was interrupted. */
void exos_trap(struct user_regs *regs, u64 vector, u64 error, u64 addr)
{
	if (vector == VECTOR_PAGE)
		program_fault(regs, addr, error);
	else
		trap_other(regs, vector, error, addr);
}

/* ExOS's own code faulted: on the program's memory, or it is wrong. */
void exos_nested(struct user_regs *regs, u64 vector, u64 error, u64 addr)
{
	if (vector == VECTOR_PAGE &&
	    error & FAULT_KEY) /* the program had closed all; the upcall has opened it */
		return;
	if (vector == VECTOR_PAGE && addr < PROGRAM_TOP) {
		int code;

		family_lock();
		int sig = mm_fault(addr, error, &code);
		if (sig == FAULT_LATER) /* it may be in the middle of anything */
			sig = pressure_now(current()->proc);
		family_unlock();
		if (sig <= 0) /* FAULT_AGAIN: it comes again */
			return;
	}
	if (vector ==
	    VECTOR_ALIGNMENT) { /* the program's wish, which its frame keeps, is not for ExOS */
		regs->rflags &= ~FLAGS_ALIGNMENT;
		return;
	}
	u64 to = fixup_find(regs->rip);
	if (!to) {
		exos_trace_from(regs->rip, regs->rbp);
		exos_panic("exos: exception %lu (%lx) at %lx, address %lx, stack %lx",
			   (unsigned long)vector, (unsigned long)error, (unsigned long)regs->rip,
			   (unsigned long)addr, (unsigned long)regs->rsp);
	}
	regs->rip = to;
}

/* Whether the call's result says that it may begin again. */
static int restarting(const struct user_regs *regs)
{
	s64 result = regs->rax;

	return regs->orig_rax != ~0ul && result <= -ERESTARTSYS && result >= -ERESTART_RESTARTBLOCK;
}

/* On the way to the program, again and again until nothing is left to do. */
void exos_leaving(struct user_regs *regs)
{
	struct thread *t = current();

	for (;;) {
		struct aril_context *ctx = this_context();
		u32 pending = __atomic_load_n(&ctx->pending, __ATOMIC_SEQ_CST);

		if (pending & ARIL_PEND_END) {
			t->time_system = regs->orig_rax != ~0ul;
			sched_preempt();
		} else if (pending) {
			__atomic_and_fetch(&ctx->pending, ARIL_PEND_END, __ATOMIC_SEQ_CST);
		} else if (signal_pending(t) || t->sig_restore_mask || restarting(regs)) {
			family_lock();
			signal_deliver(regs);
			family_unlock();
		} else {
			if (sched_wanted)
				sched_share();
			return;
		}
	}
}

/* Opens the family's capability in the env that runs: the same index in each, as it is the first. */
static void auth_open(struct proc *p)
{
	s64 auth = aril_cap_open(&CORE_DOMAIN->cap);

	if (auth != (s64)family.auth)
		for (;;)
			aril_env_exit(auth);
	p->auth_open = 1;
}

/* START, on the context's stack, with nothing of the thread loaded. */
_Noreturn void exos_start(struct aril_save *save)
{
	struct aril_context *ctx = (struct aril_context *)((u64)save & ~(PAGE - 1));

	if (ctx->env == CORE_DOMAIN->env)
		family_boot(ctx);
	struct thread *t = cpus[ctx->cpu].current;
	int rescue = rescue_start(ctx);
	if (t && (rescue || t->proc->env == ctx->env)) {
		if (!rescue && !t->proc->auth_open)
			auth_open(t->proc);
		if (!t->switch_rsp) /* it was running when its env was ended */
			thread_set(t, thread_killed);
		cpus[ctx->cpu].last = ctx->cookie; /* one store */
		thread_resume(t, ctx);
	}
	for (;;) /* not expected: whoever gave it should have it back */
		aril_yield(0, 0);
}

/* A new thread's first steps. Without a program (cs 0) it is the family's first. */
void thread_begin(struct user_regs *regs)
{
	if (lock_state.owner == current()) /* who made room for it had the lock, taken once */
		lock_release();
	if (!regs->cs)
		first_main();
}

/* SPDX-License-Identifier: MIT
 * Into ExOS and out of it.
 *
 * Upcalls enter at exos_entry on the context's stack, all masked. What the program had goes into a struct
 * user_regs at the top of the thread's own stack; then the context stack is empty again and exceptions may
 * nest (mask ASYNC). END and EVENT reach only code that runs with mask NONE: the program, a call by a stub that was
 * not masked yet, a quick call, a thread that goes on behind a switch, and the last steps of the way out. Wherever they
 * find ExOS they are made pending again, and it goes on masked, to see them on its way out (edge_in); but for two stretches
 * behind that look:
 * - exit_edge, sigreturn_edge, quick_edge (unmasked, not yet in the program): the way out begins anew, for which the
 *   registers still lie at the stack's top, or are the program's already (edge_out, sigreturn_edge_out, quick_edge_out);
 * - a leaf (leaf_clock) is undone: the program is before its `syscall` again (leaf_undo).
 * So ExOS is never left in the middle, and never between reading gs:THREAD_CONTEXT and writing the mask. */
#include "entry.inc"
#include "quick.h"
#include <aril/calls.h>
#include <aril/layout.h>
#include <aril/upcall.h>

	.text
	.globl exos_return, sigreturn_edge, quick_return, quick_saved
	.hidden exos_return, sigreturn_edge, quick_return, quick_saved
#ifndef GUARDED
	.globl mask_edge
	.hidden mask_edge, mask_out
#endif

function exos_entry
	cmpl $ARIL_VECTOR_START, (%rsp)
	je entry_start
	pushq %rax
	pushq %rcx
	leaq 16(%rsp), %rax
	cmpl $ARIL_VECTOR_SYSCALL, (%rax)
	je entry_reflected
	movq ARIL_SAVE_RIP(%rax), %rcx
	shrq $39, %rcx
	cmpl $254, %ecx
	je entry_inside
entry_program:
	movq %gs:THREAD_STACK_TOP, %rsp
	push_regs
	movq %rsp, %gs:THREAD_REGS
	trap_arguments
	call exos_trap
/* On the way out, masked, all registers in the frame: exos_leaving's common case. */
exos_return:
	movq %gs:THREAD_CONTEXT, %rcx
	cmpl $0, ARIL_CTX_PENDING(%rcx)
	jne exit_long
	cmpl $0, %gs:THREAD_SIG_RESTORE
	jne exit_long
	cmpl $0, sched_wanted(%rip)
	jne exit_long
	signals_left exit_long
	cmpq $-1, REGS_ORIG_RAX(%rsp)
	je exit_edge
	movq REGS_RAX(%rsp), %rax
	leaq RESTART_LAST(%rax), %rcx
	cmpq $RESTART_LAST - RESTART_FIRST, %rcx
	ja exit_edge
exit_long:
	movq %rsp, %rdi
	call exos_leaving
exit_edge:
	movq %gs:THREAD_CONTEXT, %rax
	movl $ARIL_MASK_NONE, ARIL_CTX_MASK(%rax)
	cmpl $0, ARIL_CTX_PENDING(%rax)
	jne 2f
	guard_close
	/* As after `syscall`: rcx and r11 say what iretq would, and nothing is to be traced. */
	movq REGS_RIP(%rsp), %rcx
	cmpq REGS_RCX(%rsp), %rcx
	jne 1f
	movq REGS_RFLAGS(%rsp), %r11
	cmpq REGS_R11(%rsp), %r11
	jne 1f
	testl $0x10100, %r11d
	jne 1f
	pop_regs
	addq $16, %rsp
	popfq
	popq %rsp
	jmp *%rcx
1:	pop_regs
	iretq
2:	movl $ARIL_MASK_ASYNC, ARIL_CTX_MASK(%rax)
	jmp exit_long
exit_edge_end:

/* The last of exos_sigreturn_entry: rsp at the frame in which rax, rcx, rdi and what IRETQ takes are the program's; so are the
 * other registers already. */
sigreturn_edge:
	movq %gs:THREAD_CONTEXT, %rax
	movl $ARIL_MASK_NONE, ARIL_CTX_MASK(%rax)
	cmpl $0, ARIL_CTX_PENDING(%rax)
	jne 3f
#ifdef GUARDED
	guard_close
	movq REGS_RDX(%rsp), %rdx
#endif
	movq REGS_RDI(%rsp), %rdi
	movq REGS_RCX(%rsp), %rcx
	movq REGS_RAX(%rsp), %rax
	leaq REGS_RIP(%rsp), %rsp
	iretq
3:	movl $ARIL_MASK_ASYNC, ARIL_CTX_MASK(%rax)
	call sigreturn_fill
	jmp exit_long
sigreturn_edge_end:

/* Behind a call whose frame has everything of the program but the registers that C keeps, and these live: rsp at
 * the frame, rax the result. Mask NONE, unless END or EVENT came meanwhile. */
quick_return:
	cmpl $0, sched_wanted(%rip)
	jne quick_share
quick_signals:
	signals_left quick_full
#ifdef GUARDED
	movq %rax, REGS_RAX(%rsp)
#endif
quick_edge:
	movq %gs:THREAD_CONTEXT, %rcx
	cmpq $0, ARIL_CTX_MASK(%rcx) /* and pending */
	jne quick_full
#ifdef GUARDED
	guard_close
	movq REGS_RAX(%rsp), %rax
#endif
	movq REGS_R8(%rsp), %r8
	movq REGS_R9(%rsp), %r9
	movq REGS_R10(%rsp), %r10
	movq REGS_RDX(%rsp), %rdx
	movq REGS_RSI(%rsp), %rsi
	movq REGS_RDI(%rsp), %rdi
	movq REGS_RFLAGS(%rsp), %r11
	movq REGS_RIP(%rsp), %rcx
	leaq REGS_RFLAGS(%rsp), %rsp
	popfq
	popq %rsp
	jmp *%rcx

#ifndef GUARDED
/* The same behind exos_mask_entry, whose frame has rip, flags and rsp alone; what it lacks is live. The result is 0. */
mask_edge:
	movq %gs:THREAD_CONTEXT, %rax
	cmpq $0, ARIL_CTX_MASK(%rax) /* and pending */
	jne mask_out
	movq REGS_RIP(%rsp), %rcx
	xorl %eax, %eax
	leaq REGS_RFLAGS(%rsp), %rsp
	popfq
	popq %rsp
	jmp *%rcx
#endif

/* Where a leaf keeps what it borrows, top down, and rsp; guarded it stays closed: in the stash. */
#ifdef GUARDED
#define LEAF_TOP THREAD_STASH
.macro leaf_rsp to
	movq %gs:THREAD_STASH, \to
	movq (\to), \to
.endm
#else
#define LEAF_TOP THREAD_REGS
.macro leaf_rsp to
	movq %gs:THREAD_SCRATCH, \to
.endm
#endif

/* A leaf: a call that only looks, on a thread's own stack below its registers' place, not masked. rsp, flags, rdx and r8
 * lie there, rdi and rsi stay, and it has no effect but what it writes for the program: so it is undone at any
 * instruction. clock_gettime of the clocks that are the exposed one, rdi: which, rsi: where to, rcx: where it goes on. */
function exos_leaf_clock
#ifdef GUARDED
	movq %gs:THREAD_STASH, %r11
	movq %rsp, (%r11)
	movq %r11, %rsp
#else
	movq %rsp, %gs:THREAD_SCRATCH
	movq %gs:THREAD_REGS, %rsp
#endif
leaf_switched:
	pushq %rcx
	pushfq
	pushq %rdx
	pushq %r8
leaf_saved:
	movabsq $ARIL_INFO_VA + INFO_CLOCK, %r11
1:	movl CLOCK_SEQ(%r11), %r8d
	lfence
	rdtsc
	shlq $32, %rdx
	orq %rdx, %rax
	subq CLOCK_TSC0(%r11), %rax
	mulq CLOCK_MULT(%r11)
	movl CLOCK_SHIFT(%r11), %ecx
	shrdq %cl, %rdx, %rax
	addq CLOCK_NS0(%r11), %rax
	testb $1, %r8b
	jne 1b
	cmpl CLOCK_SEQ(%r11), %r8d
	jne 1b
	cmpl $1, %edi
	jne leaf_other
2:	movabsq $ENTRY_PROGRAM_TOP - 16, %r8
	cmpq %r8, %rsi
	ja leaf_slow
	movq %rax, %rcx
	shrq $9, %rax
	movabsq $0x44b82fa09b5a53, %rdx /* 2^75 / 10^9, of what 2^9 has been taken out of */
	mulq %rdx
	shrq $11, %rdx
	imulq $1000000000, %rdx, %rax
	subq %rax, %rcx
	movq %rdx, (%rsi)
	movq %rcx, 8(%rsi)
	xorl %eax, %eax
	popq %r8
	popq %rdx
	popfq
	popq %rcx
	leaf_rsp %rsp
	jmp *%rcx
leaf_other:
	cmpl $7, %edi
	ja leaf_slow
	movl $0xd0, %ecx /* 4, 6, 7: what 1 is, too */
	btl %edi, %ecx
	jc 2b
	movl $0x21, %ecx /* 0, 5: the time of day */
	btl %edi, %ecx
	jnc leaf_slow
	addq family + FAMILY_REALTIME(%rip), %rax
	jmp 2b
leaf_slow:
	movl $CLOCK_GETTIME, %eax
	popq %r8
	popq %rdx
	popfq
	popq %rcx
	leaf_rsp %rsp
	jmp exos_syscall_stub_entry
edges_end:

quick_share:
	movq %rax, REGS_RAX(%rsp)
	call sched_share
	movq REGS_RAX(%rsp), %rax
	jmp quick_signals
/* Something is left to do: the frame gets what it lacks. */
quick_full:
	movq %gs:THREAD_CONTEXT, %rcx
	movl $ARIL_MASK_ASYNC, ARIL_CTX_MASK(%rcx)
	movq %rax, REGS_RAX(%rsp)
	call frame_fill
	jmp exos_return

/* Behind its return address the frame: what C keeps, and what `syscall` would have left in rcx and r11. */
frame_fill:
	movq 8 + REGS_RIP(%rsp), %rcx
	movq %rcx, 8 + REGS_RCX(%rsp)
	movq 8 + REGS_RFLAGS(%rsp), %rcx
	movq %rcx, 8 + REGS_R11(%rsp)
	movq %rbx, 8 + REGS_RBX(%rsp)
	movq %rbp, 8 + REGS_RBP(%rsp)
	movq %r12, 8 + REGS_R12(%rsp)
	movq %r13, 8 + REGS_R13(%rsp)
	movq %r14, 8 + REGS_R14(%rsp)
	movq %r15, 8 + REGS_R15(%rsp)
	ret

/* rax: the save area. ExOS itself was interrupted: by a fault in its C code, or at an edge. */
entry_inside:
	movq ARIL_SAVE_RIP(%rax), %rcx
	pushq %rdx
	leaq exit_edge(%rip), %rdx
	cmpq %rdx, %rcx
	jb 3f
	leaq edges_end(%rip), %rdx
	cmpq %rdx, %rcx
	jae 3f
	leaq exos_leaf_clock(%rip), %rdx
	cmpq %rdx, %rcx
	jae leaf_undo
#ifndef GUARDED
	leaq mask_edge(%rip), %rdx
	cmpq %rdx, %rcx
	jae mask_edge_out
#endif
	leaq quick_edge(%rip), %rdx
	cmpq %rdx, %rcx
	jae quick_edge_out
	leaq exit_edge_end(%rip), %rdx
	cmpq %rdx, %rcx
	jb edge_out
	leaq sigreturn_edge_end(%rip), %rdx
	cmpq %rdx, %rcx
	jb sigreturn_edge_out
3:	popq %rdx
	cmpl $ARIL_VECTOR_END, ARIL_SAVE_VECTOR(%rax)
	jae edge_in
	movq ARIL_SAVE_RSP(%rax), %rcx
	shrq $40, %rcx
	cmpl $ENTRY_PROGRAM_TOP >> 40, %ecx
	jb entry_strayed
	movq ARIL_SAVE_RSP(%rax), %rsp
	subq $128, %rsp
	andq $-16, %rsp
	subq $8, %rsp
	push_regs
	trap_arguments
	call exos_nested
	pop_regs
	iretq

/* On the program's stack: it jumped to where ExOS is, by mistake, and what is wrong there is its own. Or it steps itself,
 * and has come by a stub to one of the ways in, of which nothing is done yet: that is a call as if it were reflected. */
entry_strayed:
	cmpl $ENTRY_VECTOR_DEBUG, ARIL_SAVE_VECTOR(%rax)
	jne entry_program
	movq -16(%rax), %rcx
	movq %rcx, ARIL_SAVE_RIP(%rax)
	jmp entry_reflected

/* END or EVENT in entry_edge: pends again, and the interrupted code goes on masked. */
edge_in:
	movq %rax, %rcx
	andq $-4096, %rcx
	cmpl $ARIL_VECTOR_END, ARIL_SAVE_VECTOR(%rax)
	jne 4f
	lock orl $ARIL_PEND_END, ARIL_CTX_PENDING(%rcx)
	jmp 5f
4:	lock orl $ARIL_PEND_EVENT, ARIL_CTX_PENDING(%rcx)
5:	movl $ARIL_MASK_ASYNC, ARIL_CTX_MASK(%rcx)
	popq %rcx
	popq %rax
	leaq ARIL_SAVE_RIP(%rsp), %rsp
	iretq

/* In exit_edge: the program's registers are at the stack's top still. An exception there is the program's: its
 * rip or rflags could not be. */
edge_out:
	movq %gs:THREAD_REGS, %rsp
6:	trap_arguments
	call exos_trap
	jmp exos_return

sigreturn_edge_out:
	popq %rdx
	movq %gs:THREAD_REGS, %rsp
	call sigreturn_fill
	jmp 6b

/* The same in quick_edge. What C keeps is live, and so is the result. */
quick_edge_out:
	popq %rdx
#ifdef GUARDED /* which lies there already */
	movq %gs:THREAD_REGS, %rsp
#else
	movq -8(%rax), %rcx
	movq %gs:THREAD_REGS, %rsp
	movq %rcx, REGS_RAX(%rsp)
#endif
	call frame_fill
	jmp 6b

#ifndef GUARDED
/* And in mask_edge: the arguments are live, too. */
mask_edge_out:
	popq %rdx
	movq %gs:THREAD_REGS, %rsp
	save_arguments
	movq $0, REGS_RAX(%rsp)
	movq $RT_SIGPROCMASK, REGS_ORIG_RAX(%rsp)
	call frame_fill
	jmp 6b
#endif

/* As if the program had not come to its `syscall` yet. A fault is no upcall then: the call begins again by the
 * kernel's reflection, and sys_clock_gettime meets it. rcx: rip. */
leaf_undo:
	leaq leaf_switched(%rip), %rdx
	cmpq %rdx, %rcx
	jb 8f
	leaq leaf_saved(%rip), %rdx
	cmpq %rdx, %rcx
	movq %gs:LEAF_TOP, %rcx
	jb 7f
	movq -8(%rcx), %rdx
	movq %rdx, -16(%rax)
	movq -16(%rcx), %rdx
	movq %rdx, ARIL_SAVE_RFLAGS(%rax)
	movq -24(%rcx), %rdx
	movq %rdx, -24(%rax)
	movq -32(%rcx), %r8
7:	leaf_rsp %rdx
	movq %rdx, ARIL_SAVE_RSP(%rax)
8:	popq %rdx
	movq -16(%rax), %rcx
	subq $2, %rcx
	movq %rcx, ARIL_SAVE_RIP(%rax)
	movq $CLOCK_GETTIME, -8(%rax)
	cmpl $ARIL_VECTOR_END, ARIL_SAVE_VECTOR(%rax)
	jae entry_program
	movq $ARIL_VECTOR_EVENT, ARIL_SAVE_VECTOR(%rax)
	jmp entry_program

#ifndef GUARDED
/* The scheduler's env alone has a gate: the code authority's answer, while one is awaited. On the context's stack, all
 * masked; rax = who, the answer in r8, r9, r10. */
function exos_gate
	leaq -ARIL_CTX_STACK_TOP(%rsp), %r11
	movq %rax, %rdi
	movq %r8, %rsi
	movq %r9, %rdx
	movq %r10, %rcx
	movq %r11, %r8
	cld
	xorl %ebp, %ebp
	call idle_answered
	ud2
#endif

/* A call by a stub: eax its number, rcx where it goes on, all else as at the `syscall`. What lies in the places of
 * cs and ss is right: nothing ever puts anything else there. */
.macro save_call
	guard_open
	save_few
	movq %rax, REGS_ORIG_RAX(%rsp)
	save_arguments
	cld
.endm

/* What the frame lacks then; rax, rcx and what C keeps are still those of save_call. */
.macro save_rest
	movq REGS_RFLAGS(%rsp), %r11
	movq %rcx, REGS_RCX(%rsp)
	movq %rax, REGS_RAX(%rsp)
	movq %r11, REGS_R11(%rsp)
	movq %rbx, REGS_RBX(%rsp)
	movq %rbp, REGS_RBP(%rsp)
	movq %r12, REGS_R12(%rsp)
	movq %r13, REGS_R13(%rsp)
	movq %r14, REGS_R14(%rsp)
	movq %r15, REGS_R15(%rsp)
.endm

/* Quick: a function (quick.h) that returns at once, or says that it would not. It is not masked, and what C keeps lies in no
 * frame. */
function exos_quick_entry
	save_call
quick_saved:
	leaq quick_calls(%rip), %r11
	movq %r10, %rcx
	call *(%r11, %rax, 8)
	cmpq $QUICK_NO, %rax
	jne quick_return
quick_refused:
	movq REGS_ORIG_RAX(%rsp), %rax
	movq REGS_RIP(%rsp), %rcx
	jmp call_general

/* The same where the number is known only now. */
function exos_bare_entry
	movl %eax, %eax
	save_call
	cmpl $ENTRY_SYSCALL_MAX, %eax
	jae call_general
	leaq quick_calls(%rip), %r11
	movq (%r11, %rax, 8), %r11
	testq %r11, %r11
	je call_general
	movq %r10, %rcx
	call *%r11
	cmpq $QUICK_NO, %rax
	jne quick_return
	jmp quick_refused

function exos_syscall_stub_entry
	save_call
call_general:
	save_rest
	movq %gs:THREAD_CONTEXT, %rax
	movl $ARIL_MASK_ASYNC, ARIL_CTX_MASK(%rax)
	movq %rsp, %rdi
	xorl %ebp, %ebp
	call exos_stub_call
call_done:
	/* A result that may begin the call anew, other registers than the call's own, a mask to be set again: the long way. */
	movq REGS_RAX(%rsp), %rax
	leaq RESTART_LAST(%rax), %rcx
	cmpq $RESTART_LAST - RESTART_FIRST, %rcx
	jbe exos_return
	cmpq $-1, REGS_ORIG_RAX(%rsp)
	je exos_return
	cmpl $0, %gs:THREAD_SIG_RESTORE
	jne exos_return
	movq REGS_RBP(%rsp), %rbp
	movq %gs:THREAD_CONTEXT, %rcx
	movl $ARIL_MASK_NONE, ARIL_CTX_MASK(%rcx)
	jmp quick_return

/* The same for calls that take no lock, whose handlers are called from here: nobody traces when such a stub is made. */
function exos_own_entry
	save_call
	save_rest
	movq %gs:THREAD_CONTEXT, %r11
	movl $ARIL_MASK_ASYNC, ARIL_CTX_MASK(%r11)
	movq %r10, %rcx
	leaq syscall_handlers(%rip), %r11
	shll $4, %eax
	xorl %ebp, %ebp
	call *(%r11, %rax)
	movq %rax, REGS_RAX(%rsp)
	jmp call_done

/* _Noreturn void exos_leave(struct user_regs *regs) */
function exos_leave
	movq %rdi, %rsp
	jmp exit_edge

/* A call by the kernel's reflection, rax: the save area. rcx and r11 become what `syscall` leaves there. */
entry_reflected:
	movq %gs:THREAD_STACK_TOP, %rsp
	leaq -8(%rsp), %rsp
	pushq ARIL_SAVE_RSP(%rax)
	pushq ARIL_SAVE_RFLAGS(%rax)
	leaq -8(%rsp), %rsp
	pushq ARIL_SAVE_RIP(%rax)
	pushq -8(%rax)
	pushq %rdi
	pushq %rsi
	pushq %rdx
	pushq ARIL_SAVE_RIP(%rax)
	pushq -8(%rax)
	pushq %r8
	pushq %r9
	pushq %r10
	pushq ARIL_SAVE_RFLAGS(%rax)
	pushq %rbx
	pushq %rbp
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	andq $-4096, %rax
	movl $ARIL_MASK_ASYNC, ARIL_CTX_MASK(%rax)
	movq %rsp, %rdi
	xorl %ebp, %ebp
	call exos_reflected
	jmp call_done

/* A new thread's first return: rsp is at its user_regs. */
function thread_first
	movq %rsp, %rdi
	movq %rsp, %gs:THREAD_REGS
	xorl %ebp, %ebp
	call thread_begin
	jmp exos_return

	.section .note.GNU-stack, "", @progbits

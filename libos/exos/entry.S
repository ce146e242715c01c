/* SPDX-License-Identifier: MIT
 * Into ExOS and out of it.
 *
 * Upcalls enter at exos_entry on the context's stack, all masked. What the program had goes into a struct
 * user_regs at the top of the thread's own stack; then the context stack is empty again and exceptions may
 * nest (mask ASYNC). END and EVENT reach only code that runs with mask NONE: the program, and two short
 * stretches here. In entry_edge (a call by a stub, not yet masked) and exit_edge (unmasked already, not yet in
 * the program) an END is made pending again: the first goes on masked and finds it on its way out, the second
 * begins its way out anew, for which the registers still lie at the stack's top. So ExOS is never left in
 * the middle of either, and never between reading gs:THREAD_CONTEXT and writing the mask. */
#include "sched.h"
#include <aril/upcall.h>

.macro function name
	.globl \name
	.type \name, @function
\name:
.endm

	.text
/* (%rax): the save area; below it the program's rax and rcx. Makes a user_regs below rsp. */
.macro push_regs
	pushq ARIL_SAVE_SS(%rax)
	pushq ARIL_SAVE_RSP(%rax)
	pushq ARIL_SAVE_RFLAGS(%rax)
	pushq ARIL_SAVE_CS(%rax)
	pushq ARIL_SAVE_RIP(%rax)
	pushq $-1
	pushq %rdi
	pushq %rsi
	pushq %rdx
	pushq -16(%rax)
	pushq -8(%rax)
	pushq %r8
	pushq %r9
	pushq %r10
	pushq %r11
	pushq %rbx
	pushq %rbp
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
.endm

.macro pop_regs
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbp
	popq %rbx
	popq %r11
	popq %r10
	popq %r9
	popq %r8
	popq %rax
	popq %rcx
	popq %rdx
	popq %rsi
	popq %rdi
	addq $8, %rsp
.endm

/* Arguments of exos_trap and exos_nested from the save area at (%rax); then exceptions may nest. */
.macro trap_arguments
	movq %rsp, %rdi
	movq ARIL_SAVE_VECTOR(%rax), %rsi
	movq ARIL_SAVE_ERROR(%rax), %rdx
	movq ARIL_SAVE_ADDR(%rax), %rcx
	andq $-4096, %rax
	movl $ARIL_MASK_ASYNC, ARIL_CTX_MASK(%rax)
	xorl %ebp, %ebp
.endm

function exos_entry
	pushq %rax
	pushq %rcx
	cmpl $ARIL_VECTOR_START, 16(%rsp)
	je entry_start
	movq 16 + ARIL_SAVE_RIP(%rsp), %rcx
	leaq 16(%rsp), %rax
	shrq $39, %rcx
	cmpl $254, %ecx
	je entry_inside
	movq %gs:THREAD_STACK_TOP, %rsp
	push_regs
	movq %rsp, %gs:THREAD_REGS
	trap_arguments
	call exos_trap
exos_return:
	movq %rsp, %rdi
	call exos_leaving
exit_edge:
	movq %gs:THREAD_CONTEXT, %rax
	movl $ARIL_MASK_NONE, ARIL_CTX_MASK(%rax)
	cmpl $0, ARIL_CTX_PENDING(%rax)
	jne 2f
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
	jmp exos_return
exit_edge_end:

/* rax: the save area. ExOS itself was interrupted: by a fault in its C code, or at an edge. */
entry_inside:
	movq ARIL_SAVE_RIP(%rax), %rcx
	pushq %rdx
	leaq exit_edge(%rip), %rdx
	cmpq %rdx, %rcx
	jb 3f
	leaq exit_edge_end(%rip), %rdx
	cmpq %rdx, %rcx
	jb edge_out
3:	popq %rdx
	cmpl $ARIL_VECTOR_END, ARIL_SAVE_VECTOR(%rax)
	jae edge_in
	movq ARIL_SAVE_RSP(%rax), %rsp
	subq $128, %rsp
	andq $-16, %rsp
	subq $8, %rsp
	push_regs
	trap_arguments
	call exos_nested
	pop_regs
	iretq

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
	movq %gs:THREAD_STACK_TOP, %rsp
	subq $REGS_BYTES, %rsp
	trap_arguments
	call exos_trap
	jmp exos_return

entry_start:
	addq $16, %rsp
	movq %rsp, %rdi
	andq $-16, %rsp
	xorl %ebp, %ebp
	call exos_start
	ud2

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

/* A rewritten system call arrives here from its stub: eax its number, rcx where it goes on, all else as at the
 * `syscall`. */
function exos_syscall_stub_entry
	movq %rsp, %gs:THREAD_SCRATCH
	movq %gs:THREAD_STACK_TOP, %rsp
	movl %ss, %r11d
	pushq %r11
	pushq %gs:THREAD_SCRATCH
	pushfq
	movl %cs, %r11d
	pushq %r11
	pushq %rcx
	pushq %rax
	movq 24(%rsp), %r11
	pushq %rdi
	pushq %rsi
	pushq %rdx
	pushq %rcx
	pushq %rax
	pushq %r8
	pushq %r9
	pushq %r10
	pushq %r11
	pushq %rbx
	pushq %rbp
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	movq %gs:THREAD_CONTEXT, %rax
	movl $ARIL_MASK_ASYNC, ARIL_CTX_MASK(%rax)
	cld
	movq %rsp, %gs:THREAD_REGS
	movq %rsp, %rdi
	xorl %ebp, %ebp
	call exos_stub_call
	jmp exos_return

/* void thread_switch(struct thread *t) */
function thread_switch
	pushq %rbp
	pushq %rbx
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	rdfsbase %rax
	movq %rax, THREAD_FS_BASE(%rdi)
	movq THREAD_XSAVE(%rdi), %rcx
	movl $-1, %eax
	movl $-1, %edx
	xsave64 (%rcx)
	movq %rsp, THREAD_SWITCH_RSP(%rdi)
	movq THREAD_CONTEXT(%rdi), %rax
	leaq ARIL_CTX_STACK_TOP(%rax), %rsp
	xorl %ebp, %ebp
	call sched_leave
	ud2

/* void thread_resume(struct thread *t, struct aril_context *ctx) */
function thread_resume
	wrgsbase %rdi
	movq %rsi, THREAD_CONTEXT(%rdi)
	movq THREAD_FS_BASE(%rdi), %rax
	wrfsbase %rax
	movq THREAD_XSAVE(%rdi), %rcx
	movl $-1, %eax
	movl $-1, %edx
	xrstor64 (%rcx)
	movq THREAD_SWITCH_RSP(%rdi), %rsp
	movq $0, THREAD_SWITCH_RSP(%rdi)
	movl $ARIL_MASK_ASYNC, ARIL_CTX_MASK(%rsi)
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbx
	popq %rbp
	ret

/* A new thread's first return: rsp is at its user_regs. */
function thread_first
	movq %rsp, %rdi
	movq %rsp, %gs:THREAD_REGS
	xorl %ebp, %ebp
	call thread_begin
	jmp exos_return

/* void stack_call(u64 rsp, struct aril_context *ctx, void (*fn)(void)) */
function stack_call
	movq %rdi, %rsp
	movl $ARIL_MASK_ASYNC, ARIL_CTX_MASK(%rsi)
	xorl %ebp, %ebp
	call *%rdx
	ud2

/* void vector_save(u8 *area), void vector_load(const u8 *area): 64-byte aligned */
function vector_save
	movl $-1, %eax
	movl $-1, %edx
	xsave64 (%rdi)
	ret
function vector_load
	movl $-1, %eax
	movl $-1, %edx
	xrstor64 (%rdi)
	ret

/* int user_copy(void *to, const void *from, u64 bytes): 0, or -1 at a fault that nothing resolved. */
function user_copy
	movq %rdx, %rcx
	shrq $3, %rcx
6:	rep movsq
	movl %edx, %ecx
	andl $7, %ecx
7:	rep movsb
	xorl %eax, %eax
	ret
8:	movl $-1, %eax
	ret
	.pushsection .exos_extable, "a"
	.quad 6b, 8b, 7b, 8b
	.popsection

/* int user_exchange(u32 *at, u32 old, u32 new, u32 *seen): 0, or -1 at a fault that nothing resolved. */
function user_exchange
	movl %esi, %eax
13:	lock cmpxchgl %edx, (%rdi)
	movl %eax, (%rcx)
	xorl %eax, %eax
	ret
14:	movl $-1, %eax
	ret
	.pushsection .exos_extable, "a"
	.quad 13b, 14b
	.popsection

/* s64 user_string(char *to, const char *from, u64 room): length, room where no NUL came, -1 at a fault. */
function user_string
	xorl %eax, %eax
9:	cmpq %rdx, %rax
	je 11f
10:	movb (%rsi, %rax), %cl
	movb %cl, (%rdi, %rax)
	testb %cl, %cl
	je 11f
	incq %rax
	jmp 9b
11:	ret
12:	movq $-1, %rax
	ret
	.pushsection .exos_extable, "a"
	.quad 10b, 12b
	.popsection

	.section .note.GNU-stack, "", @progbits

/* SPDX-License-Identifier: MIT
 * The way into a core program and back: upcall entry, resumption, giving up the CPU. */
#include <aril/calls.h>
#include <aril/upcall.h>
#include <core/upcall.h>
#include "switch.inc"
#include <core/registers.inc>

	.text
	.globl core_upcall
	.type core_upcall, @function
core_upcall:
	cmpq $ARIL_VECTOR_START, ARIL_SAVE_VECTOR(%rsp)
	je started
	pushq %rdi
	pushq %rsi
	pushq %rdx
	pushq %rcx
	pushq %rax
	push_registers_from_r8
	pushq $0
	cld
	movq %rsp, %rbx
	movq %rsp, %rdi
	andq $-16, %rsp
	xorl %ebp, %ebp
	call core_handle
	movq %rbx, %rdi

/* core_resume(frame). Unmasked just before the end: an upcall from there on lies on the context's stack, and
 * returns to what follows. What pended while masked was not delivered, so it is looked for after. */
	.globl core_resume
	.type core_resume, @function
core_resume:
	movq %rdi, %rsp
	rdgsbase %rax
	movq ARIL_CTX_COOKIE(%rax), %rcx
	movl CORE_CPU_MASK(%rcx), %ecx
	movl %ecx, ARIL_CTX_MASK(%rax)
	testl %ecx, %ecx
	jnz 1f
	cmpl $0, ARIL_CTX_PENDING(%rax)
	jne 2f
1:	addq $8, %rsp
	pop_registers
	addq $ARIL_SAVE_RIP, %rsp
	iretq
2:	movl $ARIL_MASK_ALL, ARIL_CTX_MASK(%rax)
	movq %rsp, %rbx
	movq %rsp, %rdi
	andq $-16, %rsp
	call core_handle_pending
	movq %rbx, %rdi
	jmp core_resume
	.size core_resume, . - core_resume

/* START: continue what gave up the CPU, or begin. All registers but rsp are zero. */
started:
	movq %rsp, %r13
	andq $-4096, %r13
	movq ARIL_SAVE_ERROR(%rsp), %rax
	movq ARIL_CTX_COOKIE(%r13), %r14
	testq %r14, %r14
	jz 1f
	movq CORE_CPU_RSP(%r14), %rsp
	testq %rsp, %rsp
	jnz switched
	cmpq $0, CORE_CPU_TRUSTING(%r14)
	je 2f
	wrgsbase %r13
	leaq ARIL_CTX_STACK_TOP(%r13), %rsp
	call core_trusting_started
2:	ud2
1:	wrgsbase %r13
	movq %r13, %rdi
	call core_first
	movq %rax, %rsp
	movq %r13, %rdi
	xorl %ebp, %ebp
	call core_run
	ud2
	.size core_upcall, . - core_upcall

/* s64 core_switch_wait(auth, frame, offset, expected, deadline); s64 core_switch_yield(auth, env);
 * s64 core_switch_code_wait(desc): the calls
 * that give up the CPU, returning where START continues. Vector registers are the caller's to lose. */
	.globl core_switch_wait
	.type core_switch_wait, @function
core_switch_wait:
	movl $ARIL_CALL_WAIT, %eax
	movq %rcx, %r10
	jmp core_switch
	.globl core_switch_code_wait
	.type core_switch_code_wait, @function
core_switch_code_wait:
	movl $ARIL_CALL_CODE_WAIT, %eax
	jmp core_switch
	.globl core_switch_yield
	.type core_switch_yield, @function
core_switch_yield:
	movl $ARIL_CALL_YIELD, %eax
core_switch:
	switch_save
	syscall
	.globl switched
	.hidden switched
switched:
	movq $0, CORE_CPU_RSP(%r14)
	ldmxcsr (%rsp)
	fldcw 8(%rsp)
	addq $16, %rsp
	popq %r12
	wrfsbase %r12
	wrgsbase %r13
	movl CORE_CPU_MASK(%r14), %ecx
	movl %ecx, ARIL_CTX_MASK(%r13)
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbx
	popq %rbp
	ret
	.size core_switch_yield, . - core_switch_yield

/* core_on_stack(top, f, argument): calls f(argument) on another stack and does not come back. */
	.globl core_on_stack
	.type core_on_stack, @function
core_on_stack:
	movq %rdi, %rsp
	movq %rdx, %rdi
	xorl %ebp, %ebp
	call *%rsi
	ud2
	.size core_on_stack, . - core_on_stack
	.section .note.GNU-stack, "", @progbits

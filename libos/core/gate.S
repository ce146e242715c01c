/* SPDX-License-Identifier: MIT
 * Gates out and in. A message is three words, in r8, r9, r10, which the kernel lets through with all the others. */
#include <aril/calls.h>
#include <aril/upcall.h>
#include <core/upcall.h>
#include "switch.inc"

	.text
/* s64 core_switch_gate(auth, env, mode, message): calls and lets go of everything: the callee gets zeros and an
 * initial vector state beside the message, and may lose or change every register. A refusal; or CORE_GATE_ANSWER,
 * the answer in core_cpu.words; or a START cause. */
	.globl core_switch_gate
	.type core_switch_gate, @function
core_switch_gate:
	switch_save
	movl %esi, CORE_CPU_PEER(%r14)
	movl $1, ARIL_CTX_GATE_OPEN(%r13)
	movq (%rcx), %r8
	movq 8(%rcx), %r9
	movq 16(%rcx), %r10
	movl %edx, %ebx
	movl $7, %eax
	xorl %edx, %edx
	xrstor64 initial(%rip)
	movl %ebx, %edx
	xorl %ebx, %ebx
	xorl %ebp, %ebp
	xorl %r12d, %r12d
	xorl %r13d, %r13d
	xorl %r14d, %r14d
	xorl %r15d, %r15d
	movl $ARIL_CALL_GATE, %eax
	syscall
	rdgsbase %r13
	movq ARIL_CTX_COOKIE(%r13), %r14
	movl $0, CORE_CPU_PEER(%r14)
	jmp switched
	.size core_switch_gate, . - core_switch_gate

/* s64 core_trusting_gate(auth, env, mode, message): the callee keeps rbx, rbp, r12..r15 and the control words, as a C
 * function does, and answers into the message. */
	.globl core_trusting_gate
	.type core_trusting_gate, @function
core_trusting_gate:
	pushq %rcx
	rdfsbase %r8
	pushq %r8
	rdgsbase %rax
	movq ARIL_CTX_COOKIE(%rax), %r11
	cmpl $ARIL_MASK_NONE, ARIL_CTX_MASK(%rax)
	jne 1f
	movl $ARIL_MASK_ASYNC, ARIL_CTX_MASK(%rax)
1:	movl %esi, CORE_CPU_PEER(%r11)
	movl $1, ARIL_CTX_GATE_OPEN(%rax)
	movq %rsp, CORE_CPU_TRUSTING(%r11)
	movq (%rcx), %r8
	movq 8(%rcx), %r9
	movq 16(%rcx), %r10
	movl $ARIL_CALL_GATE, %eax
	syscall
	rdgsbase %r11
	movq ARIL_CTX_COOKIE(%r11), %rcx
	movl $0, CORE_CPU_PEER(%rcx)
/* rsp: as it was when the gate was called; r11 = context, rcx = struct core_cpu */
trusted:
	movq $0, CORE_CPU_TRUSTING(%rcx)
	popq %rdx
	wrfsbase %rdx
	popq %rdx
	testq %rax, %rax
	js 1f
	movq %r8, (%rdx)
	movq %r9, 8(%rdx)
	movq %r10, 16(%rdx)
1:	movl CORE_CPU_MASK(%rcx), %ecx
	movl %ecx, ARIL_CTX_MASK(%r11)
	ret
	.size core_trusting_gate, . - core_trusting_gate

/* The env's gate. rsp = the end of the context page, rax = who, and above it how it is answered. It is the answer that
 * this CPU awaits, or a request to a program with a handler, or of no interest: then the CPU is given up, and the
 * program goes on at its next START. */
	.globl core_gate
	.type core_gate, @function
core_gate:
	leaq -ARIL_CTX_STACK_TOP(%rsp), %r11
	movq ARIL_CTX_COOKIE(%r11), %rcx
	wrgsbase %r11
	cmpl $0, CORE_CPU_PEER(%rcx)
	je 2f
	cmpl %eax, CORE_CPU_PEER(%rcx)
	jne 3f
	movl $0, CORE_CPU_PEER(%rcx)
	movl $CORE_GATE_ANSWER, %eax
	movq CORE_CPU_TRUSTING(%rcx), %rdx
	testq %rdx, %rdx
	jz 1f
	movq %rdx, %rsp
	jmp trusted
1:	movq %r8, CORE_CPU_WORDS(%rcx)
	movq %r9, CORE_CPU_WORDS + 8(%rcx)
	movq %r10, CORE_CPU_WORDS + 16(%rcx)
	movq %r11, %r13
	movq %rcx, %r14
	movq CORE_CPU_RSP(%r14), %rsp
	fninit
	jmp switched
/* A request. What the caller has in registers that C keeps is kept, for it may trust; pushed: 96 bytes. */
2:	pushq %rbx
	pushq %rbp
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	pushq $0
	pushq $0
	pushq %rax
	pushq %r10
	pushq %r9
	pushq %r8
	/* Floating point as a C function wants it: the caller's control words may trap, its stack be full, an
	 * exception wait. It gets the control words back, without what was raised meanwhile. */
	stmxcsr 32(%rsp)
	fnstcw 40(%rsp)
	fninit
	ldmxcsr initial + 24(%rip)
	movq %rax, %rdi
	movq %rsp, %rsi
	xorl %ebp, %ebp
	call core_serve
	fnclex
	fldcw 40(%rsp)
	ldmxcsr 32(%rsp)
	movq %rax, %rdi
	popq %r8
	popq %r9
	popq %r10
	popq %rsi
	addq $16, %rsp
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbp
	popq %rbx
	testq %rdi, %rdi
	js 3f
	movq %rsi, %rdx
	shrq $32, %rdx
	movl %esi, %esi
	movl $ARIL_CALL_GATE, %eax
	syscall
	/* to another CPU, or to nobody any more */
3:	xorl %edi, %edi
	xorl %esi, %esi
	movl $ARIL_CALL_YIELD, %eax
	syscall
	ud2
	.size core_gate, . - core_gate

	.section .rodata
	.balign 64
/* names no component: XRSTOR makes all initial, MXCSR as here */
initial:
	.zero 24
	.long 0x1f80
	.zero 548
	.section .note.GNU-stack, "", @progbits

/* SPDX-License-Identifier: MIT
 * The short ways of gate and yield, entered from syscall_entry: GS is the kernel's, rsp its stack, empty, the program's rsp in
 * CPU_USER_RSP, all else the program's. What they do not do goes on at gate_full or syscall_call, as if nothing had been. */
#include "asm.h"
#include "entry.h"
#include "x86.h"
#include <aril/calls.h>
#include <aril/upcall.h>

	.text
	.globl gate_short, yield_short
/* A gate that was gone through before: what call_gate_frame (transfer.c) does where it finds a permit, on this CPU, no
 * slice over. It leaves no trace until it has claimed the callee's context, and takes that back where it cannot go on. */
gate_short:
	pushq %rcx
	pushq %r11
	pushq %rdx
	movq CPU_CTX, %r11
	cmpl %edi, CTX_GATE + PERMIT_AUTH(%r11)
	jne gate_full
	cmpl %esi, CTX_GATE + PERMIT_ID(%r11)
	jne gate_full
	movq CTX_GATE + PERMIT_EPOCH(%r11), %rcx
	cmpq authority_epoch, %rcx
	jne gate_full
	cmpq $0, CPU_GRACE_END
	jne gate_full
	movq CTX_GATE + PERMIT_TO(%r11), %rcx
	movl $READY, %eax
	movl $RUNNING, %edx
	lock cmpxchgl %edx, CTX_STATE(%rcx)
	jne gate_full
	movq CTX_PAGE(%rcx), %rdx
	cmpl $0, ARIL_CTX_GATE_OPEN(%rdx)
	je gate_unclaim
	cmpl $0, ARIL_CTX_FORCED(%rdx)
	jne gate_unclaim
	movl CTX_DONEE(%rcx), %eax
	orl (%rsp), %eax
	jnz gate_donee
gate_donated:
	testl $ARIL_PEND_END, ARIL_CTX_PENDING(%rdx)
	jnz gate_pending
gate_clean:
	movl $ARIL_MASK_ALL, ARIL_CTX_MASK(%rdx)
	movq CTX_ENV(%r11), %rax
	movl $0, ENV_STRIKES(%rax)
	movl ENV_ID(%rax), %eax
	movq %rax, ARIL_CTX_GATE_CALLER(%rdx)
	movq %rcx, CPU_CTX
	movl $READY, CTX_STATE(%r11)
	movq CTX_ENV(%rcx), %r11
	movq %r11, CPU_ENV
	movq ENV_CR3(%r11), %rdx
	cmpq %rdx, CPU_CR3
	je 1f
	movq %rdx, CPU_CR3
	movq %rdx, %cr3
1:	movq CPU_BOOK, %rdx
	movl %esi, BOOK_ENV(%rdx)
	incq BOOK_SWITCHES(%rdx)
	popq %rdx
	movq CTX_VA(%rcx), %rsp
	addq $ARIL_CTX_STACK_TOP, %rsp
	movq ENV_GATE(%r11), %rcx
	movl $0x202, %r11d
	swapgs
	sysretq

/* The answer to the callee's synchronous call gives it its slices back; else a synchronous call lends ours. Or the call
 * is none of these: to another CPU, or refused. */
gate_donee:
	cmpl $GATE_SYNC, (%rsp)
	ja gate_unclaim
	movq CTX_ENV(%r11), %rax
	movl ENV_ID(%rax), %eax
	cmpl %eax, CTX_DONEE(%rcx)
	jne 1f
	movl $0, CTX_DONEE(%rcx)
	jmp gate_donated
1:	testl $GATE_SYNC, (%rsp)
	jz gate_donated
	movl %esi, CTX_DONEE(%r11)
	jmp gate_donated

/* An END of an earlier slice. */
gate_pending:
	lock andl $~ARIL_PEND_END, ARIL_CTX_PENDING(%rdx)
	jmp gate_clean

/* A yield to who was yielded to before: what call_yield does where it finds a permit, and slice_enter. The argument
 * registers are free, the others are kept until nothing can be refused. The timer stays as it is: the slice goes on. */
yield_short:
	movq CPU_CTX, %r8
	cmpl %edi, CTX_YIELD + PERMIT_AUTH(%r8)
	jne yield_full
	cmpl %esi, CTX_YIELD + PERMIT_ID(%r8)
	jne yield_full
	movq CTX_YIELD + PERMIT_EPOCH(%r8), %r9
	cmpq authority_epoch, %r9
	jne yield_full
	cmpq $0, CPU_GRACE_END
	jne yield_full
	movq CTX_YIELD + PERMIT_TO(%r8), %r9
	movl $READY, %eax
	movl $RUNNING, %edx
	lock cmpxchgl %edx, CTX_STATE(%r9)
	jne yield_full
	movq CTX_PAGE(%r9), %rdx
	cmpl $0, ARIL_CTX_FORCED(%rdx)
	jne yield_unclaim
	testl $ARIL_PEND_END, ARIL_CTX_PENDING(%rdx)
	jnz yield_pending
yield_clean:
	movq CTX_ENV(%r8), %rax
	movl $0, ENV_STRIKES(%rax)
	movl ENV_ID(%rax), %eax
	movq %rax, SAVE + ARIL_SAVE_ADDR(%rdx)
	movq %r9, CPU_CTX
	movl $READY, CTX_STATE(%r8)
	movl $0, CTX_START_CAUSE(%r9)
	movq CTX_ENV(%r9), %rbp
	movq %rbp, CPU_ENV
	movq ENV_CR3(%rbp), %rax
	cmpq %rax, CPU_CR3
	je 1f
	movq %rax, CPU_CR3
	movq %rax, %cr3
1:	movq CPU_BOOK, %rax
	movl %esi, BOOK_ENV(%rax)
	incq BOOK_SWITCHES(%rax)
	movq ENV_INFO(%rbp), %rax
	incq INFO_UPCALLS(%rax)
	movq ARIL_CTX_SEQ(%rdx), %rax
	orq $1, %rax
	movq %rax, ARIL_CTX_SEQ(%rdx)
	incq %rax
	movq %rax, SAVE + ARIL_SAVE_SEQ(%rdx)
	movq $ARIL_VECTOR_START, SAVE + ARIL_SAVE_VECTOR(%rdx)
	movq $ARIL_START_YIELD, SAVE + ARIL_SAVE_ERROR(%rdx)
	movl $ARIL_MASK_ALL, ARIL_CTX_MASK(%rdx)
	movq %rax, ARIL_CTX_SEQ(%rdx)
	movl %ds, %eax
	movl %es, %ecx
	orl %ecx, %eax
	movl %fs, %ecx
	orl %ecx, %eax
	movl %gs, %ecx
	orl %ecx, %eax
	jnz yield_selectors
yield_selected:
	movl cpu_xcr0, %eax
	xorl %edx, %edx
	xrstor64 registers_initial
	wrfsbase %rdx /* which stays 0 */
	movq CTX_VA(%r9), %rsp
	addq $SAVE, %rsp
	movq ENV_ENTRY(%rbp), %rcx
	movl $0x202, %r11d
	xorl %edi, %edi
	xorl %esi, %esi
	xorl %r8d, %r8d
	xorl %r9d, %r9d
	xorl %r10d, %r10d
	xorl %eax, %eax
	xorl %ebx, %ebx
	xorl %ebp, %ebp
	xorl %r12d, %r12d
	xorl %r13d, %r13d
	xorl %r14d, %r14d
	xorl %r15d, %r15d
	swapgs
	wrgsbase %rax
	sysretq

/* Loading GS clobbers the kernel's base. */
yield_selectors:
	xorl %eax, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %fs
	rdgsbase %rdx
	movl %eax, %gs
	wrgsbase %rdx
	jmp yield_selected

yield_pending:
	lock andl $~ARIL_PEND_END, ARIL_CTX_PENDING(%rdx)
	jmp yield_clean

yield_unclaim:
	movl $READY, CTX_STATE(%r9)
yield_full:
	movl $ARIL_CALL_YIELD_INDEX, %eax
	jmp syscall_call

gate_unclaim:
	movl $READY, CTX_STATE(%rcx)
	jmp gate_full
	.section .note.GNU-stack, "", @progbits

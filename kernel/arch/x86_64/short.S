/* SPDX-License-Identifier: MIT
 * The short ways of gate and yield, entered from syscall_entry: GS is the kernel's, all else the program's, rsp too: they use no
 * stack. What they do not do goes on at gate_full or syscall_call, as if nothing had been. */
#include "asm.h"
#include "entry.h"
#include "x86.h"
#include <aril/calls.h>
#include <aril/upcall.h>

/* Goes the other way unless the permit of that context covers the call, and no slice is over. */
.macro permit at context epoch other
	cmpl %edi, \at + PERMIT_AUTH(\context)
	jne \other
	cmpl %esi, \at + PERMIT_ID(\context)
	jne \other
	movq \at + PERMIT_EPOCH(\context), \epoch
	cmpq authority_epoch, \epoch
	jne \other
	cmpq $0, CPU_GRACE_END
	jne \other
.endm

/* Whoever is entered finds PKRU 0; so does who is refused. Uses CPU_SHORT_RCX and CPU_SHORT_R11; eax is lost. */
.macro keys_open
	movq %rcx, CPU_SHORT_RCX
	movq %rdx, CPU_SHORT_R11
	xorl %ecx, %ecx
	rdpkru
	testl %eax, %eax
	jz 1f
	xorl %eax, %eax
	wrpkru /* rdpkru has cleared edx */
1:	movq CPU_SHORT_RCX, %rcx
	movq CPU_SHORT_R11, %rdx
.endm

	.text
	.globl gate_short, yield_short, gate_keyed, yield_keyed
gate_keyed:
	keys_open
/* A gate that was gone through before: what call_gate_frame (transfer.c) does where it finds a permit, on this CPU, no
 * slice over. It leaves no trace until it has claimed the callee's context, and takes that back where it cannot go on. */
gate_short:
	movq %rcx, CPU_SHORT_RCX
	movq %r11, CPU_SHORT_R11
	movq CPU_CTX, %r11
	permit CTX_GATE %r11 %rcx gate_full
	movq CTX_GATE + PERMIT_TO(%r11), %rcx
	movl $READY, %eax
	movl $RUNNING, %r11d
	lock cmpxchgl %r11d, CTX_STATE(%rcx)
	jne gate_full
	movq CTX_PAGE(%rcx), %r11
	cmpq $1, ARIL_CTX_GATE_OPEN(%r11) /* open, and FORCED, the word after it, 0 */
	jne gate_unclaim
	movl CTX_DONEE(%rcx), %eax
	orl %edx, %eax
	jnz gate_donee
gate_donated:
	testl $ARIL_PEND_END, ARIL_CTX_PENDING(%r11)
	jnz gate_pending
gate_clean:
	movl $ARIL_MASK_ALL, ARIL_CTX_MASK(%r11)
	movq CPU_CTX, %rax
	movq %rcx, CPU_CTX
	movw $0, CTX_STRIKES(%rax)
	movl $READY, CTX_STATE(%rax)
	movq CPU_ENV, %rax
	movl ENV_ID(%rax), %eax
	movq %rax, ARIL_CTX_GATE_CALLER(%r11)
	movq CTX_TOP(%rcx), %rsp
	movq CTX_ENV(%rcx), %r11
	movq %r11, CPU_ENV
	movq ENV_CR3(%r11), %rcx
	cmpq %rcx, CPU_CR3
	je 1f
	movq %rcx, CPU_CR3
	movq %rcx, %cr3
1:	movq CPU_BOOK, %rcx
	movl %esi, BOOK_ENV(%rcx)
	incq BOOK_SWITCHES(%rcx)
	movq ENV_GATE(%r11), %rcx
	movl $0x202, %r11d
	swapgs
	sysretq

/* The answer to the callee's synchronous call gives it its slices back; else a synchronous call lends ours. Or the call
 * is none of these: to another CPU, or refused. */
gate_donee:
	cmpl $GATE_SYNC, %edx
	ja gate_unclaim
	movq CPU_ENV, %rax
	movl ENV_ID(%rax), %eax
	cmpl %eax, CTX_DONEE(%rcx)
	jne 1f
	movl $0, CTX_DONEE(%rcx)
	jmp gate_donated
1:	testl $GATE_SYNC, %edx
	jz gate_donated
	movq CPU_CTX, %rax
	movl %esi, CTX_DONEE(%rax)
	jmp gate_donated

/* An END of an earlier slice. */
gate_pending:
	lock andl $~ARIL_PEND_END, ARIL_CTX_PENDING(%r11)
	jmp gate_clean

gate_unclaim:
	movl $READY, CTX_STATE(%rcx)
	jmp gate_full

yield_keyed:
	keys_open
/* A yield to who was yielded to before: what call_yield does where it finds a permit, and slice_enter. The argument
 * registers are free, the others are kept until nothing can be refused. The timer stays as it is: the slice goes on. */
yield_short:
	movq CPU_CTX, %r8
	permit CTX_YIELD %r8 %r9 yield_full
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
	movw $0, CTX_STRIKES(%r8)
	movq CTX_ENV(%r8), %rax
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
	movq CTX_SAVE(%r9), %rsp
	movq ENV_ENTRY(%rbp), %rcx
	movl $0x202, %r11d
	xorl %edi, %edi
	xorl %esi, %esi
	xorl %r8d, %r8d
	xorl %r9d, %r9d
	xorl %r10d, %r10d
	clear_others
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
	.section .note.GNU-stack, "", @progbits

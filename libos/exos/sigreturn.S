/* SPDX-License-Identifier: MIT
 * The way back from a signal's handler, by a stub. Its last steps, where END and EVENT arrive, are in entry.S (sigreturn_edge). */
#include "entry.inc"
#include <aril/upcall.h>

	.text
	.globl sigreturn_fill
	.hidden sigreturn_fill

/* rt_sigreturn by a stub: rcx where it would go on, rsp behind the frame's first word. Nothing of the program's registers is
 * kept, as the frame has others: they are loaded from where it lies. */
function exos_sigreturn_entry
#ifdef GUARDED
	movq %rcx, %rsi
	xorl %eax, %eax
	xorl %ecx, %ecx
	xorl %edx, %edx
	wrpkru
	movq %rsi, %rcx
#endif
	leaq -8(%rsp), %rbx
	movq %gs:THREAD_REGS, %rsp
	movq %gs:THREAD_CONTEXT, %rax
	movl $ARIL_MASK_ASYNC, ARIL_CTX_MASK(%rax)
	movq %rcx, REGS_RIP(%rsp)
	movq %rbx, %rdi
	cld
	xorl %ebp, %ebp
	call sigreturn_state
	testl %eax, %eax
	jne sigreturn_bad
	something_left sigreturn_long

.macro from_frame place, register
9:	movq \place(%rbx), \register
	.pushsection .exos_extable, "a"
	.quad 9b, sigreturn_bad
	.popsection
.endm
	from_frame FRAME_RDI, %rdi
	from_frame FRAME_RCX, %rcx
	from_frame FRAME_RAX, %rax
	from_frame FRAME_RSP, %rdx
	from_frame FRAME_RIP, %rsi
	from_frame FRAME_RFLAGS, %r8
	andl $RFLAGS_PROGRAM, %r8d
	orl $RFLAGS_ALWAYS, %r8d
	movq %rdi, REGS_RDI(%rsp)
	movq %rcx, REGS_RCX(%rsp)
	movq %rax, REGS_RAX(%rsp)
	movq %rdx, REGS_RSP(%rsp)
	movq %rsi, REGS_RIP(%rsp)
	movq %r8, REGS_RFLAGS(%rsp)
	from_frame FRAME_R8, %r8
	from_frame FRAME_R9, %r9
	from_frame FRAME_R10, %r10
	from_frame FRAME_R11, %r11
	from_frame FRAME_R12, %r12
	from_frame FRAME_R13, %r13
	from_frame FRAME_R14, %r14
	from_frame FRAME_R15, %r15
	from_frame FRAME_RSI, %rsi
	from_frame FRAME_RBP, %rbp
	from_frame FRAME_RDX, %rdx
#ifdef GUARDED /* which closing needs */
	movq %rdx, REGS_RDX(%rsp)
#endif
	from_frame FRAME_RBX, %rbx
	jmp sigreturn_edge
sigreturn_bad: /* rbx: the frame still. SIGSEGV */
	leaq 8(%rbx), %rdx
	movq %rdx, REGS_RSP(%rsp)
	movq $RFLAGS_ALWAYS, REGS_RFLAGS(%rsp)
	xorl %ebx, %ebx
sigreturn_long:
	movq %rsp, %rdi
	movq %rbx, %rsi
	call sigreturn_registers
	jmp exos_return

/* Behind its return address the frame: what sigreturn_edge has in registers. */
sigreturn_fill:
	movq $-1, 8 + REGS_ORIG_RAX(%rsp)
#ifndef GUARDED
	movq %rdx, 8 + REGS_RDX(%rsp)
#endif
	movq %rsi, 8 + REGS_RSI(%rsp)
	movq %rbx, 8 + REGS_RBX(%rsp)
	movq %rbp, 8 + REGS_RBP(%rsp)
	movq %r8, 8 + REGS_R8(%rsp)
	movq %r9, 8 + REGS_R9(%rsp)
	movq %r10, 8 + REGS_R10(%rsp)
	movq %r11, 8 + REGS_R11(%rsp)
	movq %r12, 8 + REGS_R12(%rsp)
	movq %r13, 8 + REGS_R13(%rsp)
	movq %r14, 8 + REGS_R14(%rsp)
	movq %r15, 8 + REGS_R15(%rsp)
	ret

	.section .note.GNU-stack, "", @progbits

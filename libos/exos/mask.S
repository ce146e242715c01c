/* SPDX-License-Identifier: MIT
 * rt_sigprocmask and set_robust_list by stubs. A family with the guard has none of this: there they are quick calls as any other. */
#include "entry.inc"

	.text
	.globl mask_out
	.hidden mask_out, mask_edge, quick_return, quick_saved

/* set_robust_list. Its result is 0 as that of rt_sigprocmask, which is all that what leaves by mask_edge and mask_out says of it. */
function exos_robust_entry
	save_few
	cmpq $ROBUST_BYTES, %rsi
	jne robust_slow
	movq %rdi, %gs:THREAD_ROBUST
	jmp mask_edge
robust_slow:
	movl $SET_ROBUST_LIST, %eax
	jmp stub_slow

/* rt_sigprocmask, where nothing pends and its memory is there: as quick_rt_sigprocmask, but all registers it does not use stay
 * where they are. Nothing is done before the mask is exchanged but a store of the mask that was; behind that what pends is looked
 * at (signal_mask_set). */
function exos_mask_entry
	save_few
	cmpq $8, %r10
	jne mask_slow
	leaq -1(%rsi), %rax /* 0 is no address here */
	movabsq $ENTRY_PROGRAM_TOP - 9, %r11
	cmpq %r11, %rax
	ja mask_slow
1:	movq (%rsi), %rcx
	cmpq $SIG_SETMASK, %rdi
	jne mask_relative
2:	andq $~MASK_UNBLOCKABLE, %rcx
	testq %rdx, %rdx
	jne mask_old
3:	xchgq %rcx, %gs:THREAD_SIG_MASK
	movq %gs:THREAD_PROC, %r11
	movq PROC_PENDING(%r11), %rax
	orq %gs:THREAD_PENDING, %rax
	jne mask_pends
	cmpl $0, sched_wanted(%rip)
	je mask_edge
mask_out:
	save_arguments
	movq $RT_SIGPROCMASK, REGS_ORIG_RAX(%rsp)
	cld
	xorl %eax, %eax
	jmp quick_return
mask_relative:
	cmpq $SIG_UNBLOCK, %rdi
	ja mask_slow
	je 4f
	orq %gs:THREAD_SIG_MASK, %rcx
	jmp 2b
4:	notq %rcx
	andq %gs:THREAD_SIG_MASK, %rcx
	jmp 2b
mask_old:
	cmpq %r11, %rdx
	ja mask_slow
	movq %gs:THREAD_SIG_MASK, %rax
5:	movq %rax, (%rdx)
	jmp 3b
/* Something pends, and others may have to be told of it: the mask that was is in rcx. */
mask_pends:
	save_arguments
	movq $RT_SIGPROCMASK, REGS_ORIG_RAX(%rsp)
	cld
	movq %rcx, %rdi
	call exos_mask_pends
	xorl %eax, %eax
	jmp quick_return
/* Nothing has been done. */
mask_slow:
	movl $RT_SIGPROCMASK, %eax
stub_slow:
	save_arguments
	movq %rax, REGS_ORIG_RAX(%rsp)
	movq REGS_RIP(%rsp), %rcx
	cld
	jmp quick_saved
	.pushsection .exos_extable, "a"
	.quad 1b, mask_slow, 5b, mask_slow
	.popsection

	.section .note.GNU-stack, "", @progbits

/* SPDX-License-Identifier: MIT
 * The short way of an exception to its env's code: what code_fault (kernel/code_run.c) does, without a frame of all
 * registers. Entered from upcall_short (entry.S): GS is the kernel's, rdx the env, rax, rcx, rdx on the stack below what the
 * CPU pushed. Compiled code keeps rbx, rbp and r12 to r15; vector state is not touched by it, nor by what it calls.
 *
 * The lock is tried, not waited for: nothing was polled since this CPU entered, so the env is what it was, and whoever ends
 * it has the lock. Where it is taken, and where the space has a cache, the long way is gone, as if nothing had been. */
#include "asm.h"
#include "entry.h"
#include "x86.h"
#include <aril/layout.h>

	.text
/* struct aril_fault * and the address in rdi, rsi */
FUNCTION(fault_page_short)
	movq ENV_ROOT(%rdx), %rax
	testw $FRAME_CACHED, FRAME_FLAGS(%rax)
	jnz fault_full
	pushq %rsi
	pushq %rdi
	movq %cr2, %rsi
	jmp fault_short
END(fault_page_short)

FUNCTION(fault_other_short)
	pushq %rsi
	pushq %rdi
	xorl %esi, %esi
fault_short:
	pushq %r8
	pushq %r9
	pushq %r10
	pushq %r11
	movl $1, %eax
	xchgl %eax, object_lock
	testl %eax, %eax
	jnz fault_busy
	movl ENV_FAULT(%rdx), %eax
	testl %eax, %eax
	jz fault_none
	movq CPU_RUN, %r9
	movq %rax, RUN_USE(%r9)
	shrl $CODE_REF_BITS, %eax
	shlq $ARIL_PAGE_SHIFT, %rax
	movabsq $ARIL_PHYS_VA, %rcx
	addq %rax, %rcx
	movq CODE_ALLOWANCE(%rcx), %rax
	movq %rax, RUN_BUDGET(%r9)
	movq $0, RUN_STOPPED(%r9)
	leaq 9 * 8(%rsp), %rdi
	pushq %rcx
	cld
	call *CODE_RUN(%rcx)
	popq %rcx
	movq CPU_RUN, %r9
	movl CPU_ID, %edx
	leaq (%rdx, %rdx, 2), %rdx
	incq CODE_COUNTS(%rcx, %rdx, 8)
	movl CODE_BUDGET(%rcx), %edi
	subq RUN_BUDGET(%r9), %rdi
	addq %rdi, CODE_COUNTS + 16(%rcx, %rdx, 8)
	cmpq $0, RUN_STOPPED(%r9)
	jne fault_stopped
	movl $0, object_lock
	cmpq $1, %rax
	jne fault_upcall
	popq %r11
	popq %r10
	popq %r9
	popq %r8
	popq %rdi
	popq %rsi
	popq %rdx
	popq %rcx
	popq %rax
	addq $16, %rsp
	swapgs
	iretq

fault_stopped:
	incq CODE_COUNTS + 8(%rcx, %rdx, 8)
fault_none:
	movl $0, object_lock
fault_upcall: /* the library's: as if there were no code */
	popq %r11
	popq %r10
	popq %r9
	popq %r8
	popq %rdi
	popq %rsi
	movq CPU_ENV, %rdx
	cmpq $14, 24(%rsp)
	je fault_page_upcall
	jmp fault_other_upcall

fault_busy:
	popq %r11
	popq %r10
	popq %r9
	popq %r8
	popq %rdi
	popq %rsi
fault_full:
	popq %rdx
	popq %rcx
	popq %rax
	jmp entry_full
END(fault_other_short)
	.section .note.GNU-stack, "", @progbits

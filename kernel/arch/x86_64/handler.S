/* SPDX-License-Identifier: MIT
 * The short way of an exception to its env's code: what code_fault (kernel/code_run.c) does, without a frame of all
 * registers. Entered from upcall_short (entry.S): GS is the kernel's, rdx the env, rcx the first node of its event; rax, rcx,
 * rdx on the stack below what the CPU pushed. Compiled code keeps rbx, rbp and r12 to r15; vector state is not touched by
 * it, nor by what it calls.
 *
 * No lock is taken, and nothing polled: each node stays until this CPU is out of here. Where the space has a cache, the long
 * way is gone, as if nothing had been. rbx: the node; each says in `enter` how to go on. */
#include "asm.h"
#include "entry.h"
#include "x86.h"
#include <aril/layout.h>

#define EVENT (10 * 8) /* struct aril_fault, from rsp */

.macro event_registers
	pushq %rsi
	pushq %rdi
	pushq %r8
	pushq %r9
	pushq %r10
	pushq %r11
	pushq %rbx
.endm

.macro event_restore
	popq %rbx
	popq %r11
	popq %r10
	popq %r9
	popq %r8
	popq %rdi
	popq %rsi
.endm

/* The first node, with the arguments that code is called with. */
.macro event_begin
	movq %rcx, %rbx
	movq CPU_RUN, %r9
	leaq EVENT(%rsp), %rdi
	cld
	jmp *NODE_ENTER(%rbx)
.endm

/* The next one, behind code that may have changed them. */
.macro event_go_on
	movq CPU_RUN, %r9
	leaq EVENT(%rsp), %rdi
	xorl %esi, %esi
	cmpq $14, (%rdi)
	jne 1f
	movq %cr2, %rsi
1:	jmp *NODE_ENTER(%rbx)
.endm

	.text
FUNCTION(fault_page_short)
	movq ENV_ROOT(%rdx), %rax
	testw $FRAME_CACHED, FRAME_FLAGS(%rax)
	jnz fault_full
	event_registers
	movq %cr2, %rsi
	event_begin
fault_full:
	popq %rdx
	popq %rcx
	popq %rax
	jmp entry_full
END(fault_page_short)

FUNCTION(fault_other_short)
	event_registers
	xorl %esi, %esi
	event_begin
END(fault_other_short)

/* A handler: its budget, its run, what is left; and, if it says so, the program goes on. */
FUNCTION(arch_event_handler)
	movq NODE_ALLOWANCE(%rbx), %rax
	movq %rax, RUN_BUDGET(%r9)
	movq %rbx, RUN_USE(%r9)
	call *NODE_RUN(%rbx)
	movq %rbx, %rdx
	andq $-ARIL_PAGE_SIZE, %rdx
	addq CPU_COUNTS, %rdx
	incq COUNTS_RUNS(%rdx)
	movq CPU_RUN, %r9
	movq RUN_BUDGET(%r9), %rcx
	addq %rcx, COUNTS_LEFT(%rdx)
	cmpq $1, %rax
	jne event_declined
END(arch_event_handler)
FUNCTION(arch_event_resume)
	event_restore
	popq %rdx
	popq %rcx
	popq %rax
	addq $16, %rsp
	swapgs
	iretq
event_declined: /* as one that was stopped does: it returns 0 */
	cmpq $0, RUN_STOPPED(%r9)
	jne event_stopped
event_next:
	movq NODE_FIRST(%rbx), %rbx
	movq NODE_NEXT(%rbx), %rbx
	event_go_on
event_stopped:
	movq $0, RUN_STOPPED(%r9)
	incq COUNTS_STOPS(%rdx)
	jmp event_next
END(arch_event_resume)

/* A guard says 0 or 1. */
FUNCTION(arch_event_guard)
	call *NODE_RUN(%rbx)
	lock incq NODE_COUNT(%rbx, %rax, 8)
	movq NODE_NEXT(%rbx, %rax, 8), %rbx
	event_go_on
END(arch_event_guard)

/* The same of one that leaves the arguments where they are. */
FUNCTION(arch_event_guard_kept)
	call *NODE_RUN(%rbx)
	lock incq NODE_COUNT(%rbx, %rax, 8)
	movq NODE_NEXT(%rbx, %rax, 8), %rbx
	jmp *NODE_ENTER(%rbx)
END(arch_event_guard_kept)

/* Nobody else: the library, as if there were no code. */
FUNCTION(arch_event_end)
	event_restore
	movq CPU_ENV, %rdx
	cmpq $14, 24(%rsp)
	jne 1f
	jmp *fault_page_upcall_to
1:	jmp *fault_other_upcall_to
END(arch_event_end)
	.section .note.GNU-stack, "", @progbits

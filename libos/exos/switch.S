/* SPDX-License-Identifier: MIT
 * From one thread to the next: what of it is not in its frame is saved and loaded here. */
#include "entry.inc"
#include <aril/calls.h>
#include <aril/upcall.h>

	.text

/* Of the thread, whose other registers its caller has saved or does not need: rbp, rsp, and what the program has beside
 * its frame. Clobbers rax, rcx, rdx. */
.macro thread_save thread=%rdi
	pushq %rbp
	rdfsbase %rax
	movq %rax, THREAD_FS_BASE(\thread)
	movq THREAD_XSAVE(\thread), %rcx
	movl $-1, %eax
	movl %eax, %edx
	xsave64 (%rcx)
	movq %rsp, THREAD_SWITCH_RSP(\thread)
.endm
.macro thread_load
	movq THREAD_FS_BASE(%rdi), %rax
	wrfsbase %rax
	movq THREAD_XSAVE(%rdi), %rcx
	movl $-1, %eax
	movl %eax, %edx
	xrstor64 (%rcx)
	movq THREAD_SWITCH_RSP(%rdi), %rsp
	movq $0, THREAD_SWITCH_RSP(%rdi)
	popq %rbp
	ret
.endm

/* switch.h: rdi: the thread, rsi: the next one. Nothing is kept. */
function thread_swap_from
	thread_save
	movq THREAD_CONTEXT(%rdi), %rax
	movl $ARIL_MASK_NONE, ARIL_CTX_MASK(%rax)
	movq %rsi, %rdi
	wrgsbase %rdi
	movq %rax, THREAD_CONTEXT(%rdi)
	thread_load

/* switch.h: rbx: the thread, edi: the capability, esi: the env to yield to. Nothing is kept. */
function thread_leave_to
	thread_save %rbx
	movq THREAD_CONTEXT(%rbx), %rax
	movl $ARIL_MASK_ASYNC, ARIL_CTX_MASK(%rax)
	leaq ARIL_CTX_STACK_TOP(%rax), %rsp
	movq $0, lock_state + LOCK_OWNER(%rip)
	lock decl lock_state + LOCK_WORD(%rip)
	jne 2f
1:	movl $ARIL_CALL_YIELD, %eax
	syscall
	/* It could not be entered: the scheduler looks into it. */
	xorl %edi, %edi
	xorl %esi, %esi
	jmp 1b
2:	movl %edi, %ebp
	movl %esi, %ebx
	call lock_told
	movl %ebp, %edi
	movl %ebx, %esi
	jmp 1b

/* void thread_switch(struct thread *t) */
function thread_switch
	pushq %rbx
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	call 3f
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbx
	ret
3:	thread_save
	movq THREAD_CONTEXT(%rdi), %rax
	movl $ARIL_MASK_ASYNC, ARIL_CTX_MASK(%rax)
	leaq ARIL_CTX_STACK_TOP(%rax), %rsp
	xorl %ebp, %ebp
	call sched_leave
	ud2

/* Nobody is expected here. */
entry_start_any:
	movq %rsp, %rdi
	andq $-16, %rsp
	xorl %ebp, %ebp
	call exos_start
	ud2

/* START, no register has anything in it, the save area at rsp. The thread that is expected on this context goes on at once. */
	.globl entry_start
	.hidden entry_start
entry_start:
	movq %rsp, %rsi
	andq $-4096, %rsi
	movl ARIL_CTX_CPU(%rsi), %eax
	shlq $CPU_SHIFT, %rax
	addq cpus(%rip), %rax
	cmpq %rsi, CPU_EXPECTS(%rax)
	jne entry_start_any
	movq CPU_CURRENT(%rax), %rdi
	movq ARIL_CTX_COOKIE(%rsi), %rcx
	movq %rcx, CPU_LAST(%rax)
	movq $0, CPU_EXPECTS(%rax)
/* void thread_resume(struct thread *t, struct aril_context *ctx) */
function thread_resume
	wrgsbase %rdi
	movq %rsi, THREAD_CONTEXT(%rdi)
	movl $ARIL_MASK_NONE, ARIL_CTX_MASK(%rsi)
	thread_load

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

	.section .note.GNU-stack, "", @progbits

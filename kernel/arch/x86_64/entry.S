/* SPDX-License-Identifier: MIT
 * Every way into the kernel and out of it.
 *
 * GS: user code sets its own base freely, so the kernel never judges by the base's value. Entries
 * from user mode swap; entries from kernel mode do not; the entries on stacks of their own (IST),
 * which may interrupt either side of a swap, take the CPU's pointer from the top of their stack
 * and put the old base back.
 *
 * SYSRET faults in ring 0 when RCX is not canonical. RCX here is the address after a `syscall` in
 * user space, whose last page is never bound, or an entry below ARIL_USER_TOP that was checked
 * when it was set. IRETQ to user mode cannot fault: the frame is as the CPU pushed it in user mode
 * (CS and SS have one possible value each: there is no other user code segment and no LDT), or was
 * checked by the kernel.
 *
 * MOV SS delays a debug trap by one instruction, so with TF or a breakpoint it could arrive at the
 * first instruction here. No breakpoint is ever enabled, SYSCALL masks TF; still #DB has a stack
 * of its own and is ignored when it interrupts the kernel. */
#include "asm.h"
#include "entry.h"
#include "x86.h"
#include <aril/calls.h>
#include <aril/upcall.h>

.macro push_registers
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
.endm

.macro pop_registers
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
.endm

.macro clear_arguments
	xorl %edi, %edi
	xorl %esi, %esi
	xorl %edx, %edx
	xorl %r8d, %r8d
	xorl %r9d, %r9d
	xorl %r10d, %r10d
.endm

/* On the kernel's stack, rcx and r11 as SYSCALL left them: the frame of who called, in rdi. */
.macro call_frame vector
	pushq $USER_SS
	pushq CPU_USER_RSP
	pushq %r11
	pushq $USER_CS
	pushq %rcx
	pushq $0
	pushq $\vector
	push_registers
	movq %rsp, %rdi
.endm

/* A foreign call, the short way to the library: as upcall_short, but rcx and r11 are lost already. */
.macro reflect_short keyed
	KERNEL_STACK
	addl $ARIL_CALL_BASE, %eax
	js syscall_none
	pushq %r11
	pushq %rcx
	pushq %rdx
	movq CPU_CTX, %rcx
	movq CTX_PAGE(%rcx), %r11
	movq CPU_USER_RSP, %rdx
	subq CTX_VA(%rcx), %rdx
	cmpq $ARIL_CTX_STACK_TOP, %rdx
	jbe syscall_full
	cmpl $ARIL_MASK_ALL, ARIL_CTX_MASK(%r11)
	je syscall_full
	movq ARIL_CTX_SEQ(%r11), %rdx
	orq $1, %rdx
	movq %rdx, ARIL_CTX_SEQ(%r11)
	incq %rdx
	movq %rdx, SAVE + ARIL_SAVE_SEQ(%r11)
	movq $ARIL_VECTOR_SYSCALL, SAVE + ARIL_SAVE_VECTOR(%r11)
	movq $0, SAVE + ARIL_SAVE_ERROR(%r11)
	movq $0, SAVE + ARIL_SAVE_ADDR(%r11)
	movq 8(%rsp), %rdx
	movq %rdx, SAVE + ARIL_SAVE_RIP(%r11)
	movq $USER_CS, SAVE + ARIL_SAVE_CS(%r11)
	movq 16(%rsp), %rdx
	movq %rdx, SAVE + ARIL_SAVE_RFLAGS(%r11)
	movq CPU_USER_RSP, %rdx
	movq %rdx, SAVE + ARIL_SAVE_RSP(%r11)
	movq $USER_SS, SAVE + ARIL_SAVE_SS(%r11)
	movl $ARIL_MASK_ALL, ARIL_CTX_MASK(%r11)
	.if \keyed
	pushq %rax
	xorl %ecx, %ecx
	rdpkru
	movq %rax, SAVE + ARIL_SAVE_KEYS(%r11)
	testl %eax, %eax
	jz 1f
	xorl %eax, %eax
	wrpkru /* rdpkru has cleared edx */
1:	popq %rax
	movq CPU_CTX, %rcx
	.endif
	incq ARIL_CTX_SEQ(%r11)
	movq CTX_ENV(%rcx), %r11
	movq ENV_INFO(%r11), %rdx
	incq INFO_UPCALLS(%rdx)
	popq %rdx
	movq CTX_SAVE(%rcx), %rsp
	movq ENV_ENTRY(%r11), %rcx
	movl $0x202, %r11d
	swapgs
	sysretq
.endm

	.text
/* kernel_rsp is the stack's end, 16-byte aligned. The program's rsp stays in CPU_USER_RSP: until the way out nothing
 * enters from user mode, and nothing else writes there. Until a way needs the stack rsp is the program's: those of short.S,
 * and page_protect's, use none, and nothing can interrupt them but what has a stack of its own. */
FUNCTION(syscall_entry)
	swapgs
	subl $ARIL_CALL_BASE, %eax
	cmpl $ARIL_CALL_SLOTS, %eax
	jae syscall_other
	jmp *entry_table(, %rax, 8)
syscall_call: /* eax: the call's index */
	KERNEL_STACK
	pushq %r11
	pushq %rcx
	movq %r10, %rcx
	call *call_table(, %rax, 8)
syscall_return:
	clear_arguments
	popq %rcx
	popq %r11
	movq CPU_USER_RSP, %rsp
	swapgs
	sysretq

/* In place of syscall_return (arch_call_again): the program is at its `syscall` again, with what it had there. */
	.globl syscall_again
syscall_again:
	movq CPU_AGAIN(0), %rdi
	movq CPU_AGAIN(1), %rsi
	movq CPU_AGAIN(2), %rdx
	movq CPU_AGAIN(3), %r10
	movq CPU_AGAIN(4), %r8
	movq CPU_AGAIN(5), %r9
	movq CPU_AGAIN(6), %rax
	popq %rcx
	popq %r11
	subq $2, %rcx
	movq CPU_USER_RSP, %rsp
	swapgs
	sysretq

syscall_other:
	reflect_short 0

syscall_full:
	popq %rdx
	popq %rcx
	popq %r11
	call_frame ARIL_VECTOR_SYSCALL
	xorl %ebp, %ebp
	call trap_dispatch
	/* The frame now enters the library, which counts rcx and r11 lost. */
frame_sysret:
	pop_registers
	movq FRAME_RIP - FRAME_REGISTERS(%rsp), %rcx
	movq FRAME_RFLAGS - FRAME_REGISTERS(%rsp), %r11
	movq FRAME_RSP - FRAME_REGISTERS(%rsp), %rsp
	swapgs
	sysretq

syscall_none: /* on the kernel's stack */
	pushq %r11
	pushq %rcx
	movq $-E_CALL, %rax
	jmp syscall_return

/* A gate, the long way: short.S sends here what it does not do. */
	.globl gate_full, syscall_call, syscall_return, frame_sysret
gate_full: /* rcx and r11 in CPU_SHORT_RCX and CPU_SHORT_R11 */
	movq CPU_SHORT_RCX, %rcx
	movq CPU_SHORT_R11, %r11
	KERNEL_STACK
	movl $ARIL_CALL_GATE, %eax
	call_frame VECTOR_GATE
	call call_gate_frame
	testq %rax, %rax
	jns frame_sysret
	movq FRAME_RIP(%rsp), %rcx
	movq FRAME_RFLAGS(%rsp), %r11
	movq FRAME_RSP(%rsp), %rsp
	clear_arguments
	swapgs
	sysretq
END(syscall_entry)

/* The same where the machine has protection keys: an upcall is entered with PKRU 0, and its save area has what was there. */
FUNCTION(syscall_entry_keyed)
	swapgs
	subl $ARIL_CALL_BASE, %eax
	cmpl $ARIL_CALL_SLOTS, %eax
	jae 1f
	jmp *entry_table(, %rax, 8)
1:	reflect_short 1
END(syscall_entry_keyed)

/* One stub of 16 bytes per vector, which leaves vector and error code on the stack. */
.macro vectors first last exception
	.set vector, \first
	.rept \last - \first
	.balign 16
	.if (vector == 2) || (vector == 8) || (vector == 18)
	.if vector != 8
	pushq $0
	.endif
	pushq $vector
	jmp entry_paranoid
	.elseif vector == 1
	pushq $0
	pushq $1
	jmp entry_debug
	.else
	.if !((vector >= 10 && vector <= 14) || vector == 17 || vector == 21 || vector == 29 || vector == 30)
	pushq $0
	.endif
	pushq $vector
	.if vector < 32
	jmp \exception
	.else
	jmp entry_common
	.endif
	.endif
	.set vector, vector + 1
	.endr
.endm
	.globl vector_stubs, vector_stubs_keyed
	.balign 16
vector_stubs:
	vectors 0, 256, entry_exception
	.balign 16
vector_stubs_keyed:
	vectors 0, 32, entry_exception_keyed

/* The short way of an exception to its env: the program was on a stack of its own (not in its context's page), and
 * its context does not mask all; a page fault: its space has no cache. An env's code for exceptions goes before it
 * (handler.S). The save area is written at its place from what the CPU pushed, and the frame then points to the env's entry: as upcall_exception does, to whom all else is left
 * (slice.c). Three registers are borrowed. Nothing of this CPU's is looked up but the context that runs on it. */
.macro upcall_short page_fault keyed=0
	testb $3, FRAME_CS - FRAME_REGISTERS(%rsp)
	jz entry_kernel
	swapgs
	CLAC
	pushq %rax
	pushq %rcx
	pushq %rdx
	movq CPU_ENV, %rdx
	movq ENV_FAULT(%rdx), %rcx
	jrcxz 7f
	.if \page_fault
	jmp fault_page_short
7:	movq ENV_ROOT(%rdx), %rax
	testw $FRAME_CACHED, FRAME_FLAGS(%rax)
	jnz 8f
	.if \keyed
	.globl fault_page_upcall_keyed
fault_page_upcall_keyed:
	.else
fault_page_upcall:
	.endif
	.else
	jmp fault_other_short
7:
	.if \keyed
	.globl fault_other_upcall_keyed
fault_other_upcall_keyed:
	.else
fault_other_upcall:
	.endif
	.endif
	movq CPU_CTX, %rcx
	movq 64(%rsp), %rax
	subq CTX_VA(%rcx), %rax
	cmpq $ARIL_CTX_STACK_TOP, %rax
	jbe 9f
	movq CTX_PAGE(%rcx), %rcx
	cmpl $ARIL_MASK_ALL, ARIL_CTX_MASK(%rcx)
	je 9f
	movq ENV_INFO(%rdx), %rax
	incq INFO_UPCALLS(%rax)
	movq ARIL_CTX_SEQ(%rcx), %rax
	orq $1, %rax
	movq %rax, ARIL_CTX_SEQ(%rcx)
	incq %rax
	movq %rax, SAVE + ARIL_SAVE_SEQ(%rcx)
	.if \page_fault
	movq $14, SAVE + ARIL_SAVE_VECTOR(%rcx)
	movq %cr2, %rax
	movq %rax, SAVE + ARIL_SAVE_ADDR(%rcx)
	.else
	movq 24(%rsp), %rax
	movq %rax, SAVE + ARIL_SAVE_VECTOR(%rcx)
	movq $0, SAVE + ARIL_SAVE_ADDR(%rcx)
	.endif
	movq 32(%rsp), %rax
	movq %rax, SAVE + ARIL_SAVE_ERROR(%rcx)
	movq 40(%rsp), %rax
	movq %rax, SAVE + ARIL_SAVE_RIP(%rcx)
	movq $USER_CS, SAVE + ARIL_SAVE_CS(%rcx)
	movq 56(%rsp), %rax
	movq %rax, SAVE + ARIL_SAVE_RFLAGS(%rcx)
	movq 64(%rsp), %rax
	movq %rax, SAVE + ARIL_SAVE_RSP(%rcx)
	movq $USER_SS, SAVE + ARIL_SAVE_SS(%rcx)
	movl $ARIL_MASK_ALL, ARIL_CTX_MASK(%rcx)
	.if \keyed
	xorl %ecx, %ecx
	rdpkru
	movq CPU_CTX, %rdx
	movq CTX_PAGE(%rdx), %rdx
	movq %rax, SAVE + ARIL_SAVE_KEYS(%rdx)
	testl %eax, %eax
	jz 1f
	xorl %eax, %eax
	xorl %edx, %edx
	wrpkru
1:	movq CPU_CTX, %rcx
	movq CTX_PAGE(%rcx), %rcx
	movq CPU_ENV, %rdx
	.endif
	incq ARIL_CTX_SEQ(%rcx)
	movq ENV_ENTRY(%rdx), %rax
	movq %rax, 40(%rsp)
	movq $0x202, 56(%rsp)
	movq CPU_CTX, %rax
	movq CTX_SAVE(%rax), %rax
	movq %rax, 64(%rsp)
	popq %rdx
	popq %rcx
	popq %rax
	addq $16, %rsp
	swapgs
	iretq
9:	popq %rdx
	popq %rcx
	popq %rax
	jmp entry_upcall
	.if \page_fault
8:	popq %rdx
	popq %rcx
	popq %rax
	jmp entry_full
	.endif
.endm

FUNCTION(entry_exception)
	upcall_short 0
END(entry_exception)

FUNCTION(entry_page_fault)
	pushq $14
	upcall_short 1
END(entry_page_fault)

FUNCTION(entry_exception_keyed)
	upcall_short 0, 1
END(entry_exception_keyed)

FUNCTION(entry_page_fault_keyed)
	pushq $14
	upcall_short 1, 1
END(entry_page_fault_keyed)

FUNCTION(entry_common)
	testb $3, FRAME_CS - FRAME_REGISTERS(%rsp)
	jz entry_kernel
	swapgs
entry_kernel:
	CLAC
	.globl entry_full
entry_full:
	push_registers
	cld
	movq %rsp, %rdi
	xorl %ebp, %ebp
	call trap_dispatch
frame_return:
	testb $3, FRAME_CS(%rsp)
	jz 2f
	pop_registers
	addq $16, %rsp
	swapgs
	iretq
2:	pop_registers
	addq $16, %rsp
	iretq
/* An exception that no code for exceptions has dealt with. */
entry_upcall:
	push_registers
	cld
	movq %rsp, %rdi
	xorl %ebp, %ebp
	call trap_upcall
	jmp frame_return
END(entry_common)

/* #DB, on its own stack: from user mode it goes on as any exception, on the kernel stack. */
FUNCTION(entry_debug)
	testb $3, FRAME_CS - FRAME_REGISTERS(%rsp)
	jz entry_paranoid
	swapgs
	movq %rax, CPU_USER_RSP
	movq %rsp, %rax
	movq CPU_KERNEL_RSP, %rsp
	pushq 48(%rax)
	pushq 40(%rax)
	pushq 32(%rax)
	pushq 24(%rax)
	pushq 16(%rax)
	pushq $0
	pushq $1
	movq CPU_USER_RSP, %rax
	push_registers
	cld
	CLAC
	movq %rsp, %rdi
	xorl %ebp, %ebp
	call trap_dispatch
	jmp frame_return
END(entry_debug)

/* On an IST stack, from anywhere. Above the frame lies this CPU's pointer. */
FUNCTION(entry_paranoid)
	push_registers
	cld
	CLAC
	rdgsbase %rbx
	movq FRAME_BYTES(%rsp), %rax
	wrgsbase %rax
	movq %rsp, %rdi
	xorl %ebp, %ebp
	call trap_paranoid
	wrgsbase %rbx
	pop_registers
	addq $16, %rsp
	iretq
END(entry_paranoid)

/* rcx and r11 hold what SYSRET takes from them: the entry's address and 0x202; the rest is zero. */
FUNCTION(arch_enter_user)
	movq %rdi, %rcx
	movl $0x202, %r11d
	movq %rsi, %rsp
	clear_arguments
	clear_others
	swapgs
	sysretq
END(arch_enter_user)

FUNCTION(arch_return_frame)
	movq %rdi, %rsp
	jmp frame_return
END(arch_return_frame)

FUNCTION(arch_on_kernel_stack)
	movq CPU_KERNEL_RSP, %rsp
	xorl %ebp, %ebp
	call *%rdi
	ud2
END(arch_on_kernel_stack)

/* sti takes effect after the next instruction: no interrupt can come between it and hlt. */
FUNCTION(idle_until_interrupt)
	sti
	hlt
	cli
	ret
END(idle_until_interrupt)

/* int user_copy(void *to, const void *from, u64 bytes): one side is user memory, both were
 * checked. */
FUNCTION(user_copy)
	STAC
	movq %rdx, %rcx
	shrq $3, %rcx
1:	rep movsq
	movl %edx, %ecx
	andl $7, %ecx
2:	rep movsb
	CLAC
	xorl %eax, %eax
	ret
3:	CLAC
	movl $-1, %eax
	ret
	FIXUP(1b, 3b)
	FIXUP(2b, 3b)
END(user_copy)

/* int vector_load(const void *area, u64 mask): XRSTOR; -1 if the area is not one. */
FUNCTION(vector_load)
	movl %esi, %eax
	xorl %edx, %edx
1:	xrstor64 (%rdi)
	xorl %eax, %eax
	ret
2:	movl $-1, %eax
	ret
	FIXUP(1b, 2b)
END(vector_load)
/* Where each call enters: by the table of handlers, or by a short way of its own. */
	.section .rodata
	.balign 8
	.globl entry_table, fault_page_upcall_to, fault_other_upcall_to
fault_page_upcall_to:
	.quad fault_page_upcall
fault_other_upcall_to:
	.quad fault_other_upcall
entry_table:
	.set index, 0
	.rept ARIL_CALL_SLOTS
	.if index == ARIL_CALL_GATE_INDEX
	.quad gate_short
	.elseif index == ARIL_CALL_YIELD_INDEX
	.quad yield_short
	.elseif index == ARIL_CALL_PAGE_PROTECT_INDEX
	.quad protect_short
	.elseif index == ARIL_CALL_PAGE_BIND_INDEX
	.quad bind_short
	.elseif index == ARIL_CALL_PAGE_UNBIND_INDEX
	.quad unbind_short
	.else
	.quad syscall_call
	.endif
	.set index, index + 1
	.endr
	.section .note.GNU-stack, "", @progbits

/* SPDX-License-Identifier: MIT
 * An IRETQ from user mode to user mode, tried once at boot (probe.c says why). */
#include "asm.h"
#include "x86.h"

#define PROBE_VA 0x400000

	.text
/* u32 probe_run(u64 rip, u64 rsp): enters user mode there, with the kernel's GS; returns the
 * vector of the exception that ends it. */
FUNCTION(probe_run)
	pushq %rbx
	pushq %rbp
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	movq %rsp, probe_rsp(%rip)
	pushq $USER_SS
	pushq %rsi
	pushq $2
	pushq $USER_CS
	pushq %rdi
	iretq
FUNCTION(probe_fault)
	movl $14, %eax
	jmp probe_end
FUNCTION(probe_passed)
	movl $6, %eax
probe_end:
	movq probe_rsp(%rip), %rsp
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbp
	popq %rbx
	ret
END(probe_run)

/* The user page: rsp is at probe_frame. */
	.section .rodata
	.globl probe_code, probe_frame, probe_code_end
	.balign 16
probe_code:
	iretq
probe_after:
	ud2
	.balign 16
probe_frame:
	.quad PROBE_VA + probe_after - probe_code, USER_CS, 2, PROBE_VA + 4096, USER_SS
probe_code_end:

	.bss
	.balign 8
probe_rsp:
	.skip 8
	.section .note.GNU-stack, "", @progbits

/* SPDX-License-Identifier: MIT
 * Accesses to the program's memory: each place that may fault stands in the table of usermem.c, with where it goes on then. */
#include "entry.inc"

	.text

/* int user_copy(void *to, const void *from, u64 bytes): 0, or -1 at a fault that nothing resolved. */
function user_copy
	movq %rdx, %rcx
	shrq $3, %rcx
6:	rep movsq
	movl %edx, %ecx
	andl $7, %ecx
7:	rep movsb
	xorl %eax, %eax
	ret
8:	movl $-1, %eax
	ret
	.pushsection .exos_extable, "a"
	.quad 6b, 8b, 7b, 8b
	.popsection

/* int user_exchange(u32 *at, u32 old, u32 new, u32 *seen): 0, or -1 at a fault that nothing resolved. */
function user_exchange
	movl %esi, %eax
13:	lock cmpxchgl %edx, (%rdi)
	movl %eax, (%rcx)
	xorl %eax, %eax
	ret
14:	movl $-1, %eax
	ret
	.pushsection .exos_extable, "a"
	.quad 13b, 14b
	.popsection

/* s64 user_string(char *to, const char *from, u64 room): length, room where no NUL came, -1 at a fault. */
function user_string
	xorl %eax, %eax
9:	cmpq %rdx, %rax
	je 11f
10:	movb (%rsi, %rax), %cl
	movb %cl, (%rdi, %rax)
	testb %cl, %cl
	je 11f
	incq %rax
	jmp 9b
11:	ret
12:	movq $-1, %rax
	ret
	.pushsection .exos_extable, "a"
	.quad 10b, 12b
	.popsection

	.section .note.GNU-stack, "", @progbits

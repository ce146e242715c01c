/* SPDX-License-Identifier: MIT
 * The short ways of the calls for one page (narrow.c), entered as those in short.S are.
 *
 * page_protect: for a page whose way this CPU's permit knows (permit.h), where the binding may be made writable. It takes no
 * lock. The page-table entry is changed by compare and exchange: what was bound in its place meanwhile sends it
 * the long way. The table in which the entry lies stays one until this CPU has left the kernel: authority_epoch rises when a
 * table is taken out, and who did that waits for the CPUs on the space before the frame becomes anything else, and this one
 * does not poll. Taking writing away while there are other CPUs is left to the long way. */
#include "asm.h"
#include "entry.h"
#include "x86.h"
#include <aril/calls.h>
#include <aril/layout.h>

#define PTE_W 0x2
#define PTE_MAY 0x800
#define REGION_SHIFT 21

/* The page's entry in r8, changed to what r10 says, or the long way; old in rax, new in r9. */
.macro protect_entry
	movl %edx, %r9d
	shrl $12, %r9d
	andl $511, %r9d
	movq CPU_SPACE_ENTRIES, %r8
	leaq (%r8, %r9, 8), %r8
	movq (%r8), %rax
	testl $PTE_MAY, %eax /* which only a readable page has */
	jz protect_full
	movq %rax, %r9
	andq $~(PTE_W | PTE_MAY), %r9
	orq %r10, %r9
	lock cmpxchgq %r9, (%r8)
	jne protect_full
.endm

.macro protect_done
	xorl %eax, %eax
	xorl %r8d, %r8d
	xorl %r9d, %r9d
	swapgs
	sysretq
.endm

	.text
FUNCTION(protect_short)
	movq CPU_CTX, %r8
	cmpq %r8, CPU_SPACE_TO
	jne protect_full
	cmpl %edi, CPU_SPACE_AUTH
	jne protect_full
	cmpl %esi, CPU_SPACE_ID
	jne protect_full
	movq CPU_SPACE_EPOCH, %r9
	cmpq authority_epoch, %r9
	jne protect_full
	movq %rdx, %r9
	shrq $REGION_SHIFT, %r9
	cmpq %r9, CPU_SPACE_REGION
	jne protect_full
	testq $~(PTE_W | PTE_MAY), %r10
	jnz protect_full
	decl CTX_SPARE(%r8)
	js protect_full
	testl $PTE_W, %r10d
	jz protect_narrow
	protect_entry
	protect_done

protect_narrow:
	cmpl $1, ncpus
	jne protect_full
	protect_entry
	invlpg (%rdx)
	protect_done

protect_full:
	movl $ARIL_CALL_PAGE_PROTECT_INDEX, %eax
	jmp syscall_call
END(protect_short)

/* These two are in C, which takes the lock itself where it can have it at once. */
FUNCTION(bind_short)
	KERNEL_STACK
	pushq %r11
	pushq %rcx
	movq %r10, %rcx
	call page_bind_short
	jmp syscall_return
END(bind_short)

FUNCTION(unbind_short)
	KERNEL_STACK
	pushq %r11
	pushq %rcx
	call page_unbind_short
	jmp syscall_return
END(unbind_short)
	.section .note.GNU-stack, "", @progbits

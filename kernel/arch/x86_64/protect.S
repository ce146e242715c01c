/* SPDX-License-Identifier: MIT
 * The short way of page_protect (narrow.c), entered as those in short.S are: for a page of the current space, by an index that
 * opened it for the call before, where the binding may be made writable.
 *
 * It takes no lock. The page-table entry is changed by compare and exchange: what was bound in its place meanwhile sends it
 * the long way. The table in which the entry lies stays one until this CPU has left the kernel: who takes a table out of a
 * space waits for the CPUs on it before the frame becomes anything else (reset_table), and this one does not poll. A table
 * on the way that has another place, and taking writing away while there are other CPUs, are left to the long way. */
#include "asm.h"
#include "entry.h"
#include "x86.h"
#include <aril/calls.h>
#include <aril/layout.h>

#define PTE_P 0x1
#define PTE_W 0x2
#define PTE_U 0x4
#define PTE_CACHE_BITS 0x18
#define PTE_PS 0x80
#define PTE_POOL 0x400
#define PTE_MAY 0x800
#define PTE_MAY_BIT 11
/* The entries of levels 2, 3 and 4 in the space's own tables (layout.h: the self map) */
#define SELF2 (ARIL_SELF_VA + (ARIL_PML4_SELF << 30))
#define SELF3 (SELF2 + (ARIL_PML4_SELF << 21))
#define SELF4 (SELF3 + (ARIL_PML4_SELF << 12))
#define FRAME_SHIFT 5 /* from an address to its frame's entry: less the page's 12 bits, times 128 bytes */

/* Goes the long way if the table that the entry at base + (va >> shift) * 8 names has more than one place. */
.macro unless_shared base shift
	movq %rdx, %r8
	shrq $\shift, %r8
	movabsq $\base, %r9
771:	movq (%r9, %r8, 8), %r8
	FIXUP(771b, protect_full)
	andq $-ARIL_PAGE_SIZE, %r8
	shrq $FRAME_SHIFT, %r8
	addq frames, %r8
	cmpl $1, (%r8)
	ja protect_full
.endm

	.text
FUNCTION(protect_short)
	movq CPU_CTX, %r8
	cmpl %edi, CTX_SPACE + PERMIT_AUTH(%r8)
	jne protect_full
	cmpl %esi, CTX_SPACE + PERMIT_ID(%r8)
	jne protect_full
	movq CTX_SPACE + PERMIT_EPOCH(%r8), %r9
	cmpq authority_epoch, %r9
	jne protect_full
	decl CTX_SPARE(%r8)
	js protect_full
	testq $~(PTE_W | PTE_MAY), %r10
	jnz protect_full
	movq %rdx, %r8
	shrq $47, %r8
	jnz protect_full
	testl $PTE_W, %r10d
	jz protect_narrow
protect_entry:
	movq %rdx, %r8
	shrq $21, %r8
	movabsq $SELF2, %r9
1:	movq (%r9, %r8, 8), %r8
	FIXUP(1b, protect_full)
	movl %r8d, %r9d
	andl $(PTE_P | PTE_PS | PTE_POOL), %r9d
	cmpl $PTE_P, %r9d
	jne protect_full
	andq $-ARIL_PAGE_SIZE, %r8
	movabsq $ARIL_PHYS_VA, %r9
	addq %r9, %r8
	movl %edx, %r9d
	shrl $12, %r9d
	andl $511, %r9d
	leaq (%r8, %r9, 8), %r8
	movq (%r8), %rax
	movl %eax, %r9d
	andl $(PTE_P | PTE_U | PTE_CACHE_BITS | PTE_MAY), %r9d
	cmpl $(PTE_P | PTE_U | PTE_MAY), %r9d
	jne protect_full
	movq %rax, %r9
	andq $~(PTE_W | PTE_MAY), %r9
	orq %r10, %r9
	lock cmpxchgq %r9, (%r8)
	jne protect_full
	testl $PTE_W, %r10d
	jz protect_flush
protect_done:
	xorl %eax, %eax
	xorl %r8d, %r8d
	xorl %r9d, %r9d
	movq CPU_USER_RSP, %rsp
	swapgs
	sysretq

protect_flush:
	invlpg (%rdx)
	jmp protect_done

/* The self map's words are the entries as the CPU sees them now: no walk by hand. */
protect_narrow:
	cmpl $1, ncpus
	jne protect_full
	unless_shared SELF2, 21
	unless_shared SELF3, 30
	unless_shared SELF4, 39
	jmp protect_entry

protect_full:
	movl $ARIL_CALL_PAGE_PROTECT_INDEX, %eax
	jmp syscall_call
END(protect_short)
	.section .note.GNU-stack, "", @progbits

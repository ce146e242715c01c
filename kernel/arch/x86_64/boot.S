/* SPDX-License-Identifier: MIT
 * The first instructions: from either boot protocol's 32-bit entry to C at the kernel's own
 * addresses, and the same for the other CPUs from real mode. */
#include "asm.h"
#include "x86.h"

#define PHYS(symbol) ((symbol)-ARIL_KERNEL_VA)
#define MULTIBOOT2_MAGIC 0xe85250d6
#define MULTIBOOT2_LOADED 0x36d76289
#define XEN_ELFNOTE_PHYS32_ENTRY 18

#define CR0_BITS 0x80010033 /* PG WP NE ET MP PE */
#define EFER_LME 0x100
#define EFER_NXE 0x800

	.section .note.Xen, "a", @note
	.balign 4
	.long 4, 8, XEN_ELFNOTE_PHYS32_ENTRY
	.asciz "Xen"
	.quad PHYS(start_pvh)

	.section .boot, "ax", @progbits
	.balign 8
multiboot2_header:
	.long MULTIBOOT2_MAGIC, 0, multiboot2_end - multiboot2_header
	.long 0x100000000 - (MULTIBOOT2_MAGIC + (multiboot2_end - multiboot2_header))
	.word 3, 0 /* entry address */
	.long 12, PHYS(start_multiboot2), 0
	.word 6, 0 /* modules on page boundaries: their frames are bound by the page */
	.long 8
	.word 0, 0
	.long 8
multiboot2_end:

	.code32
	.globl start_pvh, start_multiboot2
start_pvh:
	movl $1, %ebp
	jmp start32
start_multiboot2:
	movl $2, %ebp
	cmpl $MULTIBOOT2_LOADED, %eax
	je start32
	xorl %ebp, %ebp
start32:
	cli
	cld
	rdtsc
	movl %eax, PHYS(boot_start_tsc)
	movl %edx, PHYS(boot_start_tsc) + 4
	movl $PHYS(boot_stack_end), %esp
	movl %ebx, %edi
	movl $0x80000000, %eax
	cpuid
	cmpl $0x80000001, %eax
	jb no_long_mode
	movl $0x80000001, %eax
	cpuid
	btl $29, %edx
	jnc no_long_mode

	/* 4 GiB at 0 and at PHYS_VA, and the first of them as the kernel's top 2 GiB. */
	xorl %ecx, %ecx
1:	movl %ecx, %eax
	shll $21, %eax
	orl $0x83, %eax
	movl %eax, PHYS(boot_pd)(, %ecx, 8)
	incl %ecx
	cmpl $2048, %ecx
	jne 1b
	movl $PHYS(boot_pd) + 3, %eax
	movl %eax, PHYS(boot_pdpt_kernel) + 510 * 8
	xorl %ecx, %ecx
2:	movl %eax, PHYS(boot_pdpt)(, %ecx, 8)
	addl $4096, %eax
	incl %ecx
	cmpl $4, %ecx
	jne 2b
	movl $PHYS(boot_pdpt) + 3, PHYS(boot_pml4)
	movl $PHYS(boot_pdpt) + 3, PHYS(boot_pml4) + ARIL_PML4_PHYS * 8
	movl $PHYS(boot_pdpt_kernel) + 3, PHYS(boot_pml4) + ARIL_PML4_KERNEL * 8

	movl %cr4, %eax
	orl $0x20, %eax /* PAE */
	movl %eax, %cr4
	movl $PHYS(boot_pml4), %eax
	movl %eax, %cr3
	movl $0xc0000080, %ecx
	rdmsr
	orl $EFER_LME, %eax
	wrmsr
	movl $CR0_BITS, %eax
	movl %eax, %cr0
	lgdt PHYS(boot_gdt_pointer)
	ljmp $KERNEL_CS, $PHYS(start64)

no_long_mode:
	movl $PHYS(no_long_mode_text), %esi
3:	lodsb
	testb %al, %al
	jz 4f
	movw $0xe9, %dx
	outb %al, %dx
	movw $0x3f8, %dx
	outb %al, %dx
	jmp 3b
4:	movw $0xf4, %dx
	movl $0x7e, %eax
	outl %eax, %dx
5:	hlt
	jmp 5b

	.code64
start64:
	movq $start_high, %rax
	jmp *%rax

	.text
start_high:
	xorl %eax, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %fs
	movl %eax, %gs
	movl %eax, %ss
	movq $boot_stack_end, %rsp
	movl %edi, %esi
	movl %ebp, %edi
	xorl %ebp, %ebp
	call boot_main
	ud2

/* Where another CPU begins: copied to a page below 1 MiB. smp.c patches the two linear addresses.
 * It goes to long mode in one step, on the boot CPU's first page tables, which map that page where
 * it is. */
	.section .rodata
	.globl trampoline_start, trampoline_end, trampoline_gdt_at, trampoline_far_at
	.balign 16
	.code16
trampoline_start:
	cli
	cld
	movw %cs, %ax
	movw %ax, %ds
	lgdtl trampoline_gdt - trampoline_start
	movl $0x20, %eax
	movl %eax, %cr4
	movl $PHYS(boot_pml4), %eax
	movl %eax, %cr3
	movl $0xc0000080, %ecx
	movl $EFER_LME | EFER_NXE, %eax
	xorl %edx, %edx
	wrmsr
	movl $CR0_BITS, %eax
	movl %eax, %cr0
	ljmpl *(trampoline_far - trampoline_start)
	.balign 8
trampoline_gdt:
	.word 3 * 8 - 1
trampoline_gdt_at:
	.long trampoline_table - trampoline_start
	.balign 8
trampoline_far:
trampoline_far_at:
	.long trampoline_64 - trampoline_start
	.word KERNEL_CS
	.balign 8
trampoline_table:
	.quad 0, 0x00af9a000000ffff, 0x00cf92000000ffff
	.code64
trampoline_64:
	movq $start_other, %rax
	jmp *%rax
trampoline_end:

	.text
start_other:
	movq smp_start_cr3(%rip), %rax
	movq %rax, %cr3
	movq smp_start_rsp(%rip), %rsp
	xorl %eax, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %fs
	movl %eax, %gs
	movl %eax, %ss
	xorl %ebp, %ebp
	call smp_other_main
	ud2

	.section .rodata
no_long_mode_text:
	.asciz "aril: this CPU lacks long mode (64-bit); it is needed\r\n"
	.balign 8
boot_gdt:
	.quad 0, 0x00af9a000000ffff, 0x00cf92000000ffff
boot_gdt_pointer:
	.word 3 * 8 - 1
	.long PHYS(boot_gdt)

	.bss
	.globl boot_start_tsc, boot_pml4
	.balign 4096
boot_pml4:
	.skip 4096
boot_pdpt:
	.skip 4096
boot_pdpt_kernel:
	.skip 4096
boot_pd:
	.skip 4 * 4096
boot_stack:
	.skip 16384
boot_stack_end:
boot_start_tsc:
	.skip 8
	.section .note.GNU-stack, "", @progbits

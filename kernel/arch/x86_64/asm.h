/* SPDX-License-Identifier: MIT
 * Macros of the port's assembly files. */
/* clang-format off */
#ifndef KERNEL_ASM_H
#define KERNEL_ASM_H

#define FUNCTION(name)                                                                             \
	.globl name;                                                                               \
	.type name, @function;                                                                     \
	.balign 16;                                                                                \
	name:

#define END(name) .size name, . - name

/* SMAP switches. cpu_check overwrites them with no-ops where the CPU has no SMAP. */
#define SMAP_SITE(bytes)                                                                           \
	.pushsection .smap_sites, "a";                                                             \
	.quad 771f;                                                                                \
	.popsection;                                                                               \
	771:.byte bytes
#define STAC SMAP_SITE(0x0f; .byte 0x01; .byte 0xcb)
#define CLAC SMAP_SITE(0x0f; .byte 0x01; .byte 0xca)

/* A fault at `at` continues at `to`. */
#define FIXUP(at, to)                                                                              \
	.pushsection .extable, "a";                                                                \
	.quad at, to;                                                                              \
	.popsection

#ifdef __ASSEMBLER__
/* What a program that begins does not get of the kernel's: beside the arguments, rcx and r11. */
.macro clear_others
	xorl %eax, %eax
	xorl %ebx, %ebx
	xorl %ebp, %ebp
	xorl %r12d, %r12d
	xorl %r13d, %r13d
	xorl %r14d, %r14d
	xorl %r15d, %r15d
.endm
#endif

#endif

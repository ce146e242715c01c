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

#endif

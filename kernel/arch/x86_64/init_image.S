/* SPDX-License-Identifier: MIT
 * The first env's program, as a flat image inside the kernel's. */
	.section .init_image, "a", @progbits
	.globl init_image_start, init_image_end
	.balign 4096
init_image_start:
	.incbin "init.bin"
init_image_end:
	.section .note.GNU-stack, "", @progbits

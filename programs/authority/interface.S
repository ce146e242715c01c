/* SPDX-License-Identifier: MIT
 * Aril's own interface, made from abi/include/aril/extension.h. */
	.section .rodata
	.balign 16
	.globl interface_image, interface_image_end
	.hidden interface_image, interface_image_end
interface_image:
	.incbin INTERFACE
interface_image_end:
	.section .note.GNU-stack, "", @progbits

/* SPDX-License-Identifier: MIT
 * The instances' image, its segments on pages of their own. */
	.section .rodata
	.balign 4096
	.globl worker_image, worker_image_end
	.hidden worker_image, worker_image_end
worker_image:
	.incbin WORKER
worker_image_end:
	.balign 4096
	.section .note.GNU-stack, "", @progbits

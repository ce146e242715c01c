/* SPDX-License-Identifier: MIT
 * The vDSO's image (libos/vdso), as it lies in programs. VDSO: its path. */
	.section .rodata, "a"
	.globl vdso_image, vdso_image_end
	.hidden vdso_image, vdso_image_end
	.balign 16
vdso_image:
	.incbin VDSO
vdso_image_end:
	.if vdso_image_end - vdso_image > 4088
	.error "the vDSO with its section headers is more than a page"
	.endif
	.section .note.GNU-stack, "", @progbits

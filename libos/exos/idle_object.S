/* SPDX-License-Identifier: MIT
 * The predicate by which idle processors wait (programs/ext/idle.bpf.c), as it is given to the code authority. */
	.section .rodata
	.globl idle_object, idle_object_end
	.hidden idle_object, idle_object_end
	.balign 16
idle_object:
	.incbin OBJECT
idle_object_end:
	.section .note.GNU-stack, "", @progbits

/* SPDX-License-Identifier: MIT
 * What the kernel's loader reads: magic, entry, and the ends of code, constants, data and zeroed memory. */
	.section .header, "ax", @progbits
	.ascii "arilinit"
	.quad core_upcall
	.quad text_end
	.quad rodata_end
	.quad data_end
	.quad bss_end
	.zero 16
	.section .note.GNU-stack, "", @progbits

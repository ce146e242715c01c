/* SPDX-License-Identifier: MIT
 * The first env. */
#ifndef KERNEL_FIRST_H
#define KERNEL_FIRST_H

#include <aril/types.h>

/* Where the first env finds itself; its image is linked for FIRST_BASE. Known to programs/init. */
#define FIRST_CAP_VA 0x0ffe0000ul
#define FIRST_CONTEXT_VA 0x0fff0000ul
#define FIRST_BASE 0x10000000ul
#define FIRST_MAGIC 0x74696e696c697261 /* "arilinit" */

/* The image's first words: virtual addresses, page aligned. */
struct first_header {
	u64 magic;
	u64 entry;
	u64 text_end;	/* [base, text_end) read and execute */
	u64 rodata_end; /* to here read */
	u64 data_end;	/* to here read and write, from the image; not aligned */
	u64 bss_end;	/* to here read and write, zero */
};

/* Makes it: space, context on the boot CPU, image, root capability at FIRST_CAP_VA, all slices, READY. */
void first_env(void);

#endif

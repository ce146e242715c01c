/* SPDX-License-Identifier: MIT
 * The exposed tables: made at boot, read by every env. */
#ifndef KERNEL_BOOKS_H
#define KERNEL_BOOKS_H

#include <aril/types.h>

/* Allocates and exposes info page, env table, slice vectors and frame table. Needs memory regions; the frame
 * table is not filled yet. Boot only. */
void books_alloc(void);
/* Gives every frame its state, and returns how many are NORMAL: memory for envs, nobody's as yet. After this
 * boot_alloc is over. */
u32 books_frames(void);

#endif

/* SPDX-License-Identifier: MIT
 * Frames of 2 MiB: 512 that are bound, guarded and broken as one. */
#ifndef KERNEL_LARGE_H
#define KERNEL_LARGE_H

#include "frame.h"

#define LARGE_FRAMES 512

/* Decoding of JOIN and SPLIT; the frames exist and are the caller's: 0, -E_RANGE, -E_STATE. */
s64 large_join_decode(const struct aril_frame_op *op);
s64 large_split_decode(const struct aril_frame_op *op);
/* 512 decoded frames from first on become one. Doing. */
void large_join(u32 first);
/* And 512 again, which were bound nowhere any more (space_break_all). Doing. */
void large_split(u32 first);

#endif

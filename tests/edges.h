/* SPDX-License-Identifier: MIT
 * Numbers that computations go wrong at. */
#ifndef TESTS_EDGES_H
#define TESTS_EDGES_H

#include <aril/types.h>

/* clang-format off */
static const u64 edges[] = {
	0, 1, 2, 3, 4, 7, 8, 15, 16, 31, 32, 63, 64, 127, 128, 255, 256, 0x7fff, 0x8000, 0xffff, 0x10000, 0x7fffffff,
	0x80000000, 0xffffffff, 0x100000000, 0x7fffffffffffffff, 0x8000000000000000, ~0ul, ~1ul, ~7ul,
	0xffffffff80000000, 0xffffffff7fffffff,
};
/* clang-format on */

#endif

// SPDX-License-Identifier: MIT
// A loop that ends because a remainder is smaller than what is divided by: as often at most as that is large. (The remainder is
// in bytes: clang 14 has no text for it.)
#include "case.h"

RAW(pure, (u64 n, u64 m),
    "	r2 &= 63\n"
    "	if r2 == 0 goto +6\n"
    "	r3 = r1\n"
    "	.byte 0x9f, 0x23, 0, 0, 0, 0, 0, 0\n"
    "	r1 = r2\n"
    "	r2 = r3\n"
    "	r0 = r1\n"
    "	if r2 != 0 goto -6\n"
    "	r0 = 0\n"
    "	exit\n")

// SPDX-License-Identifier: MIT
// Smaller each time, but by how much, and from where, is not bounded.
// why: loop
// insn: 1
#include "case.h"

RAW(pure, (u64 n, u64 m),
    "	if r2 == 0 goto +5\n"
    "	r3 = r1\n"
    "	.byte 0x9f, 0x23, 0, 0, 0, 0, 0, 0\n"
    "	r1 = r2\n"
    "	r2 = r3\n"
    "	if r2 != 0 goto -5\n"
    "	r0 = 0\n"
    "	exit\n")

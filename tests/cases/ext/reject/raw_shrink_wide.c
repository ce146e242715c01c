// SPDX-License-Identifier: MIT
// why: loop
// insn: 2
// A shift by an amount that is taken modulo 64.
#include "case.h"

RAW(pure, (u64 n, u64 m),
    "	r2 &= 127\n"
    "	r2 += 1\n"
    "1:	r1 >>= r2\n"
    "	if r1 != 0 goto 1b\n"
    "	r0 = 0\n"
    "	exit\n")

// SPDX-License-Identifier: MIT
// why: loop
// insn: 1
// A shift by what may be 0 makes nothing smaller.
#include "case.h"

RAW(pure, (u64 n, u64 m),
    "	r2 &= 1\n"
    "1:	r1 >>= r2\n"
    "	if r1 != 0 goto 1b\n"
    "	r0 = 0\n"
    "	exit\n")

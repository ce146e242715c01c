// SPDX-License-Identifier: MIT
// why: loop
// insn: 0
// Another mask than the value less one: bits may stay.
#include "case.h"

RAW(pure, (u64 n, u64 m),
    "1:	r1 &= r2\n"
    "	if r1 != 0 goto 1b\n"
    "	r0 = 0\n"
    "	exit\n")

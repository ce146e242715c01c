// SPDX-License-Identifier: MIT
// why: loop
// insn: 0
// 0 has no bit that could go: the test comes too late.
#include "case.h"

RAW(pure, (u64 n, u64 m),
    "1:	r3 = r1\n"
    "	r3 += -1\n"
    "	r1 &= r3\n"
    "	if r1 != 1 goto 1b\n"
    "	r0 = 0\n"
    "	exit\n")

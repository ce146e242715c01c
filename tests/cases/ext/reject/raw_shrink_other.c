// SPDX-License-Identifier: MIT
// why: loop
// insn: 0
// One variable is halved, but another is tested.
#include "case.h"

RAW(pure, (u64 n, u64 m),
    "1:	r1 >>= 1\n"
    "	if r2 != 0 goto 1b\n"
    "	r0 = 0\n"
    "	exit\n")

// SPDX-License-Identifier: MIT
// why: loop
// insn: 0
// 0 is halved for ever.
#include "case.h"

RAW(pure, (u64 n, u64 m),
    "1:	r1 >>= 1\n"
    "	if r1 != 1 goto 1b\n"
    "	r0 = 0\n"
    "	exit\n")

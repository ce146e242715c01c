// SPDX-License-Identifier: MIT
// why: loop
// insn: 0
// Halved, and more added: 2 stays 2.
#include "case.h"

RAW(pure, (u64 n, u64 m),
    "1:	r1 >>= 1\n"
    "	r1 += 1\n"
    "	if r1 != 0 goto 1b\n"
    "	r0 = 0\n"
    "	exit\n")

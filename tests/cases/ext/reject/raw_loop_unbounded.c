// SPDX-License-Identifier: MIT
// As often as an unknown number says.
// why: loop
// insn: 1
#include "case.h"
RAW(pure, (u64 n, u64 m),
    "r0 = 0\n"
    "r0 += 1\n"
    "if r0 != r1 goto -2\n"
    "exit\n")

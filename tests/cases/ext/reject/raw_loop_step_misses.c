// SPDX-License-Identifier: MIT
// The step jumps over the end.
// why: loop
// insn: 1
#include "case.h"
RAW(pure, (u64 n, u64 m),
    "r0 = 0\n"
    "r0 += 3\n"
    "if r0 != 100 goto -2\n"
    "exit\n")

// SPDX-License-Identifier: MIT
// Away from the end.
// why: loop
// insn: 1
#include "case.h"
RAW(pure, (u64 n, u64 m),
    "r0 = 1\n"
    "r0 += 1\n"
    "if r0 != 0 goto -2\n"
    "r0 = 0\n"
    "exit\n")

// SPDX-License-Identifier: MIT
// The counter begins anew.
// why: loop
// insn: 1
#include "case.h"
RAW(pure, (u64 n, u64 m),
    "r0 = 0\n"
    "r0 += 1\n"
    "if r1 != 5 goto +1\n"
    "r0 = 0\n"
    "if r0 < 10 goto -4\n"
    "exit\n")

// SPDX-License-Identifier: MIT
// A jump to before the function.
// why: flow
// insn: 1
#include "case.h"
RAW(pure, (u64 n, u64 m),
    "r0 = 0\n"
    "if r1 == 0 goto -9\n"
    "exit\n")

// SPDX-License-Identifier: MIT
// A jump into a 64-bit load.
// why: flow
// insn: 1
#include "case.h"
RAW(pure, (u64 n, u64 m),
    "r0 = 0\n"
    "if r1 == 0 goto +1\n"
    "r0 = 1 ll\n"
    "exit\n")

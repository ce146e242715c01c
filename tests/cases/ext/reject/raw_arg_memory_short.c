// SPDX-License-Identifier: MIT
// Less memory than the size says.
// why: bounds
// insn: 5
#include "case.h"
RAW(pure, (u64 n, u64 m),
    "r1 = 1\n"
    "*(u64 *)(r10 - 8) = r1\n"
    "r1 = r10\n"
    "r1 += -8\n"
    "r2 = 16\n"
    "call digest\n"
    "exit\n")

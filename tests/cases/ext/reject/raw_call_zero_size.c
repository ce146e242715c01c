// SPDX-License-Identifier: MIT
// A size of 0 where 1 is the least.
// why: call
// insn: 4
#include "case.h"
RAW(pure, (u64 n, u64 m),
    "r1 = r10\n"
    "r1 += -8\n"
    "r2 = 0\n"
    "*(u64 *)(r10 - 8) = r2\n"
    "call digest\n"
    "exit\n")

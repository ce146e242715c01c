// SPDX-License-Identifier: MIT
// A function reads bytes that were not written.
// why: unset
// insn: 3
#include "case.h"
RAW(pure, (u64 n, u64 m),
    "r1 = r10\n"
    "r1 += -16\n"
    "r2 = 16\n"
    "call digest\n"
    "exit\n")

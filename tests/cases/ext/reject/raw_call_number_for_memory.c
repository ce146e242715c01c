// SPDX-License-Identifier: MIT
// A number where memory is taken.
// why: call
// insn: 2
#include "case.h"
RAW(pure, (u64 n, u64 m),
    "r1 = 0\n"
    "r2 = 8\n"
    "call digest\n"
    "exit\n")

// SPDX-License-Identifier: MIT
// Given back on one way alone.
// why: reference
// insn: 6
#include "case.h"
RAW(number, (u64 n, u64 small),
    "r6 = r1\n"
    "call lock\n"
    "if r6 == 0 goto +2\n"
    "r1 = r0\n"
    "call unlock\n"
    "r0 = 0\n"
    "exit\n")

// SPDX-License-Identifier: MIT
// A pointer where a function takes a number.
// why: leak
// insn: 1
#include "case.h"
RAW(number, (u64 n, u64 small),
    "r1 = r10\n"
    "call choose\n"
    "exit\n")

// SPDX-License-Identifier: MIT
// A number outside what the function takes.
// why: call
// insn: 1
#include "case.h"
RAW(number, (u64 n, u64 small),
    "r1 = 8\n"
    "call choose\n"
    "exit\n")

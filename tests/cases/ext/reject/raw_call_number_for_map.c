// SPDX-License-Identifier: MIT
// A number where a map is taken.
// why: call
// insn: 2
#include "case.h"
RAW(number, (u64 n, u64 small),
    "r1 = 0\n"
    "r2 = 0\n"
    "call look_up\n"
    "r0 = 0\n"
    "exit\n")

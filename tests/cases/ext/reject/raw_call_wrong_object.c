// SPDX-License-Identifier: MIT
// An object of another type.
// why: call
// insn: 4
#include "case.h"
RAW(number, (u64 n, u64 small),
    "r6 = 0\n"
    "call lock\n"
    "r6 = r0\n"
    "r1 = r6\n"
    "call look_at\n"
    "r1 = r6\n"
    "call unlock\n"
    "r0 = 0\n"
    "exit\n")

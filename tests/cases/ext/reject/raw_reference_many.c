// SPDX-License-Identifier: MIT
// Too many at once.
// why: reference
// insn: 4
#include "case.h"
RAW(number, (u64 n, u64 small),
    "call lock\n"
    "call lock\n"
    "call lock\n"
    "call lock\n"
    "call lock\n"
    "r0 = 0\n"
    "exit\n")

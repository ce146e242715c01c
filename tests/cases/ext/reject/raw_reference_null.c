// SPDX-License-Identifier: MIT
// Given back where it may be null.
// why: null
// insn: 2
#include "case.h"
RAW(number, (u64 n, u64 small),
    "call try_lock\n"
    "r1 = r0\n"
    "call unlock\n"
    "r0 = 0\n"
    "exit\n")

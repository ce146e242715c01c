// SPDX-License-Identifier: MIT
// Used after it was given back.
// why: reference
// insn: 4
#include "case.h"
RAW(number, (u64 n, u64 small),
    "call lock\n"
    "r6 = r0\n"
    "r1 = r0\n"
    "call unlock\n"
    "r0 = *(u64 *)(r6 + 0)\n"
    "exit\n")

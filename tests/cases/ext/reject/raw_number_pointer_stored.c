// SPDX-License-Identifier: MIT
// A pointer is stored through a number: that it is no pointer is what is wrong first.
// why: type
// insn: 0
#include "case.h"
RAW(number, (u64 n, u64 small),
    "*(u64 *)(r1 + 0) = r10\n"
    "r0 = 0\n"
    "exit\n")

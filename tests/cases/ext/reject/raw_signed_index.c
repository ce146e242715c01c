// SPDX-License-Identifier: MIT
// A signed test alone does not keep out what is negative.
// why: bounds
// insn: 7
#include "case.h"
RAW(number, (u64 n, u64 small),
    "r0 = 0\n"
    "if r1 s> 7 goto +6\n"
    "r2 = 0\n"
    "*(u64 *)(r10 - 8) = r2\n"
    "r3 = r10\n"
    "r3 += -8\n"
    "r3 += r1\n"
    "r0 = *(u8 *)(r3 + 0)\n"
    "exit\n")

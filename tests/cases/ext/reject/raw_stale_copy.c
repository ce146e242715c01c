// SPDX-License-Identifier: MIT
// What was tested was changed since.
// why: bounds
// insn: 8
#include "case.h"
RAW(number, (u64 n, u64 small),
    "r0 = 0\n"
    "r2 = 0\n"
    "*(u64 *)(r10 - 8) = r2\n"
    "if r1 > 7 goto +5\n"
    "r1 += 1\n"
    "r3 = r10\n"
    "r3 += -8\n"
    "r3 += r1\n"
    "r0 = *(u8 *)(r3 + 0)\n"
    "exit\n")

// SPDX-License-Identifier: MIT
// A spilled number is written over after its test.
// why: bounds
// insn: 10
#include "case.h"
RAW(number, (u64 n, u64 small),
    "*(u64 *)(r10 - 8) = r1\n"
    "r0 = 0\n"
    "if r1 > 7 goto +8\n"
    "r2 = 0\n"
    "*(u64 *)(r10 - 16) = r2\n"
    "*(u8 *)(r10 - 1) = r2\n"
    "r1 = *(u64 *)(r10 - 8)\n"
    "r3 = r10\n"
    "r3 += -16\n"
    "r3 += r1\n"
    "r0 = *(u8 *)(r3 + 0)\n"
    "exit\n")

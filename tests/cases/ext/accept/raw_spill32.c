// SPDX-License-Identifier: MIT
// A spilled half.
#include "case.h"
RAW(number, (u64 n, u64 small),
    "r0 = 0\n"
    "w1 = w1\n"
    "if w1 > 7 goto +8\n"
    "*(u32 *)(r10 - 4) = r1\n"
    "r2 = 0\n"
    "*(u64 *)(r10 - 16) = r2\n"
    "w1 = *(u32 *)(r10 - 4)\n"
    "r3 = r10\n"
    "r3 += -16\n"
    "r3 += r1\n"
    "r0 = *(u8 *)(r3 + 0)\n"
    "exit\n")

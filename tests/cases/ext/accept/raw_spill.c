// SPDX-License-Identifier: MIT
// A spilled number keeps what is known.
#include "case.h"
RAW(number, (u64 n, u64 small),
    "r0 = 0\n"
    "if r1 > 7 goto +8\n"
    "*(u64 *)(r10 - 8) = r1\n"
    "r2 = 0\n"
    "*(u64 *)(r10 - 16) = r2\n"
    "r1 = *(u64 *)(r10 - 8)\n"
    "r3 = r10\n"
    "r3 += -16\n"
    "r3 += r1\n"
    "r0 = *(u8 *)(r3 + 0)\n"
    "exit\n")

// SPDX-License-Identifier: MIT
// Two ways give one register 0 and 1, another the least 64-bit number and 0: the least by -1 is no number of 64 bits.
#include "case.h"
RAW(pure, (u64 n, u64 m),
    "r6 = 0\n"
    "r7 = 0x8000000000000000 ll\n"
    "if r1 > 5 goto +2\n"
    "r6 = 1\n"
    "r7 = 0\n"
    "r0 = r6\n"
    "r0 ^= r7\n"
    "r6 = 1\n"
    "r7 = 0x8000000000000000 ll\n"
    "if r2 > 5 goto +2\n"
    "r6 = 0\n"
    "r7 = 0\n"
    "r0 += r6\n"
    "r0 ^= r7\n"
    "exit\n")

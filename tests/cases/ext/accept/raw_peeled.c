// SPDX-License-Identifier: MIT
// What is null the first time round.
#include "case.h"
RAW(maybe, (const u8 *data),
    "r0 = 0\n"
    "r2 = 0\n"
    "r3 = 0\n"
    "if r1 == 0 goto +7\n"
    "if r3 == 0 goto +2\n"
    "r4 = *(u8 *)(r3 + 0)\n"
    "r0 += r4\n"
    "r3 = r1\n"
    "r2 += 1\n"
    "if r2 < 5 goto -6\n"
    "r0 += 1\n"
    "exit\n")

// SPDX-License-Identifier: MIT
// Another register holds the pointer each time round: six kinds of states.
// why: loop
// insn: 7
#include "case.h"
RAW(number, (u64 n, u64 small),
    "r1 = r10\n"
    "r2 = 0\n"
    "r3 = 0\n"
    "r4 = 0\n"
    "r5 = 0\n"
    "r6 = 0\n"
    "r7 = 0\n"
    "r0 = r6\n"
    "r6 = r5\n"
    "r5 = r4\n"
    "r4 = r3\n"
    "r3 = r2\n"
    "r2 = r1\n"
    "r1 = r0\n"
    "r7 += 1\n"
    "if r7 < 10 goto -9\n"
    "r0 = 0\n"
    "exit\n")

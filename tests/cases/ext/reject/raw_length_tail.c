// SPDX-License-Identifier: MIT
// Short until the first place where it may be stopped, but too long from there.
// why: length
// insn: 2
#include "case.h"
RAW(little, (u64 n),
    "r0 = 0\n"
    "r0 += 1\n"
    "if r0 < 3 goto -2\n"
    "r0 += 1\n"
    "r0 += 1\n"
    "r0 += 1\n"
    "r0 += 1\n"
    "r0 += 1\n"
    "r0 += 1\n"
    "r0 += 1\n"
    "r0 += 1\n"
    "r0 += 1\n"
    "r0 += 1\n"
    "r0 += 1\n"
    "r0 += 1\n"
    "r0 += 1\n"
    "r0 += 1\n"
    "r0 += 1\n"
    "r0 += 1\n"
    "r0 += 1\n"
    "r0 += 1\n"
    "r0 += 1\n"
    "r0 += 1\n"
    "r0 += 1\n"
    "exit\n")

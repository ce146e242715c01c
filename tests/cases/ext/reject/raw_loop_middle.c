// SPDX-License-Identifier: MIT
// A jump into the middle of a loop.
// why: flow
#include "case.h"
RAW(pure, (u64 n, u64 m),
    "r0 = 0\n"
    "if r1 == 0 goto +1\n"
    "r0 += 1\n"
    "r0 += 2\n"
    "if r0 < 10 goto -3\n"
    "exit\n")

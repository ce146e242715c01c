// SPDX-License-Identifier: MIT
// One more each time round.
// why: reference
#include "case.h"
RAW(number, (u64 n, u64 small),
    "r6 = 0\n"
    "call lock\n"
    "r6 += 1\n"
    "if r6 < 3 goto -3\n"
    "r0 = 0\n"
    "exit\n")

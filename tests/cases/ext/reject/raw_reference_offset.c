// SPDX-License-Identifier: MIT
// Given back at an offset.
// why: call
#include "case.h"
RAW(number, (u64 n, u64 small),
    "call lock\n"
    "r1 = r0\n"
    "r1 += 8\n"
    "call unlock\n"
    "r0 = 0\n"
    "exit\n")

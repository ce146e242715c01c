// SPDX-License-Identifier: MIT
// Given back twice.
// why: reference
#include "case.h"
RAW(number, (u64 n, u64 small),
    "call lock\n"
    "r6 = r0\n"
    "r1 = r6\n"
    "call unlock\n"
    "r1 = r6\n"
    "call unlock\n"
    "r0 = 0\n"
    "exit\n")

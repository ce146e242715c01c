// SPDX-License-Identifier: MIT
// A million turns.
#include "case.h"
RAW(number, (u64 n, u64 small),
    "r0 = 0\n"
    "r2 = 1000000\n"
    "r0 += r2\n"
    "r2 += -1\n"
    "if r2 != 0 goto -3\n"
    "exit\n")

// SPDX-License-Identifier: MIT
// A loop with two ways back and different steps.
#include "case.h"
RAW(number, (u64 n, u64 small),
    "r0 = 0\n"
    "r2 = 0\n"
    "r2 += 1\n"
    "if r2 > 50 goto +4\n"
    ".quad 0x1fffd0145\n"
    "r2 += 1\n"
    "r1 >>= 1\n"
    "if r2 < 100 goto -6\n"
    "exit\n")

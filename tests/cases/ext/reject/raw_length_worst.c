// SPDX-License-Identifier: MIT
// Longer than the point allows.
// why: length
#include "case.h"
RAW(pure, (u64 n, u64 m),
    "r0 = 0\n"
    "r0 += 1\n"
    "if r0 < 600 goto -2\n"
    "exit\n")

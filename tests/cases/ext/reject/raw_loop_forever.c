// SPDX-License-Identifier: MIT
// Without end.
// why: loop
#include "case.h"
RAW(pure, (u64 n, u64 m),
    "r0 = 0\n"
    "r0 += 1\n"
    "goto -2\n")

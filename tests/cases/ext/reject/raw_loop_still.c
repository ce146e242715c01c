// SPDX-License-Identifier: MIT
// Nothing changes.
// why: loop
#include "case.h"
RAW(pure, (u64 n, u64 m),
    "r0 = 0\n"
    "if r1 > 5 goto -1\n"
    "exit\n")

// SPDX-License-Identifier: MIT
// Written on one way alone.
// why: unset
// insn: 2
#include "case.h"
RAW(pure, (u64 n, u64 m),
    "if r1 == 0 goto +1\n"
    "r3 = 1\n"
    "r0 = r3\n"
    "exit\n")

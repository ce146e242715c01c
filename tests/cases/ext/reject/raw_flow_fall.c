// SPDX-License-Identifier: MIT
// Control falls off the end.
// why: flow
// insn: 1
#include "case.h"
RAW(pure, (u64 n, u64 m),
    "r0 = 0\n"
    "r0 = 1\n")

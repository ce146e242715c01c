// SPDX-License-Identifier: MIT
// A pure program calls what has effects.
// why: class
// insn: 1
#include "case.h"
RAW(pure, (u64 n, u64 m),
    "r1 = 3\n"
    "call nothing\n"
    "r0 = 0\n"
    "exit\n")

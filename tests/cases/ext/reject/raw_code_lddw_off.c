// SPDX-License-Identifier: MIT
// A 64-bit load with an offset.
// why: code
// insn: 0
#include "case.h"
RAW(pure, (u64 n, u64 m),
    ".quad 0x100040018\n"
    ".quad 0x0\n"
    "r0 = 0\n"
    "exit\n")

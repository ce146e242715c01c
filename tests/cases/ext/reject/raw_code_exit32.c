// SPDX-License-Identifier: MIT
// A 32-bit exit.
// why: code
// insn: 1
#include "case.h"
RAW(pure, (u64 n, u64 m),
    "r0 = 0\n"
    ".quad 0x96\n"
    "exit\n")

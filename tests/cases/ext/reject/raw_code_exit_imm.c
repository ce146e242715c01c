// SPDX-License-Identifier: MIT
// An exit with an immediate.
// why: code
// insn: 1
#include "case.h"
RAW(pure, (u64 n, u64 m),
    "r0 = 0\n"
    ".quad 0x700000095\n"
    "exit\n")

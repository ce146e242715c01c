// SPDX-License-Identifier: MIT
// No such jump.
// why: code
// insn: 0
#include "case.h"
RAW(pure, (u64 n, u64 m),
    ".quad 0x1e5\n"
    "r0 = 0\n"
    "exit\n")

// SPDX-License-Identifier: MIT
// A 32-bit jump with an offset.
// why: code
// insn: 0
#include "case.h"
RAW(pure, (u64 n, u64 m),
    ".quad 0x10006\n"
    "r0 = 0\n"
    "exit\n")

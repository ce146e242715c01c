// SPDX-License-Identifier: MIT
// A division with offset 2.
// why: code
// insn: 0
#include "case.h"
RAW(pure, (u64 n, u64 m),
    ".quad 0x300020137\n"
    "r0 = 0\n"
    "exit\n")

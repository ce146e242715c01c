// SPDX-License-Identifier: MIT
// A negation with a source.
// why: code
// insn: 0
#include "case.h"
RAW(pure, (u64 n, u64 m),
    ".quad 0x18f\n"
    "r0 = 0\n"
    "exit\n")

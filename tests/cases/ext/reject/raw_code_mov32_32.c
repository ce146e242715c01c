// SPDX-License-Identifier: MIT
// A 32-bit move that extends from 32.
// why: code
// insn: 0
#include "case.h"
RAW(pure, (u64 n, u64 m),
    ".quad 0x2010bc\n"
    "r0 = 0\n"
    "exit\n")

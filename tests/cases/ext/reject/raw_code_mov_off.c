// SPDX-License-Identifier: MIT
// A move of 9 bits.
// why: code
// insn: 0
#include "case.h"
RAW(pure, (u64 n, u64 m),
    ".quad 0x910bf\n"
    "r0 = 0\n"
    "exit\n")

// SPDX-License-Identifier: MIT
// A shift by 32 of 32 bits.
// why: code
// insn: 0
#include "case.h"
RAW(pure, (u64 n, u64 m),
    ".quad 0x2000000164\n"
    "r0 = 0\n"
    "exit\n")

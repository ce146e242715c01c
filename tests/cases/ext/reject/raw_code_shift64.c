// SPDX-License-Identifier: MIT
// A shift by 64.
// why: code
// insn: 0
#include "case.h"
RAW(pure, (u64 n, u64 m),
    ".quad 0x4000000167\n"
    "r0 = 0\n"
    "exit\n")

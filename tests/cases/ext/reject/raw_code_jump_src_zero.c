// SPDX-License-Identifier: MIT
// A source register that is not used.
// why: code
// insn: 0
#include "case.h"
RAW(pure, (u64 n, u64 m),
    ".quad 0x400002115\n"
    "r0 = 0\n"
    "exit\n")

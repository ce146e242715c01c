// SPDX-License-Identifier: MIT
// No such register.
// why: code
// insn: 0
#include "case.h"
RAW(pure, (u64 n, u64 m),
    ".quad 0xb15\n"
    "r0 = 0\n"
    "exit\n")

// SPDX-License-Identifier: MIT
// No such register.
// why: code
// insn: 0
#include "case.h"
RAW(pure, (u64 n, u64 m),
    ".quad 0x100000b18\n"
    ".quad 0x0\n"
    "r0 = 0\n"
    "exit\n")

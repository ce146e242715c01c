// SPDX-License-Identifier: MIT
// A jump with a source register.
// why: code
// insn: 0
#include "case.h"
RAW(pure, (u64 n, u64 m),
    ".quad 0x1005\n"
    "r0 = 0\n"
    "exit\n")

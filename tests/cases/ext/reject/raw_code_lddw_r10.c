// SPDX-License-Identifier: MIT
// R10 is loaded with a constant.
// why: code
// insn: 0
#include "case.h"
RAW(pure, (u64 n, u64 m),
    ".quad 0x100000a18\n"
    ".quad 0x0\n"
    "r0 = 0\n"
    "exit\n")

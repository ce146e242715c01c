// SPDX-License-Identifier: MIT
// No such load.
// why: code
// insn: 0
#include "case.h"
RAW(pure, (u64 n, u64 m),
    ".quad 0xfff8a0f9\n"
    "r0 = 0\n"
    "exit\n")

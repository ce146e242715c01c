// SPDX-License-Identifier: MIT
// R10 is loaded.
// why: code
// insn: 0
#include "case.h"
RAW(pure, (u64 n, u64 m),
    ".quad 0xfff8aa79\n"
    "r0 = 0\n"
    "exit\n")

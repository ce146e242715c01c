// SPDX-License-Identifier: MIT
// An old packet load.
// why: code
// insn: 0
#include "case.h"
RAW(pure, (u64 n, u64 m),
    ".quad 0x400000030\n"
    "r0 = 0\n"
    "exit\n")

// SPDX-License-Identifier: MIT
// R10 is written.
// why: code
// insn: 0
#include "case.h"
RAW(pure, (u64 n, u64 m),
    ".quad 0xab7\n"
    "r0 = 0\n"
    "exit\n")

// SPDX-License-Identifier: MIT
// An immediate that is not used.
// why: code
// insn: 0
#include "case.h"
RAW(pure, (u64 n, u64 m),
    ".quad 0x5000010bf\n"
    "r0 = 0\n"
    "exit\n")

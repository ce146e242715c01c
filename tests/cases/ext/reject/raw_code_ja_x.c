// SPDX-License-Identifier: MIT
// A jump with a source bit.
// why: code
// insn: 0
#include "case.h"
RAW(pure, (u64 n, u64 m),
    ".quad 0xd\n"
    "r0 = 0\n"
    "exit\n")

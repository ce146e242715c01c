// SPDX-License-Identifier: MIT
// A store of an immediate with a source register.
// why: code
// insn: 0
#include "case.h"
RAW(pure, (u64 n, u64 m),
    ".quad 0x3fff81a7a\n"
    "r0 = 0\n"
    "exit\n")

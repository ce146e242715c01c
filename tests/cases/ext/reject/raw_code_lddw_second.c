// SPDX-License-Identifier: MIT
// A second half with fields that are not 0.
// why: code
// insn: 0
#include "case.h"
RAW(pure, (u64 n, u64 m),
    ".quad 0x100000018\n"
    ".quad 0x100\n"
    "r0 = 0\n"
    "exit\n")

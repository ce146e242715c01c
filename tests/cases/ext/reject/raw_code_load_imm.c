// SPDX-License-Identifier: MIT
// A load with an immediate.
// why: code
// insn: 0
#include "case.h"
RAW(pure, (u64 n, u64 m),
    ".quad 0x3fff8a079\n"
    "r0 = 0\n"
    "exit\n")

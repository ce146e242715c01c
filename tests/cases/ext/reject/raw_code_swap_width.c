// SPDX-License-Identifier: MIT
// A byte swap of 24 bits.
// why: code
// insn: 0
#include "case.h"
RAW(pure, (u64 n, u64 m),
    ".quad 0x18000001d4\n"
    "r0 = 0\n"
    "exit\n")

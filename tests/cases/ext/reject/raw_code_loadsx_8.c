// SPDX-License-Identifier: MIT
// A sign-extending load of 8 bytes.
// why: code
// insn: 0
#include "case.h"
RAW(pure, (u64 n, u64 m),
    ".quad 0xfff8a099\n"
    "r0 = 0\n"
    "exit\n")

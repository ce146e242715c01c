// SPDX-License-Identifier: MIT
// A store of the sign-extending mode.
// why: code
// insn: 0
#include "case.h"
RAW(pure, (u64 n, u64 m),
    ".quad 0xfff81a8b\n"
    "r0 = 0\n"
    "exit\n")

// SPDX-License-Identifier: MIT
// No such atomic operation.
// why: code
// insn: 0
#include "case.h"
RAW(pure, (u64 n, u64 m),
    ".quad 0x20fff81adb\n"
    "r0 = 0\n"
    "exit\n")

// SPDX-License-Identifier: MIT
// An atomic operation on 2 bytes.
// why: code
// insn: 0
#include "case.h"
RAW(pure, (u64 n, u64 m),
    ".quad 0xfff81acb\n"
    "r0 = 0\n"
    "exit\n")

// SPDX-License-Identifier: MIT
// No such operation.
// why: code
// insn: 0
#include "case.h"
RAW(pure, (u64 n, u64 m),
    ".quad 0xe7\n"
    "r0 = 0\n"
    "exit\n")

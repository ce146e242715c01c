// SPDX-License-Identifier: MIT
// A pointer is compared with memory.
// why: leak
// insn: 3
#include "case.h"
RAW(number, (u64 n, u64 small),
    "r2 = 0\n"
    "*(u64 *)(r10 - 8) = r2\n"
    "r0 = r10\n"
    ".quad 0xf1fff82adb\n"
    "r0 = 0\n"
    "exit\n")

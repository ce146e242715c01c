// SPDX-License-Identifier: MIT
// Pointers are compared as signed numbers.
// why: leak
// insn: 2
#include "case.h"
RAW(memory, (const u8 *data, u64 size),
    "r0 = 0\n"
    "r2 = r1\n"
    "if r1 s> r2 goto +0\n"
    "exit\n")

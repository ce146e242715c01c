// SPDX-License-Identifier: MIT
// Before the memory.
// why: bounds
// insn: 2
#include "case.h"
RAW(memory, (const u8 *data, u64 size),
    "r0 = 0\n"
    "if r2 < 8 goto +1\n"
    "r0 = *(u8 *)(r1 - 1)\n"
    "exit\n")

// SPDX-License-Identifier: MIT
// The test is one short.
// why: bounds
// insn: 2
#include "case.h"
RAW(memory, (const u8 *data, u64 size),
    "r0 = 0\n"
    "if r2 < 3 goto +1\n"
    "r0 = *(u32 *)(r1 + 0)\n"
    "exit\n")

// SPDX-License-Identifier: MIT
// 32-bit arithmetic on a pointer.
// why: type
// insn: 0
#include "case.h"
RAW(memory, (const u8 *data, u64 size),
    "w1 += 1\n"
    "r0 = 0\n"
    "exit\n")

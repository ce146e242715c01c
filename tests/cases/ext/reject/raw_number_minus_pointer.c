// SPDX-License-Identifier: MIT
// A pointer is subtracted from a number.
// why: type
// insn: 0
#include "case.h"
RAW(memory, (const u8 *data, u64 size),
    "r2 -= r1\n"
    "r0 = 0\n"
    "exit\n")

// SPDX-License-Identifier: MIT
// A pointer is multiplied.
// why: type
// insn: 0
#include "case.h"
RAW(memory, (const u8 *data, u64 size),
    "r1 *= 2\n"
    "r0 = 0\n"
    "exit\n")

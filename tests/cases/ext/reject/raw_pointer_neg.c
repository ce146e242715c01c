// SPDX-License-Identifier: MIT
// A pointer is negated.
// why: type
// insn: 0
#include "case.h"
RAW(memory, (const u8 *data, u64 size),
    "r1 = -r1\n"
    "r0 = 0\n"
    "exit\n")

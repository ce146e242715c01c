// SPDX-License-Identifier: MIT
// Arithmetic on a pointer other than + and -.
// why: type
// insn: 0
#include "case.h"
RAW(memory, (const u8 *data, u64 size),
    "r1 &= -8\n"
    "r0 = 0\n"
    "exit\n")

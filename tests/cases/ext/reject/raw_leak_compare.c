// SPDX-License-Identifier: MIT
// A pointer is compared with a number.
// why: leak
// insn: 1
#include "case.h"
RAW(memory, (const u8 *data, u64 size),
    "r0 = 0\n"
    "if r1 > 4096 goto +0\n"
    "exit\n")

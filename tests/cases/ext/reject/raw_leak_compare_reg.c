// SPDX-License-Identifier: MIT
// A pointer is compared with another.
// why: leak
// insn: 1
#include "case.h"
RAW(memory, (const u8 *data, u64 size),
    "r0 = 0\n"
    "if r1 > r10 goto +0\n"
    "exit\n")

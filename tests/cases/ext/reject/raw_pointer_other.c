// SPDX-License-Identifier: MIT
// Pointers to different memory are subtracted.
// why: type
// insn: 0
#include "case.h"
RAW(memory, (const u8 *data, u64 size),
    "r1 -= r10\n"
    "r0 = 0\n"
    "exit\n")

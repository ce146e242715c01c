// SPDX-License-Identifier: MIT
// Two pointers are added.
// why: type
// insn: 0
#include "case.h"
RAW(memory, (const u8 *data, u64 size),
    "r1 += r10\n"
    "r0 = 0\n"
    "exit\n")

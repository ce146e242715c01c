// SPDX-License-Identifier: MIT
// A part of a pointer is stored.
// why: leak
// insn: 0
#include "case.h"
RAW(memory, (const u8 *data, u64 size),
    "*(u32 *)(r10 - 8) = r1\n"
    "r0 = 0\n"
    "exit\n")

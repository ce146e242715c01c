// SPDX-License-Identifier: MIT
// The upper half of a spilled pointer.
// why: leak
// insn: 1
#include "case.h"
RAW(memory, (const u8 *data, u64 size),
    "*(u64 *)(r10 - 8) = r1\n"
    "r0 = *(u32 *)(r10 - 4)\n"
    "exit\n")

// SPDX-License-Identifier: MIT
// A spilled pointer is partly overwritten; the rest is nobody's.
// why: unset
// insn: 3
#include "case.h"
RAW(memory, (const u8 *data, u64 size),
    "*(u64 *)(r10 - 8) = r1\n"
    "r2 = 0\n"
    "*(u8 *)(r10 - 8) = r2\n"
    "r0 = *(u64 *)(r10 - 8)\n"
    "exit\n")

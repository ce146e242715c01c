// SPDX-License-Identifier: MIT
// A function reads a spilled pointer as bytes.
// why: leak
// insn: 4
#include "case.h"
RAW(memory, (const u8 *data, u64 size),
    "*(u64 *)(r10 - 8) = r1\n"
    "r1 = r10\n"
    "r1 += -8\n"
    "r2 = 8\n"
    "call digest\n"
    "exit\n")

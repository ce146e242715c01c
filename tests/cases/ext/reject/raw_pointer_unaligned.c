// SPDX-License-Identifier: MIT
// A pointer at a place that is no multiple of 8.
// why: align
// insn: 0
#include "case.h"
RAW(memory, (const u8 *data, u64 size),
    "*(u64 *)(r10 - 12) = r1\n"
    "r0 = 0\n"
    "exit\n")

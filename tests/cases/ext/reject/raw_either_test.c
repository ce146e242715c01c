// SPDX-License-Identifier: MIT
// jset says nothing of other bits.
// why: bounds
// insn: 7
#include "case.h"
RAW(number, (u64 n, u64 small),
    "r0 = 0\n"
    ".quad 0x700060145\n"
    "r2 = 0\n"
    "*(u64 *)(r10 - 8) = r2\n"
    "r3 = r10\n"
    "r3 += -8\n"
    "r3 += r1\n"
    "r0 = *(u8 *)(r3 + 0)\n"
    "exit\n")

// SPDX-License-Identifier: MIT
// The sum of two lengths may wrap around.
// why: bounds
// insn: 7
#include "case.h"
RAW(writable, (u8 * data, u64 size),
    "r0 = 0\n"
    "if r2 < 8 goto +6\n"
    "r3 = *(u64 *)(r1 + 0)\n"
    "r4 = r3\n"
    "r4 += 8\n"
    "if r4 > r2 goto +2\n"
    "r1 += r3\n"
    "r0 = *(u8 *)(r1 + 0)\n"
    "exit\n")

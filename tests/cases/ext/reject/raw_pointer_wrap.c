// SPDX-License-Identifier: MIT
// An address that may wrap around passes the test against the end.
// why: bounds
// insn: 8
#include "case.h"
RAW(writable, (u8 * data, u64 size),
    "r0 = 0\n"
    "if r2 < 8 goto +7\n"
    "r3 = *(u64 *)(r1 + 0)\n"
    "r4 = r1\n"
    "r4 += r2\n"
    "r1 += r3\n"
    "r5 = r1\n"
    "if r5 > r4 goto +1\n"
    "r0 = *(u8 *)(r1 + 0)\n"
    "exit\n")

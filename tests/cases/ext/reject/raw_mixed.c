// SPDX-License-Identifier: MIT
// A pointer on one way, a number on the other, then an access.
// why: type
#include "case.h"
RAW(memory, (const u8 *data, u64 size),
    "r3 = 0\n"
    "if r2 == 0 goto +1\n"
    "r3 = r1\n"
    "r0 = *(u8 *)(r3 + 0)\n"
    "r0 = 0\n"
    "exit\n")

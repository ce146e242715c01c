// SPDX-License-Identifier: MIT
// Used on the way on which the test said no.
// why: bounds
// insn: 7
#include "case.h"
RAW(number, (u64 n, u64 small),
    "r0 = 0\n"
    "r2 = 0\n"
    "*(u64 *)(r10 - 8) = r2\n"
    "r3 = r10\n"
    "r3 += -8\n"
    "r3 += r1\n"
    "if r1 < 8 goto +1\n"
    "r0 = *(u8 *)(r3 + 0)\n"
    "exit\n")

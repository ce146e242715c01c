// SPDX-License-Identifier: MIT
// Shifted by 1, by 3 and by 58: from 0 to 3; a bound divided by 8 must not come from less than what is divided.
// why: bounds
// insn: 12
#include "case.h"
RAW(pure, (u64 n, u64 m),
    "*(u64 *)(r10 - 24) = r1\n"
    "*(u64 *)(r10 - 16) = r1\n"
    "*(u64 *)(r10 - 8) = r1\n"
    "r1 >>= 1\n"
    "r2 = r1\n"
    "r2 >>= 3\n"
    "r2 >>= 58\n"
    "r2 <<= 3\n"
    "r3 = r10\n"
    "r3 += -24\n"
    "r3 += r2\n"
    "r0 = 0\n"
    "r0 = *(u64 *)(r3 + 0)\n"
    "exit\n")

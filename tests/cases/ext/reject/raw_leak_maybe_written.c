// SPDX-License-Identifier: MIT
// A spilled pointer may be overwritten.
// why: unset
// insn: 7
#include "case.h"
RAW(number, (u64 n, u64 small),
    "r3 = r10\n"
    "*(u64 *)(r10 - 16) = r3\n"
    "r4 = 0\n"
    "*(u64 *)(r10 - 8) = r4\n"
    "r3 += -16\n"
    "r3 += r2\n"
    "*(u8 *)(r3 + 0) = r4\n"
    "r0 = *(u64 *)(r10 - 16)\n"
    "exit\n")

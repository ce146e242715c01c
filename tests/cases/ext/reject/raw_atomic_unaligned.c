// SPDX-License-Identifier: MIT
// An atomic operation that is not aligned.
// why: align
// insn: 5
#include "case.h"
RAW(number, (u64 n, u64 small),
    "r2 = 0\n"
    "*(u64 *)(r10 - 8) = r2\n"
    "*(u64 *)(r10 - 16) = r2\n"
    "r3 = r10\n"
    "r3 += -12\n"
    "lock *(u64 *)(r3 + 0) += r1\n"
    "r0 = 0\n"
    "exit\n")

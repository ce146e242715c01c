// SPDX-License-Identifier: MIT
// A pointer is added to memory.
// why: leak
// insn: 2
#include "case.h"
RAW(number, (u64 n, u64 small),
    "r2 = 0\n"
    "*(u64 *)(r10 - 8) = r2\n"
    "lock *(u64 *)(r10 - 8) += r10\n"
    "r0 = 0\n"
    "exit\n")

// SPDX-License-Identifier: MIT
// An atomic operation on bytes that were not written.
// why: unset
// insn: 0
#include "case.h"
RAW(number, (u64 n, u64 small),
    "lock *(u64 *)(r10 - 8) += r1\n"
    "r0 = 0\n"
    "exit\n")

// SPDX-License-Identifier: MIT
// An atomic operation on memory that was given.
// why: type
// insn: 2
#include "case.h"
RAW(writable, (u8 * data, u64 size),
    "r0 = 0\n"
    "if r2 < 8 goto +1\n"
    "lock *(u64 *)(r1 + 0) += r2\n"
    "exit\n")

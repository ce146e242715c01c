// SPDX-License-Identifier: MIT
// Atomic operations on the stack.
#include "case.h"
RAW(pure, (u64 n, u64 m),
    "*(u64 *)(r10 - 8) = r1\n"
    "lock *(u64 *)(r10 - 8) += r2\n"
    "r0 = *(u64 *)(r10 - 8)\n"
    "exit\n")

// SPDX-License-Identifier: MIT
// Bytes that were written on one way alone.
// why: unset
// insn: 2
#include "case.h"
RAW(pure, (u64 n, u64 m),
    "if r1 == 0 goto +1\n"
    "*(u64 *)(r10 - 8) = r1\n"
    "r0 = *(u64 *)(r10 - 8)\n"
    "exit\n")

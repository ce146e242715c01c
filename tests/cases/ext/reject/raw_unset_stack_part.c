// SPDX-License-Identifier: MIT
// Some of the bytes were not written.
// why: unset
// insn: 2
#include "case.h"
RAW(pure, (u64 n, u64 m),
    "r1 = 1\n"
    "*(u32 *)(r10 - 8) = r1\n"
    "r0 = *(u64 *)(r10 - 8)\n"
    "exit\n")

// SPDX-License-Identifier: MIT
// The stored register was not written.
// why: unset
// insn: 0
#include "case.h"
RAW(pure, (u64 n, u64 m),
    "*(u64 *)(r10 - 8) = r5\n"
    "r0 = 0\n"
    "exit\n")

// SPDX-License-Identifier: MIT
// A comparison with what was not written.
// why: unset
// insn: 1
#include "case.h"
RAW(pure, (u64 n, u64 m),
    "r0 = 0\n"
    "if r1 > r7 goto +0\n"
    "exit\n")

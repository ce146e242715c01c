// SPDX-License-Identifier: MIT
// Above the frame.
// why: bounds
// insn: 0
#include "case.h"
RAW(pure, (u64 n, u64 m),
    "*(u64 *)(r10 + 0) = r1\n"
    "r0 = 0\n"
    "exit\n")

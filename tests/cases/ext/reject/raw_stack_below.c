// SPDX-License-Identifier: MIT
// Below the frame.
// why: bounds
// insn: 0
#include "case.h"
RAW(pure, (u64 n, u64 m),
    "*(u64 *)(r10 - 520) = r1\n"
    "r0 = 0\n"
    "exit\n")

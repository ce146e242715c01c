// SPDX-License-Identifier: MIT
// A number is no pointer.
// why: type
// insn: 0
#include "case.h"
RAW(pure, (u64 n, u64 m),
    "r0 = *(u8 *)(r1 + 0)\n"
    "exit\n")

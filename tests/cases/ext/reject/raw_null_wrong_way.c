// SPDX-License-Identifier: MIT
// Used where it is null.
// why: type
// insn: 2
#include "case.h"
RAW(maybe, (const u8 *data),
    "r0 = 0\n"
    "if r1 != 0 goto +1\n"
    "r0 = *(u8 *)(r1 + 0)\n"
    "exit\n")

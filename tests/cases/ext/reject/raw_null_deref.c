// SPDX-License-Identifier: MIT
// Perhaps null.
// why: null
// insn: 0
#include "case.h"
RAW(maybe, (const u8 *data),
    "r0 = *(u8 *)(r1 + 0)\n"
    "exit\n")

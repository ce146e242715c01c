// SPDX-License-Identifier: MIT
// Arithmetic on what may be null.
// why: null
// insn: 0
#include "case.h"
RAW(maybe, (const u8 *data),
    "r1 += 1\n"
    "r0 = 0\n"
    "exit\n")

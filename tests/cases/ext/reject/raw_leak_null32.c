// SPDX-License-Identifier: MIT
// Half a pointer is compared with null.
// why: leak
// insn: 1
#include "case.h"
RAW(maybe, (const u8 *data),
    "r0 = 0\n"
    "if w1 == 0 goto +0\n"
    "exit\n")

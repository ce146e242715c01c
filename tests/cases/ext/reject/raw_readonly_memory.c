// SPDX-License-Identifier: MIT
// Memory that is only to be read.
// why: readonly
// insn: 2
#include "case.h"
RAW(maybe, (const u8 *data),
    "r0 = 0\n"
    "if r1 == 0 goto +1\n"
    "*(u8 *)(r1 + 0) = r0\n"
    "exit\n")

// SPDX-License-Identifier: MIT
// A signed number below the range.
// why: call
// insn: 1
#include "case.h"
RAW(number, (u64 n, u64 small),
    "r1 = -5\n"
    "call signed_choose\n"
    "exit\n")

// SPDX-License-Identifier: MIT
// R6 is not an argument.
// why: unset
// insn: 0
#include "case.h"
RAW(pure, (u64 n, u64 m),
    "r0 = r6\n"
    "exit\n")

// SPDX-License-Identifier: MIT
// The operand was not written.
// why: unset
// insn: 1
#include "case.h"
RAW(pure, (u64 n, u64 m),
    "r0 = 1\n"
    "r0 += r4\n"
    "exit\n")

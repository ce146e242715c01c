// SPDX-License-Identifier: MIT
// Nothing reaches an instruction.
// why: flow
// insn: 2
#include "case.h"
RAW(pure, (u64 n, u64 m),
    "r0 = 0\n"
    "exit\n"
    "r0 = 1\n"
    "exit\n")

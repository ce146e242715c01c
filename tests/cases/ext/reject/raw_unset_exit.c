// SPDX-License-Identifier: MIT
// R0 at the end was not written.
// why: unset
// insn: 1
#include "case.h"
RAW(pure, (u64 n, u64 m),
    "r1 = 1\n"
    "exit\n")

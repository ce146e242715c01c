// SPDX-License-Identifier: MIT
// A call leaves R1 to R5 unwritten.
// why: unset
// insn: 2
#include "case.h"
RAW(number, (u64 n, u64 small),
    "r6 = r1\n"
    "call now\n"
    "r0 = r1\n"
    "exit\n")

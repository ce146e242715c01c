// SPDX-License-Identifier: MIT
// A pure program takes a lock.
// why: class
// insn: 0
#include "case.h"
RAW(pure, (u64 n, u64 m),
    "call lock\n"
    "r0 = 0\n"
    "exit\n")

// SPDX-License-Identifier: MIT
// A lock is still held at the end.
// why: reference
// insn: 2
#include "case.h"
RAW(number, (u64 n, u64 small),
    "call lock\n"
    "r0 = 0\n"
    "exit\n")

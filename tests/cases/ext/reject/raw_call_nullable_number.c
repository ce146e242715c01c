// SPDX-License-Identifier: MIT
// A number that is not null for a nullable pointer.
// why: call
// insn: 1
#include "case.h"
RAW(number, (u64 n, u64 small),
    "r1 = 8\n"
    "call perhaps\n"
    "exit\n")

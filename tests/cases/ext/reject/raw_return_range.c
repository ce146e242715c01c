// SPDX-License-Identifier: MIT
// More than the point allows.
// why: bounds
// insn: 1
#include "case.h"
RAW(choice, (u64 n),
    "r0 = 2\n"
    "exit\n")

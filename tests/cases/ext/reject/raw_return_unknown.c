// SPDX-License-Identifier: MIT
// Perhaps more than the point allows.
// why: bounds
// insn: 1
#include "case.h"
RAW(choice, (u64 n),
    "r0 = r1\n"
    "exit\n")

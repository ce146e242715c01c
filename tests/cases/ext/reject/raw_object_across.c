// SPDX-License-Identifier: MIT
// Across two members.
// why: bounds
// insn: 0
#include "case.h"
RAW(object, (struct object * o),
    "r0 = *(u64 *)(r1 + 8)\n"
    "exit\n")

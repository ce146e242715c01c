// SPDX-License-Identifier: MIT
// Before the object.
// why: bounds
// insn: 0
#include "case.h"
RAW(object, (struct object * o),
    "r0 = *(u64 *)(r1 - 8)\n"
    "exit\n")

// SPDX-License-Identifier: MIT
// Behind the object.
// why: bounds
// insn: 0
#include "case.h"
RAW(object, (struct object * o),
    "r0 = *(u64 *)(r1 + 400)\n"
    "exit\n")

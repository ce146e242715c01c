// SPDX-License-Identifier: MIT
// A member at an offset that is not constant.
// why: bounds
// insn: 3
#include "case.h"
RAW(object, (struct object * o),
    "r2 = *(u32 *)(r1 + 12)\n"
    "r2 &= 7\n"
    "r1 += r2\n"
    "r0 = *(u8 *)(r1 + 0)\n"
    "exit\n")

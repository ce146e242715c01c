// SPDX-License-Identifier: MIT
// An index that may leave the frame.
// why: bounds
// insn: 3
#include "case.h"
RAW(number, (u64 n, u64 small),
    "r3 = r10\n"
    "r3 += -8\n"
    "r3 += r2\n"
    "*(u8 *)(r3 + 0) = r1\n"
    "r0 = 0\n"
    "exit\n")

// SPDX-License-Identifier: MIT
// A number is no pointer for a store.
// why: type
// insn: 0
#include "case.h"
RAW(number, (u64 n, u64 small),
    "*(u8 *)(r1 + 0) = r2\n"
    "r0 = 0\n"
    "exit\n")

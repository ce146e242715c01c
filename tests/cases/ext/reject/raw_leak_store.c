// SPDX-License-Identifier: MIT
// A pointer is stored into memory.
// why: leak
// insn: 2
#include "case.h"
RAW(writable, (u8 * data, u64 size),
    "r0 = 0\n"
    "if r2 < 8 goto +1\n"
    "*(u64 *)(r1 + 0) = r1\n"
    "exit\n")

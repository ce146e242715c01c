// SPDX-License-Identifier: MIT
// A pointer is returned.
// why: leak
// insn: 1
#include "case.h"
RAW(memory, (const u8 *data, u64 size),
    "r0 = r1\n"
    "exit\n")

// SPDX-License-Identifier: MIT
// A pointer's bits are tested.
// why: leak
// insn: 1
#include "case.h"
RAW(memory, (const u8 *data, u64 size),
    "r0 = 0\n"
    ".quad 0x100000145\n"
    "exit\n")

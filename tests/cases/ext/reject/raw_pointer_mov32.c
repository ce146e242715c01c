// SPDX-License-Identifier: MIT
// Half a pointer is moved.
// why: type
// insn: 0
#include "case.h"
RAW(memory, (const u8 *data, u64 size),
    "w0 = w1\n"
    "exit\n")

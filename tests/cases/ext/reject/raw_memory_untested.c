// SPDX-License-Identifier: MIT
// Memory whose length was not tested.
// why: bounds
// insn: 0
#include "case.h"
RAW(memory, (const u8 *data, u64 size),
    "r0 = *(u8 *)(r1 + 0)\n"
    "exit\n")

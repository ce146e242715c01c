// SPDX-License-Identifier: MIT
// Bytes of the stack that were not written.
// why: unset
// insn: 0
#include "case.h"
RAW(pure, (u64 n, u64 m),
    "r0 = *(u64 *)(r10 - 8)\n"
    "exit\n")

// SPDX-License-Identifier: MIT
// A register that was not written.
// why: unset
// insn: 0
#include "case.h"
RAW(pure, (u64 n, u64 m),
    "r0 = r3\n"
    "exit\n")

// SPDX-License-Identifier: MIT
// An argument of a call was not written.
// why: unset
// insn: 4
#include "case.h"
RAW(choice, (u64 n),
    "r0 = 0\n"
    "r1 = r10\n"
    "r1 += -8\n"
    "*(u64 *)(r1 + 0) = r0\n"
    "call digest\n"
    "exit\n")

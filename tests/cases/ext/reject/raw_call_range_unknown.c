// SPDX-License-Identifier: MIT
// A number perhaps outside.
// why: call
// insn: 0
#include "case.h"
RAW(number, (u64 n, u64 small),
    "call choose\n"
    "exit\n")

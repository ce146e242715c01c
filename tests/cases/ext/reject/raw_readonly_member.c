// SPDX-License-Identifier: MIT
// A member without the write tag.
// why: readonly
// insn: 0
#include "case.h"
RAW(object, (struct object * o),
    ".quad 0x10000017a\n"
    "r0 = 0\n"
    "exit\n")

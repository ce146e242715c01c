// SPDX-License-Identifier: MIT
// A place within an object where the object is taken.
// why: call
// insn: 1
#include "case.h"
RAW(object, (struct object * o),
    "r1 += 8\n"
    "call look_at\n"
    "exit\n")

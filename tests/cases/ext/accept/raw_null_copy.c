// SPDX-License-Identifier: MIT
// The test of a copy tells of all.
#include "case.h"
RAW(maybe, (const u8 *data),
    "r0 = 0\n"
    "r2 = r1\n"
    "if r2 == 0 goto +1\n"
    "r0 = *(u8 *)(r1 + 15)\n"
    "exit\n")

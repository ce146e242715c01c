// SPDX-License-Identifier: MIT
// Two pointers into the same memory.
#include "case.h"
RAW(writable, (u8 * data, u64 size),
    "r3 = r1\n"
    "r3 += r2\n"
    "r3 -= r1\n"
    "r0 = r3\n"
    "exit\n")

// SPDX-License-Identifier: MIT
// Signed division and remainder, in bytes: clang 14 has no text for them.
#include "case.h"
RAW(number, (u64 n, u64 small),
    "r0 = r1\n"
    ".byte 0x37, 0x00, 1, 0, 2, 0, 0, 0\n"
    ".byte 0x97, 0x00, 1, 0, 5, 0, 0, 0\n"
    "exit\n")

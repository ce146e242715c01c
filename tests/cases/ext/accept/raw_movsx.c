// SPDX-License-Identifier: MIT
// Sign extension.
#include "case.h"
RAW(pure, (u64 n, u64 m),
    "r0 = r1\n"
    "r0 <<= 56\n"
    "r0 s>>= 56\n"
    "exit\n")

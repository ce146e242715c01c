// SPDX-License-Identifier: MIT
// More is learned between two branches than there is room to note.
#include "case.h"
#define ONE "r2 = r1\nr2 >>= 1\n"
#define TEN ONE ONE ONE ONE ONE ONE ONE ONE ONE ONE
RAW(pure, (u64 n, u64 m),
    "r1 >>= 1\n" TEN TEN TEN TEN TEN TEN TEN "r0 = r2\n"
    "exit\n")

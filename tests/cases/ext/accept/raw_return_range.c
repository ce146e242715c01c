// SPDX-License-Identifier: MIT
// Within what the point allows.
#include "case.h"
RAW(choice, (u64 n),
    "r0 = r1\n"
    "r0 &= 1\n"
    "exit\n")

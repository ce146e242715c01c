// SPDX-License-Identifier: MIT
// A wide byte swap to big endian.
// why: code
// insn: 0
#include "case.h"
RAW(pure, (u64 n, u64 m),
    ".quad 0x10000001df\n"
    "r0 = 0\n"
    "exit\n")

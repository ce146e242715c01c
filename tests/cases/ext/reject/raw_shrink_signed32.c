// SPDX-License-Identifier: MIT
// why: loop
// insn: 0
// A signed shift of a half that may be negative.
#include "case.h"

RAW(pure, (u64 n, u64 m),
    "1:	w1 s>>= 1\n"
    "	if w1 != 0 goto 1b\n"
    "	r0 = 0\n"
    "	exit\n")

// SPDX-License-Identifier: MIT
// Halved on one of two ways only.
// why: loop
// insn: 0
#include "case.h"

RAW(pure, (u64 n, u64 m),
    "	if r1 == 0 goto +4\n"
    "	if r2 == 0 goto +2\n"
    "	r1 >>= 1\n"
    "	goto -4\n"
    "	goto -5\n"
    "	r0 = 0\n"
    "	exit\n")

// SPDX-License-Identifier: MIT
// A half value by shifts of the whole register, as CPUs without 32-bit instructions have it; a value on the stack.
#include "case.h"

RAW(pure, (u64 n, u64 m),
    "	r0 = 0\n"
    "	r1 <<= 32\n"
    "	r1 >>= 32\n"
    "	if r1 == 0 goto +4\n"
    "	r1 <<= 32\n"
    "	r1 >>= 33\n"
    "	r0 += 1\n"
    "	goto -5\n"
    "	*(u64 *)(r10 - 8) = r2\n"
    "	r3 = *(u64 *)(r10 - 8)\n"
    "	if r3 == 0 goto +4\n"
    "	r3 >>= 1\n"
    "	*(u64 *)(r10 - 8) = r3\n"
    "	r0 += 1\n"
    "	goto -6\n"
    "	exit\n")

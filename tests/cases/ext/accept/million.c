// SPDX-License-Identifier: MIT
// As many steps as for ten.
#include "case.h"
SEC("pure") u64 f(u64 n, u64 m)
{
	u64 a = n;

	for (u32 i = 0; i < 100; i++)
		a = a * m + 1;
	return a;
}

// SPDX-License-Identifier: MIT
// One path, arithmetic alone.
#include "case.h"
SEC("pure") u64 f(u64 n, u64 m)
{
	return n * 3 + (m ^ 5);
}

// SPDX-License-Identifier: MIT
// No checkpoint within the budget, after a loop.
// why: length
#include "case.h"
u64 data[32];
SEC("little") u64 f(u64 n)
{
	u64 i = 0;

	do
		n += *(volatile u64 *)&data[i];
	while (++i < n && i < 32);
	data[0] = n ^ data[1];
	data[1] = n ^ data[2];
	data[2] = n ^ data[3];
	data[3] = n ^ data[4];
	data[4] = n ^ data[5];
	data[5] = n ^ data[6];
	data[6] = n ^ data[7];
	data[7] = n ^ data[8];
	data[8] = n ^ data[9];
	data[9] = n ^ data[10];
	data[10] = n ^ data[11];
	data[11] = n ^ data[12];
	return 0;
}

// SPDX-License-Identifier: MIT
// The Internet's checksum.
#include "kernel.h"

KERNEL(reader, checksum)
{
	u64 sum = 0;

	for (u64 i = 0; i + 1 < n; i += 2)
		sum += *(const u16 *)(data + i);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~sum & 0xffff;
}

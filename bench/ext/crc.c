// SPDX-License-Identifier: MIT
// CRC-32, bit by bit.
#include "kernel.h"

KERNEL(reader, crc)
{
	u32 crc = ~0u;

	for (u64 i = 0; i < n; i++) {
		crc ^= data[i];
		for (u32 k = 0; k < 8; k++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
	}
	return ~crc;
}

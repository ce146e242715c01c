// SPDX-License-Identifier: MIT
// Frames of 64 bytes: those that are IPv4 and UDP to port 53.
#include "kernel.h"

KERNEL(reader, parse)
{
	u64 found = 0;

	for (u64 at = 0; at + 64 <= n; at += 64) {
		const u8 *p = data + at;

		if (p[12] != 8 || p[13] != 0)
			continue;
		if (p[14] >> 4 != 4 || p[23] != 17)
			continue;
		u32 header = (p[14] & 15) * 4;
		if (header < 20 || header > 40)
			continue;
		if (p[14 + header + 2] == 0 && p[14 + header + 3] == 53)
			found++;
	}
	return found;
}

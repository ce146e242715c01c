// SPDX-License-Identifier: MIT
// Packet parsing: lengths of unknown size are tested before use.
#include "case.h"
SEC("memory") u64 f(const u8 *data, u64 size)
{
	u64 off = 14, header;

	if (size < 34)
		return 0;
	if (data[12] != 8 || data[13] != 0)
		return 0;
	header = (data[off] & 15) * 4;
	if (header < 20 || off + header + 8 > size)
		return 0;
	return data[off + header] << 8 | data[off + header + 1];
}

// SPDX-License-Identifier: MIT
// Steps of unknown size.
#include "case.h"
SEC("memory") u64 f(const u8 *data, u64 size)
{
	u64 off = 0, found = 0;

	if (size > 1500)
		return 0;
	while (off + 2 <= size) {
		u8 length = data[off + 1];

		if (length < 2)
			break;
		if (data[off] == 7)
			found++;
		off += length;
	}
	return found;
}

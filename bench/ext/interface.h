/* SPDX-License-Identifier: MIT
 * The points for which the kernels of this benchmark are verified: one only reads, and is bounded; one writes, and is
 * under a budget. */
#include <aril/extension.h>

ARIL_EXT_POINT(u64, reader, (const u8 *data ARIL_EXT_BYTES(4096), u64 n ARIL_EXT_RANGE(0, 4096)),
	       ARIL_EXT_CLASS(pure) ARIL_EXT_WORST(100000000))
ARIL_EXT_POINT(u64, writer, (u8 * data ARIL_EXT_BYTES(4096), u64 n ARIL_EXT_RANGE(0, 4096)),
	       ARIL_EXT_CLASS(handler) ARIL_EXT_BUDGET(1000000000))

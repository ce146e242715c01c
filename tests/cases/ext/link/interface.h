/* SPDX-License-Identifier: MIT
 * The interface that these cases are linked against. */
#include <aril/extension.h>

struct thing {
	u64 address;
	u32 flags ARIL_EXT_WRITE;
	u32 count;
	const u8 *bytes ARIL_EXT_SIZE_IN(count);
};

ARIL_EXT_FUNCTION(s64, thing_read, (const struct thing *thing, u64 at),
		  ARIL_EXT_SLOT(200) ARIL_EXT_PURE)
ARIL_EXT_FUNCTION(s64, bytes_send,
		  (const void *bytes ARIL_EXT_SIZE(2), u64 size ARIL_EXT_RANGE(1, 64)),
		  ARIL_EXT_SLOT(201) ARIL_EXT_COST(20))
ARIL_EXT_FUNCTION(void *, entry_of, (void *map ARIL_EXT_MAP_ARG, const void *key ARIL_EXT_KEY),
		  ARIL_EXT_SLOT(202) ARIL_EXT_NULLABLE ARIL_EXT_PURE)

ARIL_EXT_POINT(s64, event, (struct thing * thing),
	       ARIL_EXT_CLASS(handler) ARIL_EXT_BUDGET(1000) ARIL_EXT_RETURNS(0, 1))

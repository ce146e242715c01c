// SPDX-License-Identifier: MIT
// refused: import_type.c:[0-9]+: entry: link: function thing_read: s64 \(const struct thing \*, u32\) here, s64 \(const struct thing \*, u64\) there.*known: (u32|unsigned int); needed: (u64|unsigned long)
#include <aril/types.h>

struct thing {
	u64 address;
	u32 flags;
	u32 count;
	const u8 *bytes;
};

extern s64 thing_read(const struct thing *thing, u32 at);

__attribute__((section("other"), used)) s64 entry(struct thing *thing)
{
	return thing_read(thing, 1);
}

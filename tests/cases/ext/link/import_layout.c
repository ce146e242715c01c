// SPDX-License-Identifier: MIT
// The parameter's type has the same name and another layout.
// refused: link: function thing_read: .*known: struct thing with count at bit 64; needed: struct thing with flags at bit 64
#include <aril/types.h>

struct thing {
	u64 address;
	u32 count;
	u32 flags;
	const u8 *bytes;
};

extern s64 thing_read(const struct thing *thing, u64 at);

__attribute__((section("other"), used)) s64 entry(struct thing *thing)
{
	return thing_read(thing, thing->count);
}

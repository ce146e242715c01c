// SPDX-License-Identifier: MIT
// refused: link: function bytes_send: .*known: void \*; needed: const void \*
#include <aril/types.h>

extern s64 bytes_send(void *bytes, u64 size);

__attribute__((section("other"), used)) s64 entry(void *memory)
{
	return bytes_send(memory, 1);
}

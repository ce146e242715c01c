// SPDX-License-Identifier: MIT
// Two programs and no name.
// refused: section: 2 functions: say which
#include <aril/extension.h>

SEC("one") s64 first(void)
{
	return 1;
}

SEC("two") s64 second(void)
{
	return 2;
}

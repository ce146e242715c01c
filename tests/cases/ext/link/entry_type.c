// SPDX-License-Identifier: MIT
// refused: link: a program of point event: int \(struct thing \*\) here, s64 \(struct thing \*\) there
#include "interface.h"

SEC("event") int entry(struct thing *thing)
{
	return thing->count & 1;
}

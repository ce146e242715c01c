// SPDX-License-Identifier: MIT
// Chooses which frame an account gives: the first, going round, that was not used since it was looked at last (the
// clock). The hand stays where it was between two requests.
#include <aril/extension.h>

u64 hand;   /* the frame looked at next */
u64 rounds; /* frames that were passed over because they were in use */

#define LOOKS 32 /* at most, for one victim: each costs */

SEC("victim/clock")
u64 clock(const struct aril_victim *event)
{
	u64 first = event->first, last = event->last, frame = hand;

	for (u32 i = 0; i < LOOKS; i++) {
		s64 used;

		if (frame < first || frame > last)
			frame = first;
		used = aril_accessed(frame);
		if (!(used & ARIL_PAGE_ACCESSED) || used < 0) {
			if (used >= 0) {
				hand = frame + 1;
				return frame;
			}
		} else {
			rounds++;
		}
		frame++;
	}
	hand = frame;
	return 0;
}

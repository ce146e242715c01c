/* SPDX-License-Identifier: MIT
 * Has the device read and write what is not its own, through rings that are; and takes back frames that the
 * device still holds. */
// expect: ring_foreign: refused foreign frames on [1-9]
// expect: ring_foreign: refused using a frame that the device holds
// expect: ring_foreign: done
// forbid: ring_foreign: WRONG
// with:
#include "adversary.h"

#define RINGS 64
#define PROBE 0x500000000000ul

/* A request that is in order but for what the caller changes. */
static struct aril_ring_request good(u32 frame, u32 write)
{
	return (struct aril_ring_request){
		.frame = frame, .bytes = 64, .write = write, .auth = core_auth};
}

static int submit(u32 ring, const char *what, struct aril_ring_request request)
{
	return turned_down(what, aril_ring_submit(ring, &request, 1), 0);
}

/* All that is wrong with a request, on one ring. */
static int wrong_requests(u32 ring, u32 page, u32 weak)
{
	struct aril_ring_request r;
	int ok = 1;

	for (u32 write = 0; write < 2; write++) {
		ok &= submit(ring, "init's memory", good((u32)ARIL_INFO->free_low - 1, write));
		ok &= submit(ring, "the kernel's memory",
			     good(find_frame(ARIL_FRAME_KERNEL, -1, 0), write));
		ok &= submit(ring, "a page table",
			     good(frame_info(CORE_DOMAIN->space)->partner, write));
		ok &= submit(ring, "its own space", good(CORE_DOMAIN->space, write));
		ok &= submit(ring, "its own env", good(CORE_DOMAIN->env_frame, write));
		ok &= submit(ring, "a queue", good(find_frame(ARIL_FRAME_QUEUE, -1, 0), write));
		ok &= submit(ring, "no memory", good(find_frame(ARIL_FRAME_ABSENT, -1, 0), write));
		ok &= submit(ring, "a frame far away", good(~0u, write));
		r = good(page, write);
		r.offset = 4096 - 63;
		ok &= submit(ring, "bytes past the frame", r);
		r.offset = ~0u - 10;
		ok &= submit(ring, "an offset that wraps", r);
		r = good(page, write);
		r.bytes = ~0u;
		ok &= submit(ring, "2^32-1 bytes", r);
		r.bytes = 0;
		ok &= submit(ring, "no bytes", r);
		r = good(page, write);
		r.auth = 0xabcd;
		ok &= submit(ring, "no authority", r);
	}
	r = good(page, 1);
	r.auth = weak;
	ok &= submit(ring, "input by READ", r);
	r = good(page, 2);
	ok &= submit(ring, "a direction that is none", r);
	r = good((u32)(ARIL_INFO->module[0].start >> ARIL_PAGE_SHIFT), 1);
	return ok & submit(ring, "input into the boot archive", r);
}

/* A frame that waits for input is taken back: it must not be used again before the device is done. */
static void quarantine(u32 ring, u32 frame)
{
	struct aril_ring_request r = good(frame, 1);
	u32 other = core_pool_take(&core_pool, 1);

	if (aril_ring_submit(ring, &r, 1) != 1) {
		wrong("an input buffer", 0);
		return;
	}
	allowed("a reset", aril_frame_reset(core_auth, frame));
	int ok = turned_down("binding it",
			     core_map(&core_self, PROBE, frame, 1, ARIL_BIND_WRITE, core_auth),
			     ARIL_E_STATE);
	ok &= turned_down("a space in it", aril_space_create(core_auth, frame, other),
			  ARIL_E_STATE);
	ok &= turned_down("a table in it",
			  aril_space_table(core_auth, core_self.root, PROBE, 3, frame, other),
			  ARIL_E_STATE);
	ok &= turned_down("submitting it again", aril_ring_submit(ring, &r, 1), ARIL_E_STATE);
	if (ok)
		core_log("%s: refused using a frame that the device holds", NAME);
}

int main(int argc, char **argv, char **envp)
{
	struct aril_cap cap;
	u32 page, rings = 0, pins;
	s64 input = -1;

	(void)argc;
	(void)argv;
	(void)envp;
	core_pages(1, &page);
	allowed("a weak child", aril_cap_derive(&CORE_DOMAIN->cap, NULL, 0, ARIL_READ, 0, &cap));
	u32 weak = (u32)aril_cap_open(&cap);
	for (u32 ring = 0; ring < RINGS; ring++) {
		struct aril_ring_request r = good(page, 0);

		/* whose ring is it? A wrong length is RANGE on ours as on none, so: a request of no authority */
		r.auth = 0xabcd;
		if (aril_ring_submit(ring, &r, 1) != -ARIL_E_CAP)
			continue;
		rings += wrong_requests(ring, page, weak);
		if (input < 0)
			input = ring;
	}
	pins = frame_info(page)->pins;
	if (pins)
		wrong("pins left by refusals", pins);
	core_log("%s: refused foreign frames on %u rings", NAME, rings);
	if (input >= 0)
		quarantine((u32)input, core_pool_take(&core_pool, 1));
	return done();
}

/* SPDX-License-Identifier: MIT
 * Keeps a borrowed frame as the page of a ring: its owner gets it back all the same, and the ring is closed. */
// expect: ring_page: refused a request on the ring that was
// expect: ring_page: done
// forbid: ring_page: WRONG
// with:
#include "adversary.h"

int main(int argc, char **argv, char **envp)
{
	u32 device = CORE_DOMAIN->device, cpu = core_context()->cpu,
	    page = core_pool_take(&core_pool, 1);
	u32 buffer = core_pool_take(&core_pool, 1), before;
	struct aril_ring_request request = {
		.frame = buffer, .bytes = 64, .write = 1, .auth = core_auth};
	s64 ring;

	(void)argc;
	(void)argv;
	(void)envp;
	if (CORE_DOMAIN->console != CORE_CONSOLE_RING) {
		wrong("a machine without a ring", CORE_DOMAIN->console);
		return done();
	}
	aril_ring_close(device * 4);
	ring = aril_ring_open(core_auth, device, 0, page, cpu);
	allowed("a ring", ring);
	allowed("a request", aril_ring_submit((u32)ring, &request, 1));
	before = frame_info(page)->pins;
	allowed("taking the page back", aril_frame_reset(core_auth, page));
	if (before != 1 || frame_info(page)->pins || (frame_info(page)->flags & ~ARIL_FRAME_USED))
		wrong("the page",
		      frame_info(page)->pins * 16 + (frame_info(page)->flags & ~ARIL_FRAME_USED));
	refused("a request on the ring that was", aril_ring_submit((u32)ring, &request, 1),
		ARIL_E_RIGHTS);
	refused("closing the ring that was", aril_ring_close((u32)ring), ARIL_E_RIGHTS);
	allowed("another ring", aril_ring_open(core_auth, device, 0, page, cpu));
	return done();
}

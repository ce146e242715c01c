/* SPDX-License-Identifier: MIT
 * Gives every call that takes a pointer an address that is not its to give: the kernel's, the books', its page
 * tables', across the end of user space, not canonical, unbound, read-only. */
// expect: kernel_address: done
// forbid: kernel_address: WRONG
#include "adversary.h"

static const struct {
	const char *what;
	u64 at;
} address[] = {
	{"the kernel's image", ARIL_KERNEL_VA + 0x100000},
	{"all memory", ARIL_PHYS_VA + 0x200000},
	{"the books", ARIL_INFO_VA},
	{"the frame table", 0},
	{"device memory", ARIL_DEVICE_VA},
	{"its own page tables", ARIL_SELF_VA},
	{"the end of user space", ARIL_USER_TOP - 8},
	{"the last page", ARIL_USER_TOP},
	{"the hole's start", 0x0000800000000000},
	{"the hole's end", 0xffff7ffffffffff8},
	{"the end of all", ~0ul - 7},
	{"unbound memory", 0x123456789000},
	{"zero", 0},
};

/* All calls, with one pointer replaced. The others are good, so that nothing else is refused first. */
static int readers(u64 at)
{
	struct aril_cap child;
	int good = 1;

	good &= turned_down("cap_derive, parent",
			    aril_cap_derive((void *)at, (const u8 *)"x", 1, ARIL_READ, 0, &child),
			    ARIL_E_ADDR);
	good &= turned_down(
		"cap_derive, suffix",
		aril_cap_derive(&CORE_DOMAIN->cap, (void *)at, 16, ARIL_READ, 0, &child),
		ARIL_E_ADDR);
	good &= turned_down("cap_open", aril_cap_open((void *)at), ARIL_E_ADDR);
	good &= turned_down("frame_update", aril_frame_update(core_auth, (void *)at, 1),
			    ARIL_E_ADDR);
	good &= turned_down("space_update",
			    aril_space_update(core_auth, core_self.root, (void *)at, 1),
			    ARIL_E_ADDR);
	good &= turned_down("env_create",
			    aril_env_create(core_auth, core_pool.run[0].first, (void *)at),
			    ARIL_E_ADDR);
	good &= turned_down("log", aril_log((void *)at, 16), ARIL_E_ADDR);
	good &= turned_down("grant_create", aril_grant_create(core_auth, (void *)at), 0);
	good &= turned_down("device_open", aril_device_open(core_auth, (void *)at), 0);
	good &= turned_down("ring_submit", aril_ring_submit(0, (void *)at, 1), 0);
	if (at)
		good &= turned_down("slice_set",
				    aril_slice_set(core_auth, core_context()->cpu,
						   CORE_DOMAIN->index, CORE_DOMAIN->env,
						   (void *)at),
				    0);
	return good;
}

static int writers(u64 at)
{
	return turned_down(
		"cap_derive, out",
		aril_cap_derive(&CORE_DOMAIN->cap, (const u8 *)"x", 1, ARIL_READ, 0, (void *)at),
		ARIL_E_ADDR);
}

int main(int argc, char **argv, char **envp)
{
	u32 frame;
	u8 *page = core_pages(1, &frame);

	(void)argc;
	(void)argv;
	(void)envp;
	for (u32 i = 0; i < sizeof(address) / sizeof(address[0]); i++) {
		u64 at = address[i].at ? address[i].at : i == 3 ? ARIL_INFO->frames_va : 0;

		if (readers(at) & writers(at))
			core_log("%s: refused %s", NAME, address[i].what);
	}
	/* from its own page into the next, which is not there */
	if (readers((u64)page + ARIL_PAGE_SIZE - 8) & writers((u64)page + ARIL_PAGE_SIZE - 8))
		core_log("%s: refused %s", NAME, "memory that ends too early");
	refused("read-only memory to write to", writers(CORE_DOMAIN_VA) ? -ARIL_E_ADDR : 0,
		ARIL_E_ADDR);
	refused("its code to write to", writers((u64)&main) ? -ARIL_E_ADDR : 0, ARIL_E_ADDR);
	refused("2^61 ops", aril_space_update(core_auth, core_self.root, (void *)page, 1ul << 61),
		0);
	refused("2^64-1 bytes of log", aril_log((void *)page, ~0ul), 0);
	refused("an entry in the kernel", aril_env_entry(ARIL_KERNEL_VA, 0), ARIL_E_RANGE);
	refused("a gate in the kernel", aril_env_entry((u64)&core_upcall, ARIL_PHYS_VA),
		ARIL_E_RANGE);
	refused("an entry in the hole", aril_env_entry(0x0000900000000000, 0), ARIL_E_RANGE);
	refused("an entry at the end", aril_env_entry(ARIL_USER_TOP, 0), ARIL_E_RANGE);
	refused("a context in the kernel",
		aril_env_context(core_auth, CORE_DOMAIN->env, core_context()->cpu, frame,
				 ARIL_PHYS_VA),
		0);
	return done();
}

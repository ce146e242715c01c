/* SPDX-License-Identifier: MIT
 * Capabilities: chains of derivation, forged bytes, opened indices and what they open, each against the plain rule.
 * links: tests/host/fake.c kernel/cap.c kernel/siphash.c kernel/frame.c kernel/large.c kernel/account.c kernel/space.c kernel/narrow.c kernel/table.c */
#include "fuzz.h"

#define CAPS 8

static struct aril_cap caps[CAPS];

static struct aril_cap cap_root(void)
{
	struct aril_cap cap = {.rights = ARIL_ALL, .generation = 200};

	cap_sign(&cap);
	return cap;
}

/* Derives from one to another: what the rules say comes out, or the refusal. */
static void derive(const u8 *d, const u8 *suffix)
{
	const struct aril_cap parent = caps[d[1] % CAPS];
	u32 bytes = d[2] % 35, rights = d[3];
	u64 generation = d[4];
	struct aril_cap child;
	s64 got = call_cap_derive(&parent, suffix, bytes, rights, generation, &child);
	int may = bytes <= ARIL_NAME_MAX && parent.len + bytes <= ARIL_NAME_MAX && rights &&
		  (rights & parent.rights) == rights && generation <= parent.generation;

	SAME(got, may ? 0 : -ARIL_E_RANGE);
	if (!may)
		return;
	MUST(cap_valid(&child));
	SAME(child.len, parent.len + bytes);
	MUST(!memcmp(child.name, parent.name, parent.len) &&
	     !memcmp(child.name + parent.len, suffix, bytes));
	for (u32 i = child.len; i < ARIL_NAME_MAX; i++)
		SAME(child.name[i], 0);
	SAME(child.rights, rights);
	SAME(child.generation, generation);
	caps[d[5] % CAPS] = child;
}

/* One byte of it changed: refused by both calls. */
static void forge(const u8 *d)
{
	struct aril_cap cap = caps[d[1] % CAPS], child;

	((u8 *)&cap)[d[2] % sizeof(cap)] ^= d[3] ? d[3] : 1;
	SAME(call_cap_open(&cap), -ARIL_E_CAP);
	SAME(call_cap_derive(&cap, d, 0, ARIL_READ, 0, &child), -ARIL_E_CAP);
}

/* Opened, it opens what the rule says; closed, nothing. */
static void open(const u8 *d, const u8 *name)
{
	const struct aril_cap *cap = &caps[d[1] % CAPS];
	struct aril_guard g = {.len = d[2] % 33, .rights = d[3] & ARIL_ALL, .generation = d[4]};
	u32 need = d[5] & ARIL_ALL, same = d[0] >> 4 & 3 ? cap->len : 0;
	s64 index = call_cap_open(cap);

	if (same > g.len)
		same = g.len;
	memcpy(g.name, name, g.len);
	memcpy(g.name, cap->name, same); /* else hardly any two names would agree */
	SAME(guard_check(&g), 0);
	MUST(index > 0);
	const struct auth *a = auth_get(fake_cpu.env, index);
	MUST(a);
	int may = g.rights && (need & g.rights & cap->rights) == need &&
		  cap->generation >= g.generation && cap->len <= g.len &&
		  !memcmp(cap->name, g.name, cap->len);
	SAME(!!guard_opens(&g, a, need), may);
	SAME(call_cap_close(index), 0);
	MUST(!auth_get(fake_cpu.env, index));
	SAME(call_cap_close(index), -ARIL_E_CAP);
}

int LLVMFuzzerTestOneInput(const u8 *data, usize bytes)
{
	static int ready;

	if (!ready++)
		fake_reset();
	for (u32 i = 0; i < CAPS; i++)
		caps[i] = cap_root();
	for (; bytes >= 40; bytes -= 6, data += 6) {
		if (data[0] % 4 == 0)
			forge(data);
		else if (data[0] & 1)
			derive(data, data + 6);
		else
			open(data, data + 6);
	}
	for (u32 i = 0; i < ARIL_AUTHS; i++) /* epochs are few for a program that runs for ever */
		fake_cpu.env->auths[i].epoch = 0;
	return 0;
}

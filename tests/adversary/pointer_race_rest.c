/* SPDX-License-Identifier: MIT
 * As pointer_race, for all other calls that take a pointer; and a list of them, by the table of calls, so that one that is
 * added is missed here. */
// root: yes
// with:
// smp: 2
// expect: pointer_race_rest: [1-9][0-9]* pointers of [1-9][0-9]* calls, none left out
// expect: pointer_race_rest: done
// forbid: pointer_race_rest: WRONG
#include "race.h"
#include <aril_call_desc.h>

#define CACHE_VA 0x100000000000ul
#define REGION_OFFSET 64u
#define REGION_BYTES 16u
#define PORT 0x9000u
#define RINGS 16u

/* Raced in pointer_race.c and pointer_race_code.c; index of the argument. */
static const struct pointer {
	u32 number, arg;
} elsewhere[] = {
	{ARIL_CALL_CAP_DERIVE, 0},   {ARIL_CALL_CAP_OPEN, 0},	{ARIL_CALL_FRAME_UPDATE, 1},
	{ARIL_CALL_SPACE_UPDATE, 2}, {ARIL_CALL_ENV_CREATE, 2}, {ARIL_CALL_SLICE_SET, 4},
	{ARIL_CALL_LOG, 0},	     {ARIL_CALL_CODE_GUARD, 1}, {ARIL_CALL_CODE_SEAL, 1},
	{ARIL_CALL_CODE_ATTACH, 1},  {ARIL_CALL_CODE_WAIT, 0},
};
static struct pointer here[32];
static u32 nhere;

static u32 root, own, spare, foreign, theirs, account, position, region, device_frame;
static struct aril_guard guard;
static struct aril_cap child_cap;
static u32 foreign_refs, foreign_pins, foreign_state;
static s64 grant, ring = -1;

static void pointer(u32 number, u32 arg, const char *what, s64 (*call)(void),
		    int (*after)(s64 result))
{
	here[nhere++] = (struct pointer){number, arg};
	many(what, call, after);
}

/* Nothing of the foreign frame has changed. */
static int foreign_same(void)
{
	const volatile struct aril_frame *f = frame_info(foreign);

	return f->refs == foreign_refs && f->pins == foreign_pins && f->state == foreign_state;
}

static int refusal(s64 result, int one, int other)
{
	return result == -ARIL_E_ADDR || result == -one || (other && result == -other);
}

static int is_ours(const volatile struct aril_guard *g)
{
	return g->len == guard.len && g->name[1] == guard.name[1];
}

/* --- capabilities */

static s64 suffix_call(void)
{
	return aril_cap_derive(&CORE_DOMAIN->cap, (const u8 *)ALIAS, 4, ARIL_READ, 0, &child_cap);
}

/* Read once: or the name would not be the one that was signed. */
static int suffixed(s64 result)
{
	if (result)
		return result == -ARIL_E_ADDR;
	s64 index = aril_cap_open(&child_cap);
	if (index >= 0)
		aril_cap_close((u32)index);
	return index >= 0;
}

static s64 out_call(void)
{
	return aril_cap_derive(&CORE_DOMAIN->cap, (const u8 *)"x", 1, ARIL_READ, 0,
			       (struct aril_cap *)ALIAS);
}

static int written(s64 result)
{
	for (u32 i = 256; i < ARIL_PAGE_SIZE; i++)
		if (page[i])
			return 0;
	return result >= 0 || result == -ARIL_E_ADDR;
}

static s64 check_call(void)
{
	return aril_check(root, ARIL_NOUN_ENV, 0, (struct aril_check *)ALIAS);
}

/* --- guards */

static s64 alloc_call(void)
{
	return aril_frame_alloc(core_auth, CORE_DOMAIN->account, spare, 1,
				(const struct aril_guard *)ALIAS);
}

static int allocated(s64 result)
{
	if (result < 0)
		return refusal(result, ARIL_E_RIGHTS, 0) && !frame_info(spare)->account;
	return is_ours(&frame_info(spare)->guard[0]) && aril_frame_free(core_auth, spare, 1) == 1;
}

static s64 region_guard_call(void)
{
	return aril_region_guard(core_auth, region, REGION_OFFSET,
				 (const struct aril_guard *)ALIAS);
}

static int region_guarded(s64 result)
{
	if (result && !refusal(result, ARIL_E_RIGHTS, 0))
		return 0;
	return !aril_region_write(core_auth, region, REGION_OFFSET, (const u8 *)"x", 1);
}

static const volatile struct aril_account *books(void)
{
	return (const volatile struct aril_account *)ARIL_INFO->accounts_va + (account & 0xffff);
}

static s64 account_guard_call(void)
{
	return aril_account_guard(core_auth, account, (const struct aril_guard *)ALIAS);
}

static int account_guarded(s64 result)
{
	return is_ours(&books()->guard) && (!result || refusal(result, ARIL_E_RIGHTS, 0));
}

static s64 slice_call(void)
{
	return aril_slice_alloc(core_auth, CORE_DOMAIN->account, 0, position,
				(const struct aril_guard *)ALIAS);
}

static int sliced(s64 result)
{
	const volatile struct aril_slice *s =
		(const volatile struct aril_slice *)ARIL_INFO->slices_va + position;

	return is_ours(&s->guard) && (!result || refusal(result, ARIL_E_RIGHTS, 0));
}

static const volatile struct aril_grant *grant_info(s64 n)
{
	return (const volatile struct aril_grant *)ARIL_INFO->grants_va + n;
}

static s64 grant_guard_call(void)
{
	return aril_grant_guard(core_auth, (u32)grant, (const struct aril_guard *)ALIAS);
}

static int grant_guarded(s64 result)
{
	return is_ours(&grant_info(grant)->guard) && (!result || refusal(result, ARIL_E_RIGHTS, 0));
}

/* --- descriptions */

static s64 grant_call(void)
{
	return aril_grant_create(root, (const struct aril_grant_desc *)ALIAS);
}

/* Configuration of PCI is never a domain's. */
static int granted(s64 result)
{
	if (result < 0)
		return refusal(result, ARIL_E_RIGHTS, 0);
	return grant_info(result)->first == PORT && grant_info(result)->count == 1 &&
	       !aril_grant_destroy(core_auth, (u32)result);
}

static s64 account_call(void)
{
	return aril_account_create(core_auth, account, (const struct aril_account_desc *)ALIAS);
}

static int accounted(s64 result)
{
	if (result < 0)
		return refusal(result, ARIL_E_RANGE, 0);
	const volatile struct aril_account *a =
		(const volatile struct aril_account *)ARIL_INFO->accounts_va + (result & 0xffff);
	int good_limit = a->limit[ARIL_QUOTA_ENVS] == 1 && !books()->limit[ARIL_QUOTA_ENVS];
	return good_limit && !aril_account_destroy(core_auth, (u32)result);
}

static s64 revoke_call(void)
{
	return aril_revoke(core_auth, account, (const struct aril_revocation *)ALIAS);
}

static int revoked(s64 result)
{
	for (u32 kind = 1; kind < 4; kind++)
		if (books()->wanted[kind])
			return 0;
	return books()->wanted[0] <= 1 && (!result || refusal(result, ARIL_E_RANGE, 0));
}

static s64 fields_call(void)
{
	return aril_region_create(core_auth, spare, spare + 1,
				  (const struct aril_region_field *)ALIAS, 1);
}

/* The field is where it was found right: not at the end of the frame, nor beyond it. */
static int fielded(s64 result)
{
	if (result)
		return refusal(result, ARIL_E_RANGE, 0);
	int right = !aril_region_write(core_auth, spare, REGION_OFFSET, (const u8 *)"x", 1) &&
		    aril_region_write(core_auth, spare, 4090, (const u8 *)"x", 1) == -ARIL_E_RANGE;
	return right && !aril_frame_reset(core_auth, spare);
}

static volatile u8 *region_seen;

static s64 write_call(void)
{
	return aril_region_write(core_auth, region, REGION_OFFSET, (const u8 *)ALIAS, REGION_BYTES);
}

static int wrote(s64 result)
{
	for (u32 i = 0; i < ARIL_PAGE_SIZE; i++)
		if (region_seen[i] && i - REGION_OFFSET >= REGION_BYTES)
			return 0;
	return !result || result == -ARIL_E_ADDR;
}

static struct aril_cache_desc cache;

static s64 cache_call(void)
{
	return aril_cache_create(core_auth, core_self.root, (const struct aril_cache_desc *)ALIAS);
}

static int cached(s64 result)
{
	if (!foreign_same())
		return 0;
	if (result)
		return refusal(result, ARIL_E_RIGHTS, ARIL_E_STATE);
	while ((result = aril_frame_reset(core_auth, cache.frame)) == -ARIL_E_AGAIN)
		;
	return !result;
}

static s64 entry_call(void)
{
	return aril_cache_update(core_auth, core_self.root, (const struct aril_space_op *)ALIAS, 1);
}

static int entered(s64 result)
{
	return foreign_same() && (result == 1 || refusal(result, ARIL_E_RIGHTS, ARIL_E_STATE));
}

/* --- devices: nothing answers there, but what it asks for is looked at first; and the console's ring */

static s64 device_call(void)
{
	return aril_device_open(root, (const struct aril_device_desc *)ALIAS);
}

static int opened(s64 result)
{
	if (result >= 0 || !foreign_same())
		return 0;
	return frame_info(device_frame)->state == ARIL_FRAME_NORMAL &&
	       !frame_info(device_frame)->pins;
}

static s64 submit_call(void)
{
	return aril_ring_submit((u32)ring, (const struct aril_ring_request *)ALIAS, 1);
}

static int submitted(s64 result)
{
	return foreign_same() && (result == 1 || result == -ARIL_E_FULL ||
				  refusal(result, ARIL_E_RIGHTS, ARIL_E_STATE));
}

static s64 ring_find(void)
{
	for (u32 n = 0; n < RINGS; n++) { /* as ring_foreign.c does */
		struct aril_ring_request r = {.frame = own, .bytes = 64, .auth = 0xabcd};

		if (aril_ring_submit(n, &r, 1) == -ARIL_E_CAP)
			return n;
	}
	return -1;
}

/* A position of ours on the first CPU. */
static int position_find(void)
{
	for (; position < ARIL_SLICES; position++)
		if (!aril_slice_set(core_auth, 0, position, CORE_DOMAIN->env, &guard))
			return 1;
	return 0;
}

/* The frame that must stay as it is. */
static void foreign_set(u32 frame)
{
	foreign = frame;
	foreign_refs = frame_info(frame)->refs;
	foreign_pins = frame_info(frame)->pins;
	foreign_state = frame_info(frame)->state;
}

static void prepare(void)
{
	struct aril_account_desc desc = {.guard = guard};
	struct aril_region_field field = {
		.offset = REGION_OFFSET, .bytes = REGION_BYTES, .guard = guard};

	desc.limit[ARIL_QUOTA_ENVS] = desc.limit[ARIL_QUOTA_ACCOUNTS] = 1;
	core_pages(1, &own);
	s64 got = aril_account_create(core_auth, CORE_DOMAIN->account, &desc);
	allowed("an account", got);
	account = (u32)got;
	spare = core_pool_take(&core_pool, 2);
	region = core_pool_take(&core_pool, 2);
	device_frame = core_pool_take(&core_pool, 1);
	allowed("a region", aril_region_create(core_auth, region, region + 1, &field, 1));
	region_seen = (u8 *)ALIAS + ARIL_PAGE_SIZE;
	allowed("to see it", core_map(&core_self, (u64)region_seen, region, 1, 0, core_auth));
	cache = (struct aril_cache_desc){.va = CACHE_VA, .ntables = 2, .nstlb = 1};
	cache.frame = core_pool_take(&core_pool, 5);
	cache.table_first = cache.frame + 1;
	cache.stlb_first = cache.frame + 3;
	u32 table = core_pool_take(&core_pool, 4);
	aril_space_table(core_auth, core_self.root, CACHE_VA, 3, table, table + 1);
	allowed("a table of level 2",
		aril_space_table(core_auth, core_self.root, CACHE_VA, 2, table + 2, table + 3));
}

static void guards(void)
{
	race(&guard, sizeof(guard), 0, theirs);
	allowed("a free frame", aril_frame_free(core_auth, spare, 1));
	pointer(ARIL_CALL_FRAME_ALLOC, 4, "frame_alloc", alloc_call, allocated);
	allowed("the frame again",
		aril_frame_alloc(core_auth, CORE_DOMAIN->account, spare, 1, &guard));
	race(&guard, sizeof(guard), 0, theirs);
	pointer(ARIL_CALL_REGION_GUARD, 3, "region_guard", region_guard_call, region_guarded);
	race(&guard, sizeof(guard), 0, theirs);
	pointer(ARIL_CALL_ACCOUNT_GUARD, 2, "account_guard", account_guard_call, account_guarded);
	race(&guard, sizeof(guard), 0, theirs);
	pointer(ARIL_CALL_SLICE_ALLOC, 4, "slice_alloc", slice_call, sliced);
	struct aril_grant_desc desc = {.kind = ARIL_GRANT_PORTS,
				       .env = CORE_DOMAIN->env,
				       .first = PORT,
				       .count = 1,
				       .guard = guard};
	allowed("ports", grant = aril_grant_create(root, &desc));
	race(&guard, sizeof(guard), 0, theirs);
	pointer(ARIL_CALL_GRANT_GUARD, 2, "grant_guard", grant_guard_call, grant_guarded);
	allowed("giving them back", aril_grant_destroy(core_auth, (u32)grant));
	race(&desc, sizeof(desc), 8, 0xcf8);
	pointer(ARIL_CALL_GRANT_CREATE, 1, "grant_create", grant_call, granted);
}

static void descriptions(void)
{
	struct aril_account_desc desc = {.guard = guard};
	desc.limit[ARIL_QUOTA_ENVS] = 1;
	race(&desc, sizeof(desc), __builtin_offsetof(struct aril_account_desc, limit[1]),
	     0x7fffffff);
	pointer(ARIL_CALL_ACCOUNT_CREATE, 2, "account_create", account_call, accounted);
	struct aril_revocation want = {
		.kind = ARIL_REVOKE_FRAMES, .count = 1, .last = 7, .deadline = ~0ul >> 1};
	race(&want, sizeof(want), 0, ARIL_REVOKE_GATES); /* first..last is no env of the account */
	pointer(ARIL_CALL_REVOKE, 2, "revoke", revoke_call, revoked);
	want.count = 0;
	allowed("withdrawing", aril_revoke(core_auth, account, &want));
	struct aril_region_field field = {
		.offset = REGION_OFFSET, .bytes = REGION_BYTES, .guard = guard};
	race(&field, sizeof(field), 0, 4090);
	pointer(ARIL_CALL_REGION_CREATE, 3, "region_create", fields_call, fielded);
	race("0123456789abcdef", REGION_BYTES, 4, 0xffffffff);
	pointer(ARIL_CALL_REGION_WRITE, 3, "region_write", write_call, wrote);
	race(&cache, sizeof(cache), __builtin_offsetof(struct aril_cache_desc, frame), foreign);
	pointer(ARIL_CALL_CACHE_CREATE, 2, "cache_create", cache_call, cached);
	allowed("a cache", aril_cache_create(core_auth, core_self.root, &cache));
	struct aril_space_op op = {.va = CACHE_VA + 0x7000,
				   .frame = own,
				   .count = 1,
				   .kind = ARIL_BIND,
				   .auth = core_auth};
	race(&op, sizeof(op), 8, foreign);
	pointer(ARIL_CALL_CACHE_UPDATE, 2, "cache_update", entry_call, entered);
	allowed("its end", aril_frame_reset(core_auth, cache.frame));
}

static void devices(void)
{
	struct aril_device_desc desc = {.transport = ARIL_VIRTIO_MMIO,
					.type = 3,
					.regs = 0xfeb00000,
					.line = 5,
					.nqueues = 1,
					.queue_frame = {device_frame}};
	race(&desc, sizeof(desc), __builtin_offsetof(struct aril_device_desc, queue_frame),
	     foreign);
	pointer(ARIL_CALL_DEVICE_OPEN, 1, "device_open", device_call, opened);
	ring = ring_find();
	allowed("a ring of ours", ring);
	struct aril_ring_request request = {.frame = own, .bytes = 16, .auth = core_auth};
	race(&request, sizeof(request), 0, foreign);
	pointer(ARIL_CALL_RING_SUBMIT, 1, "ring_submit", submit_call, submitted);
}

static int listed(const struct pointer *list, u32 n, u32 number, u32 arg)
{
	for (u32 i = 0; i < n; i++)
		if (list[i].number == number && list[i].arg == arg)
			return 1;
	return 0;
}

/* Every pointer of every call was raced, here or there. */
static void complete(void)
{
	u32 pointers = 0, calls = 0;

	for (u32 i = 0; i < ARIL_CALLS; i++) {
		const struct aril_call_desc *d = &aril_call_desc[i];
		u32 any = 0, number = ARIL_CALL_BASE + d->number;

		for (u32 arg = 0; arg < d->nargs; arg++) {
			if (!(d->pointers >> arg & 1))
				continue;
			any = 1;
			pointers++;
			if (!listed(here, nhere, number, arg) &&
			    !listed(elsewhere, sizeof(elsewhere) / sizeof(elsewhere[0]), number,
				    arg))
				core_log("%s: WRONG nobody races argument %u of %s", NAME, arg,
					 d->name);
		}
		calls += any;
	}
	core_log("%s: %u pointers of %u calls, none left out", NAME, pointers, calls);
}

int main(int argc, char **argv, char **envp)
{
	(void)argc, (void)argv, (void)envp;
	root = (u32)aril_cap_open(&CORE_DOMAIN->root_cap);
	guard = our_guard();
	theirs = *(u32 *)guard.name ^ 0x300; /* another domain's */
	race_begin();
	prepare();
	foreign_set(env_info(env_info(CORE_DOMAIN->env)->parent)->space);
	if (!position_find())
		wrong("no position", 0);
	race("abcdefgh", 8, 0, 0x64646464);
	pointer(ARIL_CALL_CAP_DERIVE, 1, "cap_derive, suffix", suffix_call, suffixed);
	race("", 1, 200, 7);
	pointer(ARIL_CALL_CAP_DERIVE, 5, "cap_derive, out", out_call, written);
	race("", 1, 200, 7);
	pointer(ARIL_CALL_CHECK, 3, "check", check_call, written);
	guards();
	descriptions();
	devices();
	complete();
	race_end();
	return done();
}

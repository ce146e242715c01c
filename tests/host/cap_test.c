/* SPDX-License-Identifier: MIT
 * Capabilities: the MAC, dominance, deriving, opening, guards.
 * links: tests/host/fake.c kernel/cap.c kernel/siphash.c kernel/frame.c kernel/large.c kernel/account.c kernel/space.c kernel/narrow.c kernel/table.c */
#include "fake.h"

#include "account.h"

/* SipHash-2-4-128 of 00 01 .. n-1 under key 00..0f, n = 0..63, as OpenSSL's MAC of that name gives it. */
static const char *const siphash_expected[64] = {
	"a3817f04ba25a8e66df67214c7550293", "da87c1d86b99af44347659119b22fc45",
	"8177228da4a45dc7fca38bdef60affe4", "9c70b60c5267a94e5f33b6b02985ed51",
	"f88164c12d9c8faf7d0f6e7c7bcd5579", "1368875980776f8854527a07690e9627",
	"14eeca338b208613485ea0308fd7a15e", "a1f1ebbed8dbc153c0b84aa61ff08239",
	"3b62a9ba6258f5610f83e264f31497b4", "264499060ad9baabc47f8b02bb6d71ed",
	"00110dc378146956c95447d3f3d0fbba", "0151c568386b6677a2b4dc6f81e5dc18",
	"d626b266905ef35882634df68532c125", "9869e247e9c08b10d029934fc4b952f7",
	"31fcefac66d7de9c7ec7485fe4494902", "5493e99933b0a8117e08ec0f97cfc3d9",
	"6ee2a4ca67b054bbfd3315bf85230577", "473d06e8738db89854c066c47ae47740",
	"a426e5e423bf4885294da481feaef723", "78017731cf65fab074d5208952512eb1",
	"9e25fc833f2290733e9344a5e83839eb", "568e495abe525a218a2214cd3e071d12",
	"4a29b54552d16b9a469c10528eff0aae", "c9d184ddd5a9f5e0cf8ce29a9abf691c",
	"2db479ae78bd50d8882a8a178a6132ad", "8ece5f042d5e447b5051b9eacb8d8f6f",
	"9c0b53b4b3c307e87eaee08678141f66", "abf248af69a6eae4bfd3eb2f129eeb94",
	"0664da1668574b88b935f3027358aef4", "aa4b9dc4bf337de90cd4fd3c467c6ab7",
	"ea5c7f471faf6bde2b1ad7d4686d2287", "2939b0183223fafc1723de4f52c43d35",
	"7c3956ca5eeafc3e363e9d556546eb68", "77c6077146f01c32b6b69d5f4ea9ffcf",
	"37a6986cb8847edf0925f0f1309b54de", "a705f0e69da9a8f907241a2e923c8cc8",
	"3dc47d1f29c448461e9e76ed904f6711", "0d62bf01e6fc0e1a0d3c4751c5d3692b",
	"8c03468bca7c669ee4fd5e084bbee7b5", "528a5bb93baf2c9c4473cce5d0d22bd9",
	"df6a301e95c95dad97ae0cc8c6913bd8", "801189902c857f39e73591285e70b6db",
	"e617346ac9c231bb3650ae34ccca0c5b", "27d93437efb721aa401821dcec5adf89",
	"89237d9ded9c5e78d8b1c9b166cc7342", "4a6d8091bf5e7d651189fa94a250b14c",
	"0e33f96055e7ae893ffc0e3dcf492902", "e61c432b720b19d18ec8d84bdc63151b",
	"f7e5aef549f782cf379055a608269b16", "438d030fd0b7a54fa837f2ad201a6403",
	"a590d3ee4fbf04e3247e0d27f286423f", "5fe2c1a172fe93c4b15cd37caef9f538",
	"2c97325cbd06b36eb2133dd08b3a017c", "92c814227a6bca949ff0659f002ad39e",
	"dce850110bd8328cfbd50841d6911d87", "67f14984c7da791248e32bb5922583da",
	"1938f2cf72d54ee97e94166fa91d2a36", "74481e9646ed49fe0f6224301604698e",
	"57fca5de98a9d6d8006438d0583d8a1d", "9fecde1cefdc1cbed4763674d9575359",
	"e3040c00eb28f15366ca73cbd872e740", "7697009a6a831dfecca91c5993670f7a",
	"5853542321f567a005d547a4f04759bd", "5150d1772f50834a503e069a973fbd7c",
};

static void siphash(void)
{
	u8 message[72];
	char hex[33];
	u64 key[2], out[2];

	for (u32 i = 0; i < 16; i++)
		((u8 *)key)[i] = i;
	for (u32 shift = 0; shift < 2; shift++) /* aligned or not */
		for (u32 n = 0; n < 64; n++) {
			for (u32 i = 0; i < n; i++)
				message[shift + i] = i;
			siphash128(key, message + shift, n, out);
			for (u32 i = 0; i < 16; i++)
				sprintf(hex + 2 * i, "%02x", ((u8 *)out)[i]);
			CHECK(!strcmp(hex, siphash_expected[n]));
		}
}

static int prefix_of(const u8 *a, u32 alen, const u8 *b, u32 blen)
{
	return alen <= blen && !memcmp(a, b, alen);
}

static void dominance_pair(const u8 *a, u32 alen, const u8 *b, u32 blen)
{
	struct aril_guard g = {.len = blen, .rights = ARIL_ALL};
	u64 name[4] = {0};

	memcpy(name, a, alen);
	memcpy(g.name, b, blen);
	SAME(cap_dominates(name, alen, &g), prefix_of(a, alen, b, blen));
}

/* Every pair of names of up to 4 bytes over two letters; random ones of every length with one change. */
static void dominance(void)
{
	u8 a[32], b[32];

	for (u32 i = 0; i < 31 * 31; i++) {
		u32 x = i % 31 + 1, y = i / 31 + 1, xl = 31 - __builtin_clz(x),
		    yl = 31 - __builtin_clz(y);

		for (u32 k = 0; k < 5; k++) {
			a[k] = 1 + (x >> k & 1);
			b[k] = 1 + (y >> k & 1);
		}
		dominance_pair(a, xl, b, yl);
	}
	for (u32 i = 0; i < 200000; i++) {
		u32 al = test_below(33), bl = test_below(33);

		for (u32 k = 0; k < 32; k++)
			a[k] = b[k] = test_random();
		if (test_below(2))
			b[test_below(32)] ^= 1 << test_below(8);
		dominance_pair(a, al, b, bl);
	}
}

static struct aril_cap cap_named(const char *name, u32 rights, u64 generation)
{
	struct aril_cap cap = {.len = strlen(name), .rights = rights, .generation = generation};

	memcpy(cap.name, name, cap.len);
	cap_sign(&cap);
	return cap;
}

static void forged(void)
{
	struct aril_cap good, bad;

	fake_reset();
	good = cap_named("a.name", ARIL_READ | ARIL_OWN, 7);
	CHECK(cap_valid(&good));
	for (u32 bit = 0; bit < sizeof(good) * 8; bit++) { /* altered anywhere */
		bad = good;
		((u8 *)&bad)[bit / 8] ^= 1 << bit % 8;
		CHECK(!cap_valid(&bad));
		SAME(call_cap_open(&bad), -ARIL_E_CAP);
	}
	for (u32 i = 0; i < 1000; i++) { /* guessed */
		bad = good;
		bad.mac[0] = test_random();
		bad.mac[1] = test_random();
		CHECK(!cap_valid(&bad));
	}
	/* signed, but malformed: the kernel would not have made it */
	bad = good;
	bad.len = 33;
	cap_sign(&bad);
	CHECK(!cap_valid(&bad));
	bad = good;
	bad.name[6] = 1;
	cap_sign(&bad);
	CHECK(!cap_valid(&bad));
	for (u32 i = 0; i < 3; i++) {
		bad = good;
		bad.zero[i] = 1;
		cap_sign(&bad);
		CHECK(!cap_valid(&bad));
	}
	bad = good;
	bad.rights = 64;
	cap_sign(&bad);
	CHECK(!cap_valid(&bad));
	cap_init(); /* another boot, another key */
	CHECK(!cap_valid(&good));
	SAME(call_cap_open(BAD_ADDRESS), -ARIL_E_ADDR);
}

static void derive(void)
{
	struct aril_cap parent, out, bad;
	u8 suffix[64] = "child";

	fake_reset();
	parent = cap_named("parent/", ARIL_READ | ARIL_OWN, 7);
	SAME(call_cap_derive(&parent, suffix, 5, ARIL_READ, 7, &out), 0);
	CHECK(cap_valid(&out));
	CHECK(!memcmp(out.name, "parent/child", 13));
	SAME(out.len, 12);
	SAME(out.rights, ARIL_READ);
	SAME(out.generation, 7);
	SAME(call_cap_derive(&parent, suffix, 0, ARIL_READ | ARIL_OWN, 0, &out), 0);
	SAME(out.len, 7);
	SAME(out.generation, 0);
	memset(&out, 0x55, sizeof(out));
	SAME(call_cap_derive(&parent, suffix, 25, ARIL_READ, 7, &out), 0);
	SAME(out.len, 32);
	CHECK(cap_valid(&out));
	SAME(call_cap_derive(&parent, suffix, 26, ARIL_READ, 7, &out), -ARIL_E_RANGE);
	SAME(call_cap_derive(&parent, suffix, 33, ARIL_READ, 7, &out), -ARIL_E_RANGE);
	SAME(call_cap_derive(&parent, suffix, ~0ul, ARIL_READ, 7, &out), -ARIL_E_RANGE);
	SAME(call_cap_derive(&parent, suffix, 1, 0, 7, &out), -ARIL_E_RANGE);
	SAME(call_cap_derive(&parent, suffix, 1, ARIL_WRITE, 7, &out), -ARIL_E_RANGE);
	SAME(call_cap_derive(&parent, suffix, 1, ARIL_READ | 64, 7, &out), -ARIL_E_RANGE);
	SAME(call_cap_derive(&parent, suffix, 1, ARIL_READ, 8, &out), -ARIL_E_RANGE);
	SAME(call_cap_derive(BAD_ADDRESS, suffix, 1, ARIL_READ, 7, &out), -ARIL_E_ADDR);
	SAME(call_cap_derive(&parent, BAD_ADDRESS, 1, ARIL_READ, 7, &out), -ARIL_E_ADDR);
	SAME(call_cap_derive(&parent, suffix, 1, ARIL_READ, 7, BAD_ADDRESS), -ARIL_E_ADDR);
	bad = parent;
	bad.len = 3; /* a shorter name is more authority */
	SAME(call_cap_derive(&bad, suffix, 1, ARIL_READ, 7, &out), -ARIL_E_CAP);
	bad = parent;
	bad.rights = ARIL_ALL;
	SAME(call_cap_derive(&bad, suffix, 1, ARIL_READ, 7, &out), -ARIL_E_CAP);
}

static void opened(void)
{
	u32 index[ARIL_AUTHS], old;
	struct env *env;

	fake_reset();
	env = fake_cpu.env;
	for (u32 i = 0; i < 1000; i++)
		CHECK(!auth_get(env, i)); /* nothing is open: no index is good */
	for (u32 i = 0; i < ARIL_AUTHS; i++) {
		index[i] = fake_open("name", ARIL_READ, i);
		const struct auth *a = auth_get(env, index[i]);
		CHECK(a && a->generation == i && a->rights == ARIL_READ && a->len == 4);
	}
	SAME((s32)fake_open("name", ARIL_READ, 0), -ARIL_E_QUOTA);
	SAME(call_cap_close(index[3]), 0);
	CHECK(!auth_get(env, index[3]));
	SAME(call_cap_close(index[3]), -ARIL_E_CAP);
	CHECK(!auth_get(env, index[3] + ARIL_AUTHS)); /* the epoch of a closed slot */
	SAME(call_cap_close(index[3] + ARIL_AUTHS), -ARIL_E_CAP);
	old = index[3];
	index[3] = fake_open("other", ARIL_READ, 0);
	CHECK(index[3] != old && index[3] % ARIL_AUTHS == old % ARIL_AUTHS);
	CHECK(!auth_get(env, old)); /* stale */
	CHECK(auth_get(env, index[3]));
	SAME(fake_quiesces, 0);
	env->ctx[1].state = CTX_RUNNING; /* another CPU may be comparing */
	SAME(call_cap_close(index[3]), 0);
	SAME(fake_quiesces, 1);
	/* which it waits for: not when the slice's shoot-downs are spent, and then it stays open */
	index[3] = fake_open("waits", ARIL_READ, 0);
	accounts[env->account].limit[ARIL_QUOTA_FLUSHES] = 0;
	SAME(call_cap_close(index[3]), -ARIL_E_QUOTA);
	CHECK(auth_get(env, index[3]));
	SAME(fake_quiesces, 1);
	accounts[env->account].limit[ARIL_QUOTA_FLUSHES] = ~0u;
	SAME(call_cap_close(index[3]), 0);
	/* a slot whose epochs are used up stays closed */
	env->auths[3].epoch = 0x0ffffffe;
	index[3] = fake_open("last", ARIL_READ, 0);
	CHECK(auth_get(env, index[3]));
	SAME(call_cap_close(index[3]), 0);
	SAME((s32)fake_open("none", ARIL_READ, 0), -ARIL_E_QUOTA);
}

/* A machine without random numbers does not boot. */
static void no_entropy(void)
{
	fake_reset();
	fake_entropy = 0;
	CHECK(test_dies(cap_init));
}

static struct auth auth_named(const char *name, u32 rights, u64 generation)
{
	struct auth a = {.rights = rights, .generation = generation, .len = strlen(name)};

	memcpy(a.name, name, a.len);
	return a;
}

static void guards(void)
{
	struct aril_guard g = fake_guard("dom/a", ARIL_READ | ARIL_OWN, 5);
	struct auth a = auth_named("dom", ARIL_READ | ARIL_WRITE, 5);

	CHECK(guard_opens(&g, &a, ARIL_READ));
	CHECK(!guard_opens(&g, &a, ARIL_WRITE)); /* the guard does not grant it */
	CHECK(!guard_opens(&g, &a, ARIL_OWN));	 /* the authority does not */
	CHECK(!guard_opens(&g, &a, ARIL_READ | ARIL_OWN));
	a.generation = 4;
	CHECK(!guard_opens(&g, &a, ARIL_READ));
	a.generation = 6;
	CHECK(guard_opens(&g, &a, ARIL_READ));
	a = auth_named("dom/b", ARIL_ALL, 9);
	CHECK(!guard_opens(&g, &a, ARIL_READ));
	a = auth_named("dom/a/b", ARIL_ALL, 9);
	CHECK(!guard_opens(&g, &a, ARIL_READ));
	CHECK(guard_opens(&g, &auth_root, ARIL_READ | ARIL_OWN));
	g.rights = 0;
	CHECK(!guard_opens(&g, &auth_root, 0));
	SAME(guard_check(&g), 0);
	g.zero[1] = 1;
	SAME(guard_check(&g), -ARIL_E_RANGE);
	g = fake_guard("x", 64, 0);
	SAME(guard_check(&g), -ARIL_E_RANGE);
	g = fake_guard("x", 1, 0);
	g.len = 33;
	SAME(guard_check(&g), -ARIL_E_RANGE);
	g.len = 0;
	SAME(guard_check(&g), -ARIL_E_RANGE);
}

/* Without guards only the empty name, as far as its rights go; with one, only by it. */
static void unguarded(void)
{
	struct auth weak = auth_named("", ARIL_READ, ~0ul), other = auth_named("x", ARIL_ALL, ~0ul);
	u32 frame;

	fake_reset();
	frame = fake_frame();
	SAME(frame_guard_for(frame, &auth_root, ARIL_ALL), 0);
	SAME(frame_guard_for(frame, &weak, ARIL_READ), 0);
	SAME(frame_guard_for(frame, &weak, ARIL_OWN), -ARIL_E_RIGHTS);
	SAME(frame_guard_for(frame, &other, ARIL_READ), -ARIL_E_RIGHTS);
	frames[frame].guard[1] = fake_guard("x", ARIL_READ, 0);
	SAME(frame_guard_for(frame, &other, ARIL_READ), 1);
	SAME(frame_guard_for(frame, &auth_root, ARIL_READ), 1);
	SAME(frame_guard_for(frame, &auth_root, ARIL_WRITE), -ARIL_E_RIGHTS);
	frames[frame].guard[0] = fake_guard("y", ARIL_READ, 0);
	SAME(frame_guard_for(frame, &other, ARIL_READ), 1);
	SAME(frame_guard_for(frame, &auth_root, ARIL_READ), 0);
	SAME(frame_check(nframes, &auth_root, ARIL_READ), -ARIL_E_FRAME);
	SAME(frame_check(~0u, &auth_root, ARIL_READ), -ARIL_E_FRAME);
	SAME(frame_check(frame, &other, ARIL_WRITE), -ARIL_E_RIGHTS);
	SAME(frame_check(frame, &other, ARIL_READ), 0);
}

static const struct test tests[] = {
	TEST(siphash), TEST(dominance),	 TEST(forged), TEST(derive),
	TEST(opened),  TEST(no_entropy), TEST(guards), TEST(unguarded),
};

int main(void)
{
	return test_main(tests, sizeof(tests) / sizeof(tests[0]));
}

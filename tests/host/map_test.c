/* SPDX-License-Identifier: MIT
 * Maps: what they do; that whatever their owner writes into the data, every function ends and stays inside; that updates
 * from two sides make no entry twice.
 * links: ext/map.c ext/image.c ext/refusal.c */
#include "test.h"

#include <map.h>
#include <refusal.h>

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define REGIONS 6u
enum { ARRAY, PERCPU, HASH, RING, DATA, RODATA };

static struct ext_region region[REGIONS];
static struct ext_program program;
static u8 *image;
static u64 image_bytes;

static void make(u32 entries)
{
	static const u8 constant[] = "constant";
	static const u8 initial[] = "initial";
	struct ext_refusal why;

	region[ARRAY] = (struct ext_region){
		.name = "array", .kind = EXT_ARRAY, .key = 4, .value = 12, .entries = entries};
	region[PERCPU] = (struct ext_region){
		.name = "percpu", .kind = EXT_PERCPU, .key = 4, .value = 8, .entries = entries};
	region[HASH] = (struct ext_region){
		.name = "hash", .kind = EXT_HASH, .key = 13, .value = 20, .entries = entries};
	region[RING] = (struct ext_region){
		.name = "ring", .kind = EXT_RING, .value = 24, .entries = entries};
	region[DATA] = (struct ext_region){
		.name = ".data", .kind = EXT_DATA, .bytes = 100, .init = initial, .init_bytes = 8};
	region[RODATA] = (struct ext_region){.name = ".rodata",
					     .kind = EXT_RODATA,
					     .bytes = 9,
					     .init = constant,
					     .init_bytes = 9};
	program = (struct ext_program){.region = region, .regions = REGIONS};
	SAME(ext_layout(&program, &why), EXT_OK);
	free(image);
	image_bytes = program.data_bytes;
	image = aligned_alloc(4096, image_bytes); /* the sanitizer sees what is outside */
	ext_image_fill(&program, image);
}

static const struct ext_map *map(u32 n)
{
	return ext_map_of(image, n);
}

static u8 *data(u32 n)
{
	return ext_map_data(map(n));
}

static void layout(void)
{
	make(100);
	SAME(program.rodata_bytes, 4096);
	SAME(program.data_bytes % 4096, 0);
	CHECK(!strcmp((char *)image + region[RODATA].offset, "constant"));
	CHECK(!strcmp((char *)image + region[DATA].offset, "initial"));
	SAME(image[region[DATA].offset + 8], 0);
	for (u32 i = 0; i < REGIONS; i++) {
		SAME(region[i].offset % 64, 0);
		CHECK(region[i].offset + region[i].bytes <= image_bytes);
		CHECK((region[i].offset < program.rodata_bytes) == (i == RODATA));
		for (u32 k = 0; k < i; k++)
			CHECK(region[k].offset + region[k].bytes <= region[i].offset ||
			      region[i].offset + region[i].bytes <= region[k].offset);
	}
	for (u32 i = 0; i < 4; i++) {
		CHECK(data(i) == image + region[i].offset);
		SAME(map(i)->bytes, region[i].bytes);
	}
	program.regions = 0; /* nothing at all */
	struct ext_refusal why;
	SAME(ext_layout(&program, &why), EXT_OK);
	SAME(program.data_bytes, 0);
}

static int layout_of(u32 kind, u32 key, u32 value, u32 entries)
{
	struct ext_region r = {
		.name = "r", .kind = kind, .key = key, .value = value, .entries = entries};
	struct ext_program p = {.region = &r, .regions = 1};
	struct ext_refusal why;

	return ext_layout(&p, &why);
}

static void layout_refusals(void)
{
	SAME(layout_of(EXT_ARRAY, 4, 8, 1), EXT_OK);
	SAME(layout_of(EXT_ARRAY, 4, 8, 0), EXT_WHY_MAP);
	SAME(layout_of(EXT_ARRAY, 4, 8, EXT_MAP_ENTRIES_MOST), EXT_OK);
	SAME(layout_of(EXT_ARRAY, 4, 8, EXT_MAP_ENTRIES_MOST + 1), EXT_WHY_MAP);
	SAME(layout_of(EXT_ARRAY, 4, 0, 1), EXT_WHY_MAP);
	SAME(layout_of(EXT_ARRAY, 8, 8, 1), EXT_WHY_MAP);
	SAME(layout_of(EXT_ARRAY, 0, 8, 1), EXT_WHY_MAP);
	SAME(layout_of(EXT_ARRAY, 2, 8, 1), EXT_WHY_MAP);
	SAME(layout_of(EXT_ARRAY, 4, EXT_MAP_VALUE_MOST, 1), EXT_OK);
	SAME(layout_of(EXT_ARRAY, 4, EXT_MAP_VALUE_MOST + 1, 1), EXT_WHY_MAP);
	SAME(layout_of(EXT_HASH, EXT_MAP_KEY_MOST, EXT_MAP_HASH_VALUE_MOST, 1), EXT_OK);
	SAME(layout_of(EXT_HASH, EXT_MAP_KEY_MOST + 1, 8, 1), EXT_WHY_MAP);
	SAME(layout_of(EXT_HASH, 0, 8, 1), EXT_WHY_MAP);
	SAME(layout_of(EXT_HASH, 8, EXT_MAP_HASH_VALUE_MOST + 1, 1), EXT_WHY_MAP);
	SAME(layout_of(EXT_RING, 0, 8, 1), EXT_OK);
	SAME(layout_of(EXT_RING, 4, 8, 1), EXT_WHY_MAP);
	/* all together too large: of one, of two, of what is only read */
	SAME(layout_of(EXT_ARRAY, 4, EXT_MAP_VALUE_MOST, EXT_MAP_ENTRIES_MOST), EXT_WHY_OBJECT);
	for (u32 kind = EXT_RODATA; kind <= EXT_DATA; kind++) {
		struct ext_region two[2] = {
			{.name = "a", .kind = kind, .bytes = EXT_IMAGE_MOST / 2 + 64},
			{.name = "b", .kind = kind, .bytes = EXT_IMAGE_MOST / 2}};
		struct ext_program p = {.region = two, .regions = 2};
		struct ext_refusal why;

		SAME(ext_layout(&p, &why), EXT_WHY_OBJECT);
		two[1].bytes = ~0ull - 10;
		SAME(ext_layout(&p, &why), EXT_WHY_OBJECT);
		p.regions = 1;
		SAME(ext_layout(&p, &why), EXT_OK);
	}
}

static void arrays(void)
{
	u32 key = 99;
	u64 value[2] = {0x1122334455667788, 0x99};
	u8 *at;

	make(100);
	at = ext_map_lookup(map(ARRAY), data(ARRAY), &key, 0);
	CHECK(at == data(ARRAY) + 99 * 16);
	SAME(at[0], 0);
	SAME(ext_map_update(map(ARRAY), data(ARRAY), &key, value, EXT_MAP_ANY, 0), EXT_MAP_OK);
	CHECK(!memcmp(at, value, 12));
	SAME(at[12], 0);
	SAME(ext_map_update(map(ARRAY), data(ARRAY), &key, value, EXT_MAP_OLD, 0), EXT_MAP_OK);
	SAME(ext_map_update(map(ARRAY), data(ARRAY), &key, value, EXT_MAP_NEW, 0), EXT_MAP_EXISTS);
	SAME(ext_map_delete(map(ARRAY), data(ARRAY), &key), EXT_MAP_WRONG);
	for (u32 n = 0; n < 3; n++) {
		key = n == 0 ? 100 : n == 1 ? 0x80000000 : ~0u;
		CHECK(!ext_map_lookup(map(ARRAY), data(ARRAY), &key, 0));
		CHECK(!ext_map_lookup(map(PERCPU), data(PERCPU), &key, 0));
		SAME(ext_map_update(map(ARRAY), data(ARRAY), &key, value, 0, 0), EXT_MAP_NONE);
	}
	key = 99;
	for (u64 cpu = 0; cpu < EXT_MAP_CPUS; cpu++)
		SAME(ext_map_update(map(PERCPU), data(PERCPU), &key, &cpu, 0, cpu), EXT_MAP_OK);
	for (u64 cpu = 0; cpu < EXT_MAP_CPUS; cpu++)
		SAME(*(u64 *)ext_map_lookup(map(PERCPU), data(PERCPU), &key, cpu), cpu);
	CHECK(!ext_map_lookup(map(PERCPU), data(PERCPU), &key, EXT_MAP_CPUS));
	CHECK(!ext_map_lookup(map(PERCPU), data(PERCPU), &key, ~0ull));
	SAME(ext_map_update(map(PERCPU), data(PERCPU), &key, value, 0, EXT_MAP_CPUS), EXT_MAP_NONE);
}

static void key_of(u8 *key, u32 n)
{
	memset(key, 0x5a, 13);
	memcpy(key + 9, &n, 4);
}

static void hash(void)
{
	const struct ext_map *m;
	u8 key[13], value[20], *at;

	make(1000);
	m = map(HASH);
	key_of(key, 1);
	CHECK(!ext_map_lookup(m, data(HASH), key, 0));
	SAME(ext_map_update(m, data(HASH), key, value, EXT_MAP_OLD, 0), EXT_MAP_NONE);
	SAME(ext_map_delete(m, data(HASH), key), EXT_MAP_NONE);
	for (u32 n = 0; n < 1000; n++) { /* as many as were asked for find room */
		key_of(key, n);
		memset(value, (int)n, 20);
		SAME(ext_map_update(m, data(HASH), key, value, EXT_MAP_NEW, 0), EXT_MAP_OK);
	}
	for (u32 n = 0; n < 1000; n++) {
		key_of(key, n);
		at = ext_map_lookup(m, data(HASH), key, 0);
		CHECK(at && at[0] == (u8)n && at[19] == (u8)n && (u64)at % 8 == 0);
		SAME(ext_map_update(m, data(HASH), key, value, EXT_MAP_NEW, 0), EXT_MAP_EXISTS);
	}
	for (u32 n = 0; n < 1000; n += 2) {
		key_of(key, n);
		SAME(ext_map_delete(m, data(HASH), key), EXT_MAP_OK);
		SAME(ext_map_delete(m, data(HASH), key), EXT_MAP_NONE);
	}
	for (u32 n = 0; n < 1000; n++) {
		key_of(key, n);
		CHECK(!ext_map_lookup(m, data(HASH), key, 0) == !(n % 2));
	}
	/* it fills up, says so, and takes again what was made room for */
	s64 result = EXT_MAP_OK;
	u32 n = 2000;
	for (; n < 10000 && result == EXT_MAP_OK; n++) {
		key_of(key, n);
		result = ext_map_update(m, data(HASH), key, value, 0, 0);
	}
	SAME(result, EXT_MAP_FULL);
	CHECK(n > 3200);
	key_of(key, 1);
	SAME(ext_map_update(m, data(HASH), key, value, EXT_MAP_OLD, 0), EXT_MAP_OK);
	CHECK(!ext_ring_reserve(m, data(HASH)));
	CHECK(!ext_ring_peek(m, data(HASH)));
}

static void ring(void)
{
	const struct ext_map *m;
	u64 *record[8];
	u32 key = 0;

	make(5);
	m = map(RING);
	SAME(m->mask, 7);
	CHECK(!ext_ring_peek(m, data(RING)));
	for (u64 n = 0; n < 8; n++) {
		record[n] = ext_ring_reserve(m, data(RING));
		CHECK(record[n]);
		*record[n] = n;
	}
	CHECK(!ext_ring_reserve(m, data(RING)));
	SAME(ext_ring_lost(data(RING)), 1);
	CHECK(!ext_ring_peek(m, data(RING)));
	ext_ring_submit(record[1]);
	CHECK(!ext_ring_peek(m, data(RING))); /* in order */
	ext_ring_discard(record[0]);
	for (u64 n = 2; n < 8; n++)
		ext_ring_submit(record[n]);
	for (u64 n = 1; n < 8; n++) {
		const u64 *at = ext_ring_peek(m, data(RING));

		CHECK(at && *at == n && at == ext_ring_peek(m, data(RING)));
		ext_ring_done(m, data(RING));
	}
	CHECK(!ext_ring_peek(m, data(RING)));
	for (u64 n = 0; n < 100; n++) {
		u64 *at = ext_ring_reserve(m, data(RING));

		CHECK(at);
		CHECK(!ext_ring_peek(m, data(RING)));
		ext_ring_submit(at);
		CHECK(ext_ring_peek(m, data(RING)) == at);
		ext_ring_done(m, data(RING));
	}
	CHECK(!ext_map_lookup(m, data(RING), &key, 0));
	SAME(ext_map_update(m, data(RING), &key, record, 0, 0), EXT_MAP_WRONG);
	SAME(ext_map_delete(m, data(RING), &key), EXT_MAP_WRONG);
}

/* Any pointer that comes back is the begin of a value. */
static int inside(u32 n, const void *at)
{
	return ext_map_holds(map(n), (u64)((const u8 *)at - data(n)), map(n)->value) &&
	       (u64)at % 8 == 0;
}

static void hostile(void)
{
	u8 key[13], value[20];

	make(60);
	for (u32 round = 0; round < 3000; round++) {
		u32 style = test_below(4);

		for (u64 i = program.rodata_bytes; i < image_bytes; i++)
			image[i] = style == 0	? (u8)test_random()
				   : style == 1 ? 0xff
				   : style == 2 ? (u8)(test_below(4) == 0)
						: 0;
		for (u32 n = 0; n < 12; n++) {
			u32 index = (u32)test_random() >> test_below(32);
			void *at;

			key_of(key, test_below(40));
			at = ext_map_lookup(map(HASH), data(HASH), key, 0);
			CHECK(!at || inside(HASH, at));
			ext_map_update(map(HASH), data(HASH), key, value, test_below(3), 0);
			if (test_below(2))
				ext_map_delete(map(HASH), data(HASH), key);
			at = ext_map_lookup(map(PERCPU), data(PERCPU), &index, test_below(20));
			CHECK(!at || inside(PERCPU, at));
			at = ext_map_lookup(map(ARRAY), data(ARRAY), &index, 0);
			CHECK(!at || inside(ARRAY, at));
			at = ext_ring_reserve(map(RING), data(RING));
			CHECK(!at || inside(RING, at));
			if (at)
				test_below(2) ? ext_ring_submit(at) : ext_ring_discard(at);
			at = (void *)ext_ring_peek(map(RING), data(RING));
			CHECK(!at || inside(RING, at));
			ext_ring_done(map(RING), data(RING));
		}
		if (round > 200)
			round += 10; /* filling takes the time */
	}
	/* a lock that is never given back */
	memset(image + program.rodata_bytes, 0, image_bytes - program.rodata_bytes);
	for (u64 b = 0; b <= map(HASH)->mask; b++)
		data(HASH)[b * map(HASH)->row] = 1;
	key_of(key, 1);
	SAME(ext_map_update(map(HASH), data(HASH), key, value, 0, 0), EXT_MAP_BUSY);
	SAME(ext_map_delete(map(HASH), data(HASH), key), EXT_MAP_BUSY);
	CHECK(!ext_map_lookup(map(HASH), data(HASH), key, 0));
}

static void holds(void)
{
	make(60);
	for (u32 n = ARRAY; n <= RING; n++) {
		u64 values = 0, in = 0;

		for (u64 at = 0; at < map(n)->bytes; at++) {
			values += ext_map_holds(map(n), at, map(n)->value);
			in += ext_map_holds(map(n), at, 1);
			CHECK(!ext_map_holds(map(n), at, map(n)->value + 1));
		}
		u64 count = n == ARRAY	  ? 60
			    : n == PERCPU ? 60 * EXT_MAP_CPUS
			    : n == HASH	  ? (map(n)->mask + 1) * EXT_MAP_SLOTS
					  : map(n)->mask + 1;
		SAME(values, count);
		SAME(in, count * map(n)->value);
		CHECK(!ext_map_holds(map(n), map(n)->bytes, 1));
		CHECK(!ext_map_holds(map(n), ~0ull, 1));
		CHECK(!ext_map_holds(map(n), 64, ~0ull));
	}
}

/* --- two sides at once: a process of its own, on shared data */
static void share(void)
{
	make(60);
	u8 *shared =
		mmap(0, image_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	memcpy(shared, image, image_bytes);
	free(image);
	image = shared;
}

static void unshare(void)
{
	munmap(image, image_bytes);
	image = 0;
}

static pid_t beside(void (*f)(u64 which), u64 which)
{
	fflush(stdout);
	pid_t pid = fork();

	if (pid)
		return pid;
	f(which);
	_exit(0);
}

static void updates(u64 which)
{
	u8 key[13], value[20];
	u64 seed = which;

	memset(value, 7, sizeof(value));
	for (u32 n = 0; n < 40000; n++) {
		s64 result = EXT_MAP_BUSY;

		seed = seed * 6364136223846793005 + 1442695040888963407;
		key_of(key, (u32)(seed >> 60));
		while (result == EXT_MAP_BUSY)
			result = seed >> 40 & 1
					 ? ext_map_update(map(HASH), data(HASH), key, value, 0, 0)
					 : ext_map_delete(map(HASH), data(HASH), key);
	}
}

static void together(void)
{
	u8 key[13];

	share();
	pid_t other = beside(updates, 12345);
	updates(1);
	waitpid(other, 0, 0);
	for (u32 n = 0; n < 16; n++) {
		key_of(key, n);
		s64 first = ext_map_delete(map(HASH), data(HASH), key);

		CHECK(first == EXT_MAP_OK || first == EXT_MAP_NONE);
		SAME(ext_map_delete(map(HASH), data(HASH), key),
		     EXT_MAP_NONE); /* it was there once */
	}
	unshare();
}

static void submits(u64 which)
{
	for (u64 n = 0; n < 20000;) {
		u64 *at = ext_ring_reserve(map(RING), data(RING));

		if (!at)
			continue;
		at[0] = n++;
		at[1] = which;
		ext_ring_submit(at);
	}
}

static void ring_together(void)
{
	u64 next[2] = {0}, seen = 0;

	share();
	pid_t one = beside(submits, 0), two = beside(submits, 1);

	while (seen < 40000) { /* of each side in order, none lost, none twice */
		const u64 *at = ext_ring_peek(map(RING), data(RING));

		if (!at)
			continue;
		SAME(at[0], next[at[1] & 1]);
		next[at[1] & 1]++;
		seen++;
		ext_ring_done(map(RING), data(RING));
	}
	waitpid(one, 0, 0);
	waitpid(two, 0, 0);
	SAME(next[0], 20000);
	unshare();
}

int main(void)
{
	static const struct test tests[] = {
		TEST(layout),	    TEST(layout_refusals), TEST(arrays), TEST(hash),
		TEST(ring),	    TEST(hostile),	   TEST(holds),	 TEST(together),
		TEST(ring_together)};

	return test_main(tests, sizeof(tests) / sizeof(tests[0]));
}

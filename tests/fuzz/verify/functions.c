/* SPDX-License-Identifier: MIT
 * What fuzzed programs call: each does what its contract allows, determined by the run's seed. */
#include "verify_fuzz.h"

#include "../../cases/ext/case.h"

struct running running;

#define LOCKS 8u
static struct lock locks[LOCKS];
static struct inner found;

static u64 next(void)
{
	running.random = running.random * 6364136223846793005ul + 1442695040888963407ul;
	return running.random >> 29;
}

static u64 now(u64 a, u64 b, u64 c, u64 d, u64 e, struct ext_run *run)
{
	(void)a, (void)b, (void)c, (void)d, (void)e;
	if (run != &running.run)
		abort(); /* the sixth argument is the run */
	return next() & 1 ? next() : next() << 40 ^ next();
}

static u64 digest(u64 data, u64 size)
{
	const u8 *at = (const u8 *)data;
	u64 sum = 5381;

	while (size--)
		sum = sum * 33 + *at++;
	return sum;
}

static u64 fill(u64 data, u64 size)
{
	u8 *at = (u8 *)data;

	while (size--)
		*at++ = (u8)next();
	return next();
}

static u64 lock(void)
{
	u32 n = 0;

	while (running.locked >> n & 1)
		n++;
	if (n >= LOCKS)
		abort(); /* more references than may be held at once */
	running.locked |= 1u << n;
	if (running.check)
		ext_check_allow(running.check, (u64)&locks[n], sizeof(locks[n]), 0);
	return (u64)&locks[n];
}

static u64 try_lock(void)
{
	return next() & 1 ? lock() : 0;
}

static u64 unlock(u64 l)
{
	u64 n = (l - (u64)locks) / sizeof(locks[0]);

	if (n >= LOCKS || !(running.locked >> n & 1))
		abort(); /* no reference that is held */
	running.locked &= ~(1u << n);
	if (running.check)
		ext_check_forbid(running.check, l);
	return next();
}

static const struct ext_map *map_of(u64 map)
{
	return (const struct ext_map *)map;
}

static u64 look_up(u64 map, u64 key)
{
	return (u64)ext_map_lookup(map_of(map), ext_map_data(map_of(map)), (const void *)key, 1);
}

static u64 update(u64 map, u64 key, u64 value)
{
	return (u64)ext_map_update(map_of(map), ext_map_data(map_of(map)), (const void *)key,
				   (const void *)value, EXT_MAP_ANY, 1);
}

static u64 choose(u64 n)
{
	if (n > 7)
		abort();
	return next() & 7;
}

static u64 signed_choose(u64 n)
{
	if ((s64)n < -4 || (s64)n > 4)
		abort();
	return next() % 9 - 4;
}

static u64 look_at(u64 o)
{
	return *(const volatile u64 *)o ^ next();
}

static u64 perhaps(u64 data)
{
	return data ? digest(data, 8) : next();
}

static u64 nothing(void)
{
	return next();
}

static u64 reserve(u64 map)
{
	u64 record = (u64)ext_ring_reserve(map_of(map), ext_map_data(map_of(map)));
	u32 n = 0;

	if (!record)
		return 0;
	while (running.locked >> (8 + n) & 1)
		n++;
	if (n >= 8)
		abort(); /* more references than may be held at once */
	running.locked |= 256u << n;
	running.record[n] = record;
	return record;
}

static void record_back(u64 record)
{
	for (u32 n = 0; n < 8; n++)
		if (running.locked >> (8 + n) & 1 && running.record[n] == record) {
			running.locked &= ~(256u << n);
			return;
		}
	abort(); /* no record that is held */
}

static u64 submit(u64 record)
{
	record_back(record);
	ext_ring_submit((void *)record);
	return next();
}

static u64 discard(u64 record)
{
	record_back(record);
	ext_ring_discard((void *)record);
	return next();
}

static u64 forget(u64 map, u64 key)
{
	return (u64)ext_map_delete(map_of(map), ext_map_data(map_of(map)), (const void *)key);
}

static u64 find(u64 n)
{
	found.first = (u32)n;
	found.second = (u32)next();
	if (running.check && !running.found)
		ext_check_allow(running.check, (u64)&found, sizeof(found), 0);
	running.found = 1;
	return next() & 1 ? (u64)&found : 0;
}

static u64 copy(u64 to, u64 room, u64 from, u64 size)
{
	if (room > 64 || size > 32)
		abort();
	memmove((void *)to, (const void *)from, size < room ? size : room);
	return size;
}

static u64 look_inside(u64 i)
{
	return i ? *(const volatile u32 *)i : next();
}

void functions_fill(const struct ext_program *p, u8 *data, u64 seed)
{
	const struct ext_map *hash = ext_map_of(data, HASH), *ring = ext_map_of(data, RING);
	struct random r = {seed};

	ext_image_fill(p, data);
	for (u64 key = below(&r, 4); key-- > 0;) {
		u64 value[2] = {draw_number(&r), draw_number(&r)};

		ext_map_update(hash, ext_map_data(hash), &key, value, EXT_MAP_ANY, 1);
	}
	for (u32 n = below(&r, 6); n-- > 0;) {
		void *record = ext_ring_reserve(ring, ext_map_data(ring));

		if (record)
			ext_ring_submit(record);
		if (below(&r, 2) && ext_ring_peek(ring, ext_map_data(ring)))
			ext_ring_done(ring, ext_map_data(ring));
	}
}

void functions_begin(u8 *data, u64 seed, s64 budget, struct ext_check *check)
{
	static void *const f[F_COUNT] = {
		[F_NOW] = (void *)now,		 [F_DIGEST] = (void *)digest,
		[F_FILL] = (void *)fill,	 [F_LOCK] = (void *)lock,
		[F_TRY_LOCK] = (void *)try_lock, [F_UNLOCK] = (void *)unlock,
		[F_LOOK_UP] = (void *)look_up,	 [F_UPDATE] = (void *)update,
		[F_CHOOSE] = (void *)choose,	 [F_SIGNED_CHOOSE] = (void *)signed_choose,
		[F_LOOK_AT] = (void *)look_at,	 [F_PERHAPS] = (void *)perhaps,
		[F_NOTHING] = (void *)nothing,	 [F_RESERVE] = (void *)reserve,
		[F_SUBMIT] = (void *)submit,	 [F_FORGET] = (void *)forget,
		[F_DISCARD] = (void *)discard,	 [F_FIND] = (void *)find,
		[F_COPY] = (void *)copy,	 [F_LOOK_INSIDE] = (void *)look_inside,
		[F_SLOW] = (void *)nothing,	 [F_CONSULT] = (void *)look_up,
	};

	memset(&running, 0, sizeof(running));
	memcpy(running.function, f, sizeof(f));
	running.data = data;
	running.random = seed;
	running.run.budget = budget;
	running.run.cpu = 1;
	running.check = check;
	for (u32 i = 0; i < LOCKS; i++)
		locks[i].word = seed + i;
}

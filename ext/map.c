/* SPDX-License-Identifier: MIT
 * Maps, on data that their owner may write meanwhile: see map.h for what must hold.
 *
 * A bucket of a hash: { lock, -, tag[8], slot[8] } with slot = { key, value }, each padded to 8 bytes. A tag is FREE, TAKEN
 * (its slot is being filled) or a part of its key's hash. A key lives in one of two buckets; whoever adds, changes or
 * removes it holds the lock of the first, so that a key is never added twice; slots of a bucket are claimed by
 * compare-and-swap of the tag, since keys of other first buckets claim them, too.
 * A ring: { taken, lost }, 64 bytes on { done }, from byte 128 on records { state, value }. */
#include <map.h>
#include "mem.h"

enum { FREE, TAKEN, LIVE }; /* a tag of LIVE and above is in use */
enum { EMPTY, FILLING, READY, DISCARDED };

struct bucket {
	u32 lock, unused;
	u32 tag[EXT_MAP_SLOTS];
	u8 slot[];
};
_Static_assert(sizeof(struct bucket) == EXT_MAP_HEAD, "bucket's head moved");

struct ring {
	u64 taken, lost, unused[6]; /* by the program */
	u64 done, unused2[7];	    /* by the owner */
};
_Static_assert(sizeof(struct ring) == EXT_MAP_RING, "ring's head moved");

struct record {
	u32 state, unused;
	u8 value[];
};
_Static_assert(sizeof(struct record) == EXT_MAP_RECORD, "record's head moved");

#define READ(x) __atomic_load_n(&(x), __ATOMIC_ACQUIRE)
#define WRITE(x, v) __atomic_store_n(&(x), v, __ATOMIC_RELEASE)

/* --- arrays */
static void *array_at(const struct ext_map *m, u8 *data, const void *key, u64 cpu)
{
	u32 index;

	memcpy(&index, key, sizeof(index));
	if (index >= m->entries)
		return 0;
	if (m->kind == EXT_ARRAY)
		return data + (u64)index * m->stride;
	if (cpu >= EXT_MAP_CPUS)
		return 0;
	return data + cpu * m->row + (u64)index * m->stride;
}

/* --- hash */
static u64 hash_of(const struct ext_map *m, const u8 *key)
{
	u64 h = m->key * 0x9e3779b97f4a7c15ull;

	for (u32 i = 0; i < m->key; i += 8) {
		u64 word = 0;

		memcpy(&word, key + i, m->key - i < 8 ? m->key - i : 8);
		h = (h ^ word) * 0xff51afd7ed558ccdull;
		h ^= h >> 29;
	}
	h *= 0xc4ceb9fe1a85ec53ull;
	return h ^ h >> 32;
}

static u32 tag_of(u64 hash)
{
	return (u32)(hash >> 24) | LIVE;
}

/* The n-th bucket, 0 or 1, of a hash; with one bucket alone both are it. */
static struct bucket *bucket_of(const struct ext_map *m, u8 *data, u64 hash, u32 n)
{
	u32 first = (u32)(hash >> 40) & m->mask, second = (u32)hash & m->mask;

	if (second == first)
		second = (first + 1) & m->mask;
	return (struct bucket *)(data + (n ? second : first) * m->row);
}

static u8 *slot_of(const struct ext_map *m, struct bucket *b, u32 slot)
{
	return b->slot + (u64)slot * m->stride;
}

static u8 *value_of(const struct ext_map *m, u8 *slot)
{
	return slot + (m->key + 7) / 8 * 8;
}

static u8 *bucket_find(const struct ext_map *m, struct bucket *b, const void *key, u32 tag,
		       u32 **place)
{
	for (u32 i = 0; i < EXT_MAP_SLOTS; i++) {
		u8 *slot = slot_of(m, b, i);

		if (READ(b->tag[i]) != tag || memcmp(slot, key, m->key) != 0)
			continue;
		*place = &b->tag[i];
		return value_of(m, slot);
	}
	return 0;
}

static u8 *hash_find(const struct ext_map *m, u8 *data, const void *key, u64 hash, u32 **place)
{
	u8 *value = bucket_find(m, bucket_of(m, data, hash, 0), key, tag_of(hash), place);

	return value ? value
		     : bucket_find(m, bucket_of(m, data, hash, 1), key, tag_of(hash), place);
}

/* Tries a bounded number of times. */
static int bucket_lock(struct bucket *b)
{
	for (u32 i = 0; i < EXT_MAP_TRIES; i++) {
		u32 open = 0;

		if (__atomic_compare_exchange_n(&b->lock, &open, 1, 0, __ATOMIC_ACQUIRE,
						__ATOMIC_RELAXED))
			return 1;
	}
	return 0;
}

static void bucket_unlock(struct bucket *b)
{
	WRITE(b->lock, 0);
}

static u32 bucket_used(struct bucket *b)
{
	u32 n = 0;

	for (u32 i = 0; i < EXT_MAP_SLOTS; i++)
		n += READ(b->tag[i]) != FREE;
	return n;
}

/* Claims a free slot: of the emptier bucket, else of the other. */
static u8 *hash_claim(const struct ext_map *m, u8 *data, u64 hash, u32 **place)
{
	struct bucket *b = bucket_of(m, data, hash, 0), *other = bucket_of(m, data, hash, 1);
	u32 second = bucket_used(other) < bucket_used(b);

	for (u32 turn = 0; turn < 2; turn++) {
		b = bucket_of(m, data, hash, turn ^ second);
		for (u32 i = 0; i < EXT_MAP_SLOTS; i++) {
			u32 free = FREE;

			*place = &b->tag[i];
			if (__atomic_compare_exchange_n(*place, &free, TAKEN, 0, __ATOMIC_ACQUIRE,
							__ATOMIC_RELAXED))
				return slot_of(m, b, i);
		}
	}
	return 0;
}

/* With the lock of the first bucket held. */
static s64 hash_set(const struct ext_map *m, u8 *data, const void *key, const void *value,
		    u32 flags, u64 hash)
{
	u32 *tag;
	u8 *old = hash_find(m, data, key, hash, &tag), *slot;

	if (old && (flags & EXT_MAP_NEW))
		return EXT_MAP_EXISTS;
	if (old) {
		memcpy(old, value, m->value);
		return EXT_MAP_OK;
	}
	if (flags & EXT_MAP_OLD)
		return EXT_MAP_NONE;
	slot = hash_claim(m, data, hash, &tag);
	if (!slot)
		return EXT_MAP_FULL;
	memcpy(slot, key, m->key);
	memcpy(value_of(m, slot), value, m->value);
	WRITE(*tag, tag_of(hash));
	return EXT_MAP_OK;
}

/* --- for downloaded code */
void *ext_map_lookup(const struct ext_map *m, u8 *data, const void *key, u64 cpu)
{
	u32 *tag;

	switch (m->kind) {
	case EXT_ARRAY:
	case EXT_PERCPU:
		return array_at(m, data, key, cpu);
	case EXT_HASH:
		return hash_find(m, data, key, hash_of(m, key), &tag);
	}
	return 0;
}

s64 ext_map_update(const struct ext_map *m, u8 *data, const void *key, const void *value, u32 flags,
		   u64 cpu)
{
	struct bucket *b;
	void *place;
	s64 result;
	u64 hash;

	switch (m->kind) {
	case EXT_ARRAY:
	case EXT_PERCPU:
		place = array_at(m, data, key, cpu);
		if (!place)
			return EXT_MAP_NONE;
		if (flags & EXT_MAP_NEW)
			return EXT_MAP_EXISTS;
		memcpy(place, value, m->value);
		return EXT_MAP_OK;
	case EXT_HASH:
		hash = hash_of(m, key);
		b = bucket_of(m, data, hash, 0);
		if (!bucket_lock(b))
			return EXT_MAP_BUSY;
		result = hash_set(m, data, key, value, flags, hash);
		bucket_unlock(b);
		return result;
	}
	return EXT_MAP_WRONG;
}

s64 ext_map_delete(const struct ext_map *m, u8 *data, const void *key)
{
	u64 hash;
	u32 *tag;
	struct bucket *b;
	s64 result = EXT_MAP_NONE;

	if (m->kind != EXT_HASH)
		return EXT_MAP_WRONG;
	hash = hash_of(m, key);
	b = bucket_of(m, data, hash, 0);
	if (!bucket_lock(b))
		return EXT_MAP_BUSY;
	if (hash_find(m, data, key, hash, &tag)) {
		WRITE(*tag, FREE);
		result = EXT_MAP_OK;
	}
	bucket_unlock(b);
	return result;
}

/* --- rings */
static struct record *record_at(const struct ext_map *m, u8 *data, u64 n)
{
	return (struct record *)(data + EXT_MAP_RING + (n & m->mask) * m->stride);
}

void *ext_ring_reserve(const struct ext_map *m, u8 *data)
{
	struct ring *r = (struct ring *)data;

	if (m->kind != EXT_RING)
		return 0;
	for (u32 i = 0; i < EXT_MAP_TRIES; i++) {
		u64 n = READ(r->taken);

		if (n - READ(r->done) > m->mask)
			break;
		if (!__atomic_compare_exchange_n(&r->taken, &n, n + 1, 0, __ATOMIC_ACQ_REL,
						 __ATOMIC_RELAXED))
			continue;
		WRITE(record_at(m, data, n)->state, FILLING);
		return record_at(m, data, n)->value;
	}
	__atomic_fetch_add(&r->lost, 1, __ATOMIC_RELAXED);
	return 0;
}

void ext_ring_submit(void *record)
{
	WRITE(((struct record *)record - 1)->state, READY);
}

void ext_ring_discard(void *record)
{
	WRITE(((struct record *)record - 1)->state, DISCARDED);
}

/* A record may be taken and not yet marked as FILLING: EMPTY stands for that, too, and whoever is done with a record
 * leaves it EMPTY before it can be taken again. */
const void *ext_ring_peek(const struct ext_map *m, u8 *data)
{
	struct ring *r = (struct ring *)data;

	if (m->kind != EXT_RING)
		return 0;
	for (u32 i = 0; i <= m->mask; i++) {
		u64 n = READ(r->done);
		struct record *record = record_at(m, data, n);

		if (n == READ(r->taken))
			return 0;
		switch (READ(record->state)) {
		case READY:
			return record->value;
		case DISCARDED:
			ext_ring_done(m, data);
			break;
		default:
			return 0;
		}
	}
	return 0;
}

void ext_ring_done(const struct ext_map *m, u8 *data)
{
	struct ring *r = (struct ring *)data;
	u64 n = READ(r->done);

	WRITE(record_at(m, data, n)->state, EMPTY);
	WRITE(r->done, n + 1);
}

u64 ext_ring_lost(u8 *data)
{
	return READ(((struct ring *)data)->lost);
}

/* --- for checks */
static int within(u64 at, u64 bytes, u64 stride, u64 first, u64 value)
{
	u64 in = at % stride;

	return in >= first && bytes <= value && in - first <= value - bytes;
}

int ext_map_holds(const struct ext_map *m, u64 at, u64 bytes)
{
	u64 first = EXT_MAP_RECORD;

	if (at >= m->bytes)
		return 0;
	switch (m->kind) {
	case EXT_PERCPU:
		at %= m->row; /* fall through */
	case EXT_ARRAY:
		return at < (u64)m->stride * m->entries &&
		       within(at, bytes, m->stride, 0, m->value);
	case EXT_HASH:
		at %= m->row;
		first = (m->key + 7) / 8 * 8;
		return at >= EXT_MAP_HEAD && at < EXT_MAP_HEAD + (u64)EXT_MAP_SLOTS * m->stride &&
		       within(at - EXT_MAP_HEAD, bytes, m->stride, first, m->value);
	case EXT_RING:
		return at >= EXT_MAP_RING &&
		       within(at - EXT_MAP_RING, bytes, m->stride, first, m->value);
	}
	return 0;
}

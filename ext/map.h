/* SPDX-License-Identifier: MIT
 * Maps: tables that downloaded code and its owner share. The same functions serve downloaded code (in the kernel and in
 * the host's tool) and the owner's program, which has the data mapped.
 *
 * A map is a *descriptor* in the image's read-only data and its entries in the writable data. The owner may write
 * every byte of the data at any time, from any CPU, so that
 * 1. sizes and places come from the descriptor alone; an index is compared or masked before use; nothing read from the
 *    data is ever an address, a size or a count of rounds;
 * 2. every function is bounded: a hash looks at 2 * EXT_MAP_SLOTS entries, a lock is tried EXT_MAP_TRIES times;
 * 3. a pointer that is returned lies, with `value` bytes behind it, inside the map's data, aligned to 8 bytes.
 * Entries: values are read and written in place without a lock (a reader may see half of a concurrent update of the same
 * entry); two updates of one key never make two entries of it.
 *
 * ARRAY    key u32, the index; zeros at first; not deleted
 * PERCPU   as ARRAY, one array for each CPU; a program sees its CPU's
 * HASH     any key up to 64 bytes; two buckets of 8 slots for each key, at most half of the slots are asked for: an
 *          insertion is refused (EXT_MAP_FULL) when both are full, which may be before `entries` are there
 * RING     no key; `entries` records (rounded up to a power of 2) of `value` bytes: reserved, filled, submitted by the
 *          program, in order; read by the owner */
#ifndef EXT_MAP_H
#define EXT_MAP_H

#include <ext.h>

#define EXT_MAP_SLOTS 8u	 /* of a hash's bucket */
#define EXT_MAP_TRIES 32u	 /* of a lock or a ring's head that others hold */
#define EXT_MAP_KEY_MOST 64u	 /* bytes */
#define EXT_MAP_VALUE_MOST 4096u /* bytes; HASH: 256 */
#define EXT_MAP_HASH_VALUE_MOST 256u
#define EXT_MAP_ENTRIES_MOST (1u << 24)
#define EXT_MAP_CPUS 16u	    /* arrays of a PERCPU */
#define EXT_IMAGE_MOST (1ull << 30) /* bytes of data of one image */

struct ext_map {
	u32 kind; /* of enum ext_region_kind */
	u32 key, value, entries;
	u32 stride;   /* bytes from one value to the next */
	u32 mask;     /* HASH: buckets - 1; RING: records - 1 */
	u64 distance; /* bytes from this descriptor to the map's data */
	u64 bytes;    /* of data */
	u64 row;      /* PERCPU: bytes of one CPU's array; HASH: bytes of a bucket */
	u64 spare[2];
};
ARIL_ASSERT_SIZE(struct ext_map, 64);

/* Of the data, in bytes: what a bucket, a ring and its records begin with. */
#define EXT_MAP_HEAD 40u
#define EXT_MAP_RING 128u
#define EXT_MAP_RECORD 8u

/* Results of functions that return a number, as s64. */
#define EXT_MAP_OK 0
#define EXT_MAP_NONE (-1)  /* no such entry; an index too large */
#define EXT_MAP_FULL (-2)  /* no room for a new entry */
#define EXT_MAP_BUSY (-3)  /* another CPU holds the bucket: try again later */
#define EXT_MAP_WRONG (-4) /* not a function of this kind of map */
#define EXT_MAP_EXISTS (-5)
/* Flags of update. */
#define EXT_MAP_ANY 0u
#define EXT_MAP_NEW 1u /* only if there is none */
#define EXT_MAP_OLD 2u /* only if there is one */

/* The descriptor of region n, bytes from the image's data's start: what LDDW with src EXT_LD_MAP gives. */
static inline u64 ext_map_at(u32 region)
{
	return (u64)region * sizeof(struct ext_map);
}
static inline const struct ext_map *ext_map_of(const u8 *data, u32 region)
{
	return (const struct ext_map *)(data + ext_map_at(region));
}
static inline u8 *ext_map_data(const struct ext_map *m)
{
	return (u8 *)m + m->distance;
}

/* --- laying out an image: for the linker and for who makes the image */
/* Gives each region its offset, maps their bytes, and the program its data_bytes and rodata_bytes: descriptors (when
 * there is a map), read-only regions, then from a page's begin the others. EXT_WHY_MAP: a map's key, value or entries
 * are out of range; EXT_WHY_OBJECT: all together are too large. */
int ext_layout(struct ext_program *p, struct ext_refusal *why);
/* Writes the image's data, data_bytes at a multiple of 64: initial contents, zeros, descriptors. */
void ext_image_fill(const struct ext_program *p, u8 *data);

/* --- for downloaded code; `data` is ext_map_data(m), or where the owner has it mapped */
/* The value of the key, or 0. HASH: at most 16 comparisons of keys. cpu: PERCPU; not below EXT_MAP_CPUS: 0. */
void *ext_map_lookup(const struct ext_map *m, u8 *data, const void *key, u64 cpu);
/* Sets it to a copy of value. EXT_MAP_NONE, _FULL, _BUSY, _WRONG, _EXISTS. */
s64 ext_map_update(const struct ext_map *m, u8 *data, const void *key, const void *value, u32 flags,
		   u64 cpu);
s64 ext_map_delete(const struct ext_map *m, u8 *data, const void *key);
/* A record to fill, to be given to ext_ring_submit or ext_ring_discard; 0: the ring is full (counted as lost). */
void *ext_ring_reserve(const struct ext_map *m, u8 *data);
void ext_ring_submit(void *record);
void ext_ring_discard(void *record);

/* --- for the owner */
/* The oldest record that is complete, or 0; it stays until ext_ring_done. One reader at a time. */
const void *ext_ring_peek(const struct ext_map *m, u8 *data);
void ext_ring_done(const struct ext_map *m, u8 *data);
/* Records that did not find room, so far. */
u64 ext_ring_lost(u8 *data);

/* Whether [at, at + bytes) of the data lies in one value. */
int ext_map_holds(const struct ext_map *m, u64 at, u64 bytes);

#endif

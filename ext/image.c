/* SPDX-License-Identifier: MIT
 * What an image's data looks like: [descriptors of maps][read-only regions] page [other regions], each region at a
 * multiple of 64 bytes. */
#include <map.h>
#include "mem.h"
#include <refusal.h>

#define PAGE 4096ull
#define ALIGNED(x, to) (((x) + (to)-1) / (to) * (to))

static u32 power(u32 least)
{
	u32 n = 1;

	while (n < least)
		n *= 2;
	return n;
}

/* Fills in what follows from kind, key, value and entries. Returns 0 when these are out of range. */
static int describe(const struct ext_region *r, struct ext_map *m)
{
	u32 key_most = r->kind == EXT_HASH ? EXT_MAP_KEY_MOST : 4;
	u32 value_most = r->kind == EXT_HASH ? EXT_MAP_HASH_VALUE_MOST : EXT_MAP_VALUE_MOST;

	memset(m, 0, sizeof(*m));
	if (r->entries == 0 || r->entries > EXT_MAP_ENTRIES_MOST)
		return 0;
	if (r->value == 0 || r->value > value_most)
		return 0;
	if (r->kind == EXT_RING ? r->key != 0 : r->key == 0)
		return 0;
	if (r->key > key_most || (r->kind != EXT_HASH && r->kind != EXT_RING && r->key != 4))
		return 0;
	m->kind = r->kind;
	m->key = r->key;
	m->value = r->value;
	m->entries = r->entries;
	m->stride = (u32)ALIGNED(r->value, 8);
	switch (r->kind) {
	case EXT_ARRAY:
		m->bytes = (u64)m->stride * m->entries;
		break;
	case EXT_PERCPU:
		m->row = ALIGNED((u64)m->stride * m->entries, 64);
		m->bytes = m->row * EXT_MAP_CPUS;
		break;
	case EXT_HASH:
		m->mask = power((u32)((r->entries * 2ull + EXT_MAP_SLOTS - 1) / EXT_MAP_SLOTS)) - 1;
		m->stride += (u32)ALIGNED(r->key, 8);
		m->row = ALIGNED(EXT_MAP_HEAD + (u64)EXT_MAP_SLOTS * m->stride, 64);
		m->bytes = m->row * (m->mask + 1ull);
		break;
	case EXT_RING:
		m->mask = power(r->entries) - 1;
		m->stride += EXT_MAP_RECORD;
		m->bytes = EXT_MAP_RING + (u64)m->stride * (m->mask + 1ull);
		break;
	}
	return 1;
}

static int place(struct ext_program *p, int is_rodata, u64 *at)
{
	for (u32 i = 0; i < p->regions; i++) {
		struct ext_region *r = &p->region[i];

		if ((r->kind == EXT_RODATA) != is_rodata)
			continue;
		if (r->bytes > EXT_IMAGE_MOST)
			return 0;
		r->offset = *at;
		*at = ALIGNED(*at + r->bytes, 64);
		if (*at > EXT_IMAGE_MOST)
			return 0;
	}
	return 1;
}

int ext_layout(struct ext_program *p, struct ext_refusal *why)
{
	u64 at = 0;

	for (u32 i = 0; i < p->regions; i++) {
		struct ext_region *r = &p->region[i];
		struct ext_map m;

		if (r->kind < EXT_ARRAY)
			continue;
		if (!describe(r, &m))
			return ext_refuse(why, EXT_WHY_MAP, 0,
					  "map %s: a key of %u bytes, a value of %u, %u entries: "
					  "see map.h for what can be",
					  r->name, (u64)r->key, (u64)r->value, (u64)r->entries);
		r->bytes = m.bytes;
		at = p->regions * sizeof(struct ext_map);
	}
	if (!place(p, 1, &at))
		return ext_refuse(why, EXT_WHY_OBJECT, 0, "more than %u bytes of data",
				  EXT_IMAGE_MOST);
	p->rodata_bytes = at = ALIGNED(at, PAGE);
	if (!place(p, 0, &at))
		return ext_refuse(why, EXT_WHY_OBJECT, 0, "more than %u bytes of data",
				  EXT_IMAGE_MOST);
	p->data_bytes = ALIGNED(at, PAGE);
	return EXT_OK;
}

void ext_image_fill(const struct ext_program *p, u8 *data)
{
	memset(data, 0, p->data_bytes);
	for (u32 i = 0; i < p->regions; i++) {
		const struct ext_region *r = &p->region[i];
		struct ext_map *m = (struct ext_map *)(data + ext_map_at(i));

		if (r->kind >= EXT_ARRAY && describe(r, m))
			m->distance = r->offset - ext_map_at(i);
		else if (r->init)
			memcpy(data + r->offset, r->init, r->init_bytes);
	}
}

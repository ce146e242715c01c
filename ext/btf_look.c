/* SPDX-License-Identifier: MIT
 * Questions to types that were read. */
#include <btf.h>
#include <order.h>
#include <refusal.h>

u32 ext_btf_find(const struct ext_btf *b, enum ext_btf_kind kind, const char *name)
{
	u32 low = 0, high = b->names;

	while (low < high) {
		u32 middle = low + (high - low) / 2;
		const struct ext_btf_type *t = &b->type[b->named[middle]];
		int c = ext_name_compare(t->name, name);

		if (c < 0 || (!c && t->kind < kind))
			low = middle + 1;
		else
			high = middle;
	}
	if (low == b->names || b->type[b->named[low]].kind != kind ||
	    !ext_name_equal(b->type[b->named[low]].name, name))
		return 0;
	return b->named[low];
}

s32 ext_btf_member(const struct ext_btf *b, u32 id, const char *name)
{
	const struct ext_btf_type *t = ext_btf_bare(b, id);

	if (t->kind != EXT_BTF_STRUCT && t->kind != EXT_BTF_UNION)
		return -1;
	for (u32 i = 0; i < t->count; i++)
		if (ext_name_equal(ext_btf_part(b, t, i)->name, name))
			return (s32)i;
	return -1;
}

/* The first member whose bytes contain bits [from, to); its number, or count. */
static u32 member_at(const struct ext_btf *b, const struct ext_btf_type *t, u64 from, u64 to)
{
	for (u32 i = 0; i < t->count; i++) {
		const struct ext_btf_part *p = ext_btf_part(b, t, i);
		u64 bits = p->bits ? p->bits : ext_btf_bare(b, p->type)->bytes * 8ul;

		if (p->bits ? p->bit < to && p->bit + bits > from
			    : p->bit <= from && p->bit + bits >= to)
			return i;
	}
	return t->count;
}

int ext_btf_at(const struct ext_btf *b, u32 id, u32 offset, u32 bytes, struct ext_btf_place *out)
{
	struct ext_btf_place place = {.outer = ~0u};
	u32 at = 0,
	    member_at_byte =
		    0; /* where the value of type id begins, and the member that it belongs to */

	if (!bytes)
		return 0;
	for (;;) {
		const struct ext_btf_type *t = ext_btf_bare(b, id);
		const struct ext_btf_part *p;

		place.const_seen |= (u32)ext_btf_is_const(b, id);
		if (offset - at >= t->bytes || bytes > t->bytes - (offset - at))
			return 0;
		if (t->kind == EXT_BTF_ARRAY) {
			u32 each = ext_btf_bare(b, t->type)->bytes; /* not 0: the array has bytes */

			at += (offset - at) / each * each;
			id = t->type;
			continue;
		}
		if (t->kind != EXT_BTF_STRUCT && t->kind != EXT_BTF_UNION)
			break;
		place.owner = ext_btf_skip(b, id);
		place.base = at;
		place.member = member_at(b, t, (offset - at) * 8ul, (offset - at + (u64)bytes) * 8);
		if (place.member == t->count)
			return 0;
		if (place.outer == ~0u)
			place.outer = place.member;
		p = ext_btf_part(b, t, place.member);
		id = p->type;
		place.bits = p->bits;
		if (place.bits)
			break;
		at += p->bit / 8;
		member_at_byte = at;
	}
	place.type = ext_btf_skip(b, id);
	place.offset = place.bits ? 0 : offset - at;
	place.element = at - member_at_byte;
	*out = place;
	return 1;
}

/* Index in tag[] of the first tag on the component, or of where it would be. */
static u32 tags_begin(const struct ext_btf *b, u32 id, s32 component)
{
	u32 low = 0, high = b->tags;

	while (low < high) {
		u32 middle = low + (high - low) / 2;
		const struct ext_btf_type *t = &b->type[b->tag[middle]];

		if (t->type < id || (t->type == id && t->component < component))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The n-th tag on the component; 0: there is none. */
static const char *tag_at(const struct ext_btf *b, u32 id, s32 component, u32 begin, u32 n)
{
	const struct ext_btf_type *t;

	if (n >= b->tags - begin)
		return 0;
	t = &b->type[b->tag[begin + n]];
	return t->type == id && t->component == component ? t->name : 0;
}

int ext_btf_tagged(const struct ext_btf *b, u32 id, s32 component, const char *tag)
{
	u32 begin = tags_begin(b, id, component);
	const char *name;

	for (u32 n = 0; (name = tag_at(b, id, component, begin, n)); n++)
		if (ext_name_equal(name, tag))
			return 1;
	return 0;
}

const char *ext_btf_tag_value(const struct ext_btf *b, u32 id, s32 component, const char *key)
{
	u32 begin = tags_begin(b, id, component);
	const char *name, *value;

	for (u32 n = 0; (name = tag_at(b, id, component, begin, n)); n++)
		if ((value = ext_name_after(name, key)) && *value == '=')
			return value + 1;
	return 0;
}

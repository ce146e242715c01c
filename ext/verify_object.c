/* SPDX-License-Identifier: MIT
 * Objects of the kernel's (or of another interface's), by their BTF: whole members at constant offsets. What came with
 * the entry's arguments does not change during a run but for members that are tagged "write": that is the promise of who
 * calls; so such a member's value is one symbol however often it is loaded, and a pointer member's length is the value of
 * the member that its tag names. */
#include <verify.h>

static int refuse(struct verify *ver, struct state *s, enum ext_why why, u32 insn, u32 reg,
		  const struct val *v, const char *text)
{
	verify_refuse(ver, why, insn, (s32)reg, "%s", text);
	verify_known(ver, s, (s32)reg, v);
	return ver->stop ? -1 : 1;
}

u32 verify_object_kind(struct verify *ver, const struct ext_btf *btf, u32 type, u32 given)
{
	u32 k;

	for (k = 0; k < ver->objects; k++)
		if (ver->object[k].btf == btf && ver->object[k].type == type &&
		    ver->object[k].given == given)
			return k;
	if (k == OBJECTS_MOST)
		return FLOW_NONE;
	ver->object[k].btf = btf;
	ver->object[k].type = type;
	ver->object[k].given = given;
	return ver->objects++;
}

/* The symbol of a member that does not change; 0: no room. */
static u32 member_symbol(struct verify *ver, u32 object, u32 offset, u32 bytes, u64 most)
{
	struct num limit = num_unsigned(0, most), n = num_bytes(bytes);
	u32 k;

	for (k = 0; k < ver->bases; k++)
		if (ver->base[k].object == object && ver->base[k].member == (offset << 8 | bytes))
			break;
	if (k == BASES_MOST)
		return 0;
	if (k == ver->bases) {
		ver->base[k].object = object;
		ver->base[k].member = offset << 8 | bytes;
		ver->base[k].num = n;
		ver->bases++;
	}
	num_meet(&ver->base[k].num, &limit, &ver->base[k].num);
	return k + 1;
}

static int tagged(const struct ext_btf *btf, u32 struct_type, const struct ext_btf_place *p,
		  const char *tag)
{
	return ext_btf_tagged(btf, p->owner, (s32)p->member, tag) ||
	       ext_btf_tagged(btf, struct_type, (s32)p->outer, tag);
}

static int load_pointer(struct verify *ver, struct state *s, u32 insn, u32 reg, const struct val *v,
			const struct ext_btf_place *p, u32 offset, struct val *out)
{
	const struct object_kind *k = &ver->object[v->which];
	const struct ext_btf *btf = k->btf;
	const char *length = ext_btf_tag_value(btf, p->owner, (s32)p->member, "size");
	u32 to = btf->type[p->type].type, bare = ext_btf_skip(btf, to);

	if (!v->sealed || tagged(btf, k->type, p, "write"))
		return refuse(ver, s, EXT_WHY_TYPE, insn, reg, v,
			      "a pointer member of an object that may change");
	*out = (struct val){.type = VAL_OBJECT, .sealed = 1};
	if (tagged(btf, k->type, p, "nullable")) {
		out->may_null = 1;
		out->id = ver->next_id++;
	}
	if (length) {
		s32 m = ext_btf_member(btf, p->owner, length);
		const struct ext_btf_type *owner = &btf->type[p->owner];
		struct ext_btf_place size;
		u32 at, bytes;

		if (m < 0)
			return refuse(ver, s, EXT_WHY_TYPE, insn, reg, v,
				      "the member that has the length does not exist");
		at = p->base + ext_btf_part(btf, owner, (u32)m)->bit / 8;
		bytes = ext_btf_bare(btf, ext_btf_part(btf, owner, (u32)m)->type)->bytes;
		if (!ext_btf_at(btf, k->type, at, bytes, &size) || size.offset || size.bits ||
		    btf->type[size.type].kind != EXT_BTF_INT ||
		    tagged(btf, k->type, &size, "write"))
			return refuse(ver, s, EXT_WHY_TYPE, insn, reg, v,
				      "the member that has the length is no number, or may change");
		out->type = VAL_MEMORY;
		out->len = member_symbol(ver, v->which, at, bytes, EXT_MEMORY_MOST);
		out->readonly = tagged(btf, k->type, p, "const") || ext_btf_is_const(btf, to);
		if (out->len)
			return 0;
	} else if (btf->type[bare].kind == EXT_BTF_STRUCT) {
		out->which = verify_object_kind(ver, btf, bare, (v->which + 1) << 16 | offset);
		if (out->which != FLOW_NONE)
			return 0;
	} else {
		return refuse(ver, s, EXT_WHY_TYPE, insn, reg, v,
			      "a pointer member that nothing says the size of");
	}
	return refuse(ver, s, EXT_WHY_MEMORY, insn, reg, v, "too many different objects");
}

static void load_number(struct verify *ver, struct state *s, const struct val *v, u32 offset,
			u32 bytes, int is_const, int is_signed, struct val *out)
{
	struct num n = num_bytes(bytes);
	struct form f;
	u32 sym = 0;

	if (is_signed)
		n = num_signed(-(1l << (8 * bytes - 1)), (1l << (8 * bytes - 1)) - 1);
	else if (v->sealed && is_const)
		sym = member_symbol(ver, v->which, offset, bytes, ~0ul);
	f = form_sym(sym ? sym : state_fresh(ver, s, &n));
	*out = val_scalar(&f);
}

int verify_object(struct verify *ver, struct state *s, u32 insn, u32 reg, const struct val *v,
		  u32 bytes, enum access how, int is_signed, struct val *out)
{
	const struct object_kind *k = &ver->object[v->which];
	struct num at = state_num(ver, s, &v->form);
	struct ext_btf_place p;
	u32 kind;

	if (v->may_null &&
	    refuse(ver, s, EXT_WHY_NULL, insn, reg, v, "the pointer may be null") < 0)
		return -1;
	if (!num_is_const(&at) || !k->btf || at.umin >= k->btf->type[k->type].bytes)
		return refuse(ver, s, EXT_WHY_BOUNDS, insn, reg, v,
			      "an object's members are read at constant offsets within it");
	if (!ext_btf_at(k->btf, k->type, (u32)at.umin, bytes, &p))
		return refuse(ver, s, EXT_WHY_BOUNDS, insn, reg, v,
			      "an access that is not within one member of the object");
	kind = k->btf->type[p.type].kind;
	if (p.bits)
		return refuse(ver, s, EXT_WHY_TYPE, insn, reg, v, "an access to a bit-field");
	if (kind != EXT_BTF_INT && kind != EXT_BTF_ENUM && kind != EXT_BTF_ENUM64 &&
	    kind != EXT_BTF_PTR)
		return refuse(ver, s, EXT_WHY_TYPE, insn, reg, v,
			      "an access to a member that is neither number nor pointer");
	if ((how == ACCESS_WRITE || kind == EXT_BTF_PTR) &&
	    (p.offset || bytes != k->btf->type[p.type].bytes))
		return refuse(ver, s, EXT_WHY_TYPE, insn, reg, v,
			      "an access to a part of a member");
	if (how == ACCESS_READ && kind == EXT_BTF_PTR)
		return load_pointer(ver, s, insn, reg, v, &p, (u32)at.umin, out);
	if (how == ACCESS_READ) {
		load_number(ver, s, v, (u32)at.umin, bytes, !tagged(k->btf, k->type, &p, "write"),
			    is_signed, out);
		return 0;
	}
	if (v->readonly || kind == EXT_BTF_PTR || !tagged(k->btf, k->type, &p, "write"))
		return refuse(ver, s, EXT_WHY_READONLY, insn, reg, v,
			      "the member is only to be read");
	if (ver->attach->class == EXT_PURE)
		return refuse(ver, s, EXT_WHY_CLASS, insn, reg, v,
			      "a pure program writes its stack alone");
	return 0;
}

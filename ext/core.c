/* SPDX-License-Identifier: MIT
 * Relocation of fields (CO-RE): an access that was compiled for a struct as the author's header has it gets the offset
 * that the field of that name has in the interface.
 * Source of the format: Linux, Documentation/bpf/llvm_reloc.rst, CO-RE relocations. */
#include <link.h>
#include <order.h>
#include <refusal.h>

#define NESTED 8 /* anonymous members in one another */

/* A field found: where, and of which type; `bits`: it is a bit-field. */
struct field {
	u64 offset;
	u32 type, bits;
};

/* The next number of "0:1:2"; path moves behind it. */
static int index_take(const char **path, u32 *out)
{
	u64 n = 0;
	const char *s = *path;

	if (*s < '0' || *s > '9')
		return EXT_WHY_BTF;
	for (; *s >= '0' && *s <= '9'; s++) {
		n = n * 10 + (u64)(*s - '0');
		if (n > 0x7fffffff)
			return EXT_WHY_BTF;
	}
	if (*s && *s != ':')
		return EXT_WHY_BTF;
	*path = *s ? s + 1 : s;
	*out = (u32)n;
	return EXT_OK;
}

/* Name without a flavour: "foo___old" is "foo". */
static void name_plain(const char *name, char *out, u64 size)
{
	ext_format(out, size, "%s", name);
	for (char *s = out; *s; s++)
		if (s != out && s[0] == '_' && s[1] == '_' && s[2] == '_') {
			*s = 0;
			return;
		}
}

static int is_composite(const struct ext_btf_type *t)
{
	return t->kind == EXT_BTF_STRUCT || t->kind == EXT_BTF_UNION;
}

/* A member by name, those of unnamed members included: adds its offset. 0: there is none. */
static const struct ext_btf_part *member_find(const struct ext_btf *b, u32 id, const char *name,
					      u64 *offset, u32 depth)
{
	const struct ext_btf_type *t = ext_btf_bare(b, id);

	for (u32 i = 0; is_composite(t) && i < t->count; i++) {
		const struct ext_btf_part *p = ext_btf_part(b, t, i), *found;

		if (ext_name_equal(p->name, name)) {
			*offset += p->bit / 8;
			return p;
		}
		if (p->name[0] || depth == NESTED)
			continue;
		found = member_find(b, p->type, name, offset, depth + 1);
		if (found) {
			*offset += p->bit / 8;
			return found;
		}
	}
	return 0;
}

/* Follows the path in the object's type `local`, and by names in the interface's (b, target), if that is not 0.
 * *there: it was found there, too. */
static int path_follow(struct ext_link *l, const char *path, u32 local, const struct ext_btf *b,
		       u32 target, struct field *here, struct field *to, int *there)
{
	const struct ext_btf *a = &l->o->btf;
	u32 n;

	*here = (struct field){.type = local};
	*to = (struct field){.type = target};
	*there = target != 0;
	if (index_take(&path, &n))
		return ext_link_refuse(l, EXT_WHY_BTF, "a field's path that is no path");
	here->offset = (u64)n * ext_btf_bare(a, local)->bytes;
	to->offset = *there ? (u64)n * ext_btf_bare(b, target)->bytes : 0;
	while (*path) {
		const struct ext_btf_type *t = ext_btf_bare(a, here->type), *u;
		const struct ext_btf_part *p;

		if (index_take(&path, &n))
			return ext_link_refuse(l, EXT_WHY_BTF, "a field's path that is no path");
		u = *there ? ext_btf_bare(b, to->type) : t;
		if (t->kind == EXT_BTF_ARRAY) {
			here->type = t->type;
			here->offset += (u64)n * ext_btf_bare(a, t->type)->bytes;
			*there = *there && u->kind == EXT_BTF_ARRAY && n < u->count;
			if (*there) {
				to->type = u->type;
				to->offset += (u64)n * ext_btf_bare(b, u->type)->bytes;
			}
			continue;
		}
		if (!is_composite(t) || n >= t->count)
			return ext_link_refuse(l, EXT_WHY_BTF, "a field's path that leads nowhere");
		p = ext_btf_part(a, t, n);
		here->type = p->type;
		here->bits = p->bits;
		here->offset += p->bit / 8;
		if (!*there || !p->name[0])
			continue; /* unnamed: the name within it is looked for from here */
		p = member_find(b, to->type, p->name, &to->offset, 0);
		*there = p != 0;
		if (p) {
			to->type = p->type;
			to->bits = p->bits;
		}
	}
	return EXT_OK;
}

/* The type of that kind and plain name in an interface; 0: none has it. */
static int target_find(struct ext_link *l, u32 local, const struct ext_btf **b, u32 *out)
{
	const struct ext_btf_type *t = ext_btf_type(&l->o->btf, local);
	char name[64];

	*out = 0;
	name_plain(t->name, name, sizeof(name));
	for (u32 i = 0; name[0] && i < l->interfaces; i++) {
		u32 id = ext_btf_find(l->interface[i]->btf, t->kind, name);

		if (!id)
			continue;
		if (l->p->interface && l->p->interface != l->interface[i])
			return ext_link_refuse(l, EXT_WHY_LINK, "a program of two interfaces");
		l->p->interface = l->interface[i];
		*b = l->interface[i]->btf;
		*out = id;
		return EXT_OK;
	}
	return EXT_OK;
}

/* An enumerator by its number in the object's type; *there: the interface's has one of that name. */
static int enumerator_follow(struct ext_link *l, const struct ext_object_core *c,
			     const struct ext_btf *b, u32 target, u64 *value, int *there)
{
	const struct ext_btf_type *t = ext_btf_bare(&l->o->btf, c->type), *u;
	const char *path = c->path;
	u32 n;

	if (index_take(&path, &n) || *path ||
	    (t->kind != EXT_BTF_ENUM && t->kind != EXT_BTF_ENUM64) || n >= t->count)
		return ext_link_refuse(l, EXT_WHY_BTF, "an enumerator's path that leads nowhere");
	*there = 0;
	if (!target)
		return EXT_OK;
	u = ext_btf_bare(b, target);
	for (u32 i = 0; i < u->count; i++)
		if (ext_name_equal(ext_btf_part(b, u, i)->name,
				   ext_btf_part(&l->o->btf, t, n)->name)) {
			*value = ext_btf_part(b, u, i)->value;
			*there = 1;
		}
	return EXT_OK;
}

/* Puts a number where the instruction has one. */
static int insn_patch(struct ext_link *l, struct ext_insn *i, u32 width, u64 value,
		      const struct field *here, const struct field *to)
{
	u32 class = EXT_CLASS(i->code);

	if (width == 2) {
		i[0].imm = (s32)value;
		i[1].imm = (s32)(value >> 32);
		return EXT_OK;
	}
	if (class == EXT_ALU || class == EXT_ALU64) {
		if ((i->code & EXT_X) || value != (u64)(s64)(s32)value)
			return ext_link_refuse(l, EXT_WHY_OBJECT,
					       "a relocation of %u of what has no room for it",
					       value);
		i->imm = (s32)value;
		return EXT_OK;
	}
	if (class != EXT_LDX && class != EXT_ST && class != EXT_STX)
		return ext_link_refuse(l, EXT_WHY_OBJECT,
				       "a relocation of a field in what uses none");
	if (!here || value > 0x7fff)
		return ext_link_refuse(l, EXT_WHY_LINK, "a field at byte %u, more than 32767",
				       value);
	if ((u64)(s64)i->off != here->offset)
		return ext_link_refuse(l, EXT_WHY_BTF,
				       "a field at byte %u, relocated as one at byte %u",
				       (u64)(u16)i->off, here->offset);
	if (ext_btf_bare(&l->o->btf, here->type)->bytes !=
	    ext_btf_bare(l->p->interface->btf, to->type)->bytes)
		return ext_link_refuse(l, EXT_WHY_LINK, "a field of %u bytes here, of %u there",
				       (u64)ext_btf_bare(&l->o->btf, here->type)->bytes,
				       (u64)ext_btf_bare(l->p->interface->btf, to->type)->bytes);
	i->off = (s16)value;
	return EXT_OK;
}

/* What no run may reach: a store behind the stack's end, which the verifier refuses wherever it is reached. */
static int poison(struct ext_insn *i, u32 width)
{
	i[0] = (struct ext_insn){.code = EXT_ST | EXT_MEM | EXT_B, .regs = 10};
	if (width == 2)
		i[1] = (struct ext_insn){.code = EXT_JMP | EXT_JA};
	return EXT_OK;
}

int ext_link_core(struct ext_link *l, const struct ext_object_core *c, struct ext_insn *i,
		  u32 width)
{
	const struct ext_btf *b = 0;
	const struct ext_btf_type *bare;
	struct field here, to;
	u64 value = 0;
	u32 target = 0;
	int there = 0, bad;

	if (c->kind >= EXT_CORE_KINDS || c->kind == EXT_CORE_SHIFT_LEFT ||
	    c->kind == EXT_CORE_SHIFT_RIGHT)
		return ext_link_refuse(l, EXT_WHY_OBJECT, "a field's relocation of unknown kind %u",
				       (u64)c->kind);
	if (c->kind == EXT_CORE_TYPE_LOCAL)
		return insn_patch(l, i, width, c->type, 0, 0);
	if ((bad = target_find(l, c->type, &b, &target)))
		return bad;
	if (c->kind == EXT_CORE_ENUM_EXISTS || c->kind == EXT_CORE_ENUM_VALUE) {
		if ((bad = enumerator_follow(l, c, b, target, &value, &there)))
			return bad;
	} else if ((bad = path_follow(l, c->path, c->type, b, target, &here, &to, &there))) {
		return bad;
	}
	if (c->kind == EXT_CORE_EXISTS || c->kind == EXT_CORE_TYPE_EXISTS ||
	    c->kind == EXT_CORE_ENUM_EXISTS)
		return insn_patch(l, i, width, (u64)there, 0, 0);
	if (!there && (l->o->by_name[c->type] & EXT_CORE_ASKED))
		return poison(i, width);
	if (!there)
		return ext_link_refuse(l, EXT_WHY_LINK,
				       "the interface has no such field, type or value: %s, %s",
				       ext_btf_type(&l->o->btf, c->type)->name, c->path);
	if (c->kind == EXT_CORE_ENUM_VALUE)
		return insn_patch(l, i, width, value, 0, 0);
	bare = ext_btf_bare(b, to.type);
	switch (c->kind) {
	case EXT_CORE_BYTE_OFFSET:
		if (here.bits || to.bits)
			return ext_link_refuse(l, EXT_WHY_LINK, "a relocation of a bit-field");
		return insn_patch(l, i, width, to.offset, &here, &to);
	case EXT_CORE_SIGNED:
		value = bare->kind == EXT_BTF_INT && (bare->encoding & EXT_BTF_SIGNED);
		break;
	case EXT_CORE_TYPE_TARGET:
		value = target;
		break;
	default:
		value = bare->bytes;
		break; /* EXT_CORE_BYTE_SIZE, EXT_CORE_TYPE_SIZE */
	}
	return insn_patch(l, i, width, value, 0, 0);
}

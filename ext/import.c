/* SPDX-License-Identifier: MIT
 * Typed linking: functions of interfaces by name and type, and the entry's type. */
#include <link.h>
#include <order.h>
#include <refusal.h>

/* Which interface it is that the program uses. */
static int interface_use(struct ext_link *l, u32 n)
{
	if (l->p->interface && l->p->interface != l->interface[n])
		return ext_link_refuse(l, EXT_WHY_LINK, "a program of two interfaces");
	l->p->interface = l->interface[n];
	return EXT_OK;
}

/* A type, and of two structs with one name what it is that differs. */
static void difference_print(const struct ext_btf *b, u32 id, const struct ext_btf *other,
			     u32 other_id, char *out, u64 size)
{
	const struct ext_btf_type *t = ext_btf_bare(b, id), *o = ext_btf_bare(other, other_id);
	char type[64];

	ext_btf_print(b, id, type, sizeof(type));
	ext_format(out, size, "%s", type);
	if (t->kind != o->kind || (t->kind != EXT_BTF_STRUCT && t->kind != EXT_BTF_UNION) ||
	    !ext_name_equal(t->name, o->name))
		return;
	for (u32 i = 0; i < t->count && i < o->count; i++) {
		const struct ext_btf_part *p = ext_btf_part(b, t, i),
					  *q = ext_btf_part(other, o, i);

		if (p->bit == q->bit && p->bits == q->bits && ext_name_equal(p->name, q->name))
			continue;
		ext_format(out, size, "%s with %s at bit %u", type, p->name, (u64)p->bit);
		return;
	}
	ext_format(out, size, "%s of %u bytes, %u members", type, (u64)t->bytes, (u64)t->count);
}

/* Whether a type of the object's is one of the interface's; what: of what, for the refusal. */
static int types_compare(struct ext_link *l, u32 n, u32 x, u32 y, int loose, const char *what,
			 const char *name)
{
	const struct ext_btf *a = &l->o->btf, *b = l->interface[n]->btf;
	struct ext_btf_pairs *p = &l->pairs[n];
	char here[64], there[64];
	int bad;

	if (!p->a && ext_btf_pairs_make(l->arena, a, b, p))
		return ext_refuse_memory(l->why);
	p->by_name = l->o->by_name;
	bad = ext_btf_equal(p, x, y, loose);
	if (!bad)
		return EXT_OK;
	if (bad == EXT_WHY_MEMORY)
		return ext_link_refuse(l, EXT_WHY_LINK, "%s %s: its types are too entangled", what,
				       name);
	ext_btf_print(a, x, here, sizeof(here));
	ext_btf_print(b, y, there, sizeof(there));
	ext_link_refuse(l, EXT_WHY_LINK, "%s %s: %s here, %s there", what, name, here, there);
	difference_print(a, p->left, b, p->right, l->why->known, sizeof(l->why->known));
	difference_print(b, p->right, a, p->left, l->why->needed, sizeof(l->why->needed));
	return EXT_WHY_LINK;
}

static const struct ext_contract *contract_find(struct ext_link *l, const char *name, u32 *n)
{
	for (u32 i = 0; i < l->interfaces; i++)
		for (u32 k = 0; k < l->interface[i]->functions; k++)
			if (ext_name_equal(l->interface[i]->function[k].name, name)) {
				*n = i;
				return &l->interface[i]->function[k];
			}
	return 0;
}

int ext_link_import(struct ext_link *l, u32 symbol, u32 *out)
{
	const struct ext_symbol *y = &l->o->elf.symbol[symbol];
	const struct ext_contract *c;
	u32 n = 0, func;
	int bad;

	*out = l->import_of[symbol] - 1;
	if (l->import_of[symbol])
		return EXT_OK;
	c = contract_find(l, y->name, &n);
	if (!c)
		return ext_link_refuse(l, EXT_WHY_LINK,
				       "function %s is not defined, and no interface has it",
				       y->name);
	func = l->o->has_btf ? ext_btf_find(&l->o->btf, EXT_BTF_FUNC, y->name) : 0;
	if (!func)
		return ext_link_refuse(l, EXT_WHY_LINK,
				       "function %s has no type here: compile with -g", y->name);
	if ((bad = interface_use(l, n)))
		return bad;
	if ((bad = types_compare(l, n, ext_btf_type(&l->o->btf, func)->type, c->proto, 0,
				 "function", y->name)))
		return bad;
	*out = l->p->imports++;
	l->p->import[*out] = (struct ext_import){.name = c->name,
						 .slot = c->slot,
						 .proto = ext_btf_type(&l->o->btf, func)->type,
						 .contract = c};
	l->import_of[symbol] = *out + 1;
	return EXT_OK;
}

int ext_link_attach(struct ext_link *l, const char *section)
{
	for (u32 i = 0; i < l->interfaces; i++) {
		const struct ext_interface *f = l->interface[i];

		for (u32 k = 0; k < f->attaches; k++) {
			const char *rest = ext_name_after(section, f->attach[k].name);
			int bad;

			if (!rest || (*rest && *rest != '/'))
				continue;
			if ((bad = interface_use(l, i)))
				return bad;
			l->p->attach = &f->attach[k];
			if (!l->p->function[0].proto)
				return EXT_OK; /* no types: the verifier goes by the interface's alone */
			return types_compare(l, i, l->p->function[0].proto, f->attach[k].proto, 1,
					     "a program of point", f->attach[k].name);
		}
	}
	return EXT_OK;
}

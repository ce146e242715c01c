/* SPDX-License-Identifier: MIT
 * Interfaces: contracts read from an object's types and declaration tags (abi/include/aril/extension.h). Nothing that a
 * contract leaves unsaid is guessed: what is not understood is refused, since the verifier goes by it. */
#include <btf.h>
#include <elf.h>
#include <order.h>
#include <refusal.h>

#define SLOTS 256u /* of a function table */
#define ARGS 5u

struct reader {
	const struct ext_btf *b;
	struct ext_refusal *why;
	u32 func; /* its id */
	const char *name;
	const struct ext_btf_type *proto;
};

static int refuse(struct reader *r, const char *text, const char *detail)
{
	return ext_refuse(r->why, EXT_WHY_BTF, ext_btf_type(r->b, r->func)->offset,
			  "interface: %s: %s%s", r->name, text, detail);
}

static int number_take(const char **text, u64 *out)
{
	const char *s = *text;
	int negative = *s == '-';
	u64 n = 0;

	s += negative;
	if (*s < '0' || *s > '9')
		return EXT_WHY_BTF;
	for (; *s >= '0' && *s <= '9'; s++)
		if (__builtin_mul_overflow(n, 10ul, &n) ||
		    __builtin_add_overflow(n, (u64)(*s - '0'), &n))
			return EXT_WHY_BTF;
	if (negative && n > 1ul << 63)
		return EXT_WHY_BTF;
	*out = negative ? -n : n;
	*text = s;
	return EXT_OK;
}

/* The number of a tag "key=N" on a component; as it was, if there is none. */
static int number_read(struct reader *r, s32 component, const char *key, u64 least, u64 most,
		       u64 *out)
{
	const char *text = ext_btf_tag_value(r->b, r->func, component, key);
	u64 n;

	if (!text)
		return EXT_OK;
	if (number_take(&text, &n) || *text || n < least || n > most)
		return refuse(r, "not a number that can be: ", key);
	*out = n;
	return EXT_OK;
}

/* "key=LEAST..MOST": of signed numbers, if LEAST is negative. */
static int range_read(struct reader *r, s32 component, const char *key, u64 *least, u64 *most)
{
	const char *text = ext_btf_tag_value(r->b, r->func, component, key);
	u64 low, high;

	if (!text)
		return EXT_OK;
	if (number_take(&text, &low) || text[0] != '.' || text[1] != '.')
		return refuse(r, "not a range: ", key);
	text += 2;
	if (number_take(&text, &high) || *text ||
	    ((s64)low < 0 ? (s64)low > (s64)high : low > high))
		return refuse(r, "not a range: ", key);
	*least = low;
	*most = high;
	return EXT_OK;
}

static int is_number(const struct ext_btf_type *t)
{
	return (t->kind == EXT_BTF_INT || t->kind == EXT_BTF_ENUM || t->kind == EXT_BTF_ENUM64) &&
	       t->bytes <= 8;
}

static int tagged(struct reader *r, s32 component, const char *tag)
{
	return ext_btf_tagged(r->b, r->func, component, tag);
}

static int pointer_read(struct reader *r, u32 n, u32 target, struct ext_arg *arg)
{
	const struct ext_btf_type *to = ext_btf_bare(r->b, target);
	int is_struct = to->kind == EXT_BTF_STRUCT || to->kind == EXT_BTF_UNION;
	u64 bytes = 0, size = 0;
	int bad;

	arg->flags |=
		ext_btf_is_const(r->b, target) || tagged(r, (s32)n, "const") ? EXT_ARG_CONST : 0;
	arg->flags |= tagged(r, (s32)n, "nullable") ? EXT_ARG_NULLABLE : 0;
	arg->flags |= tagged(r, (s32)n, "release") ? EXT_ARG_RELEASE : 0;
	if ((bad = number_read(r, (s32)n, "size", 1, r->proto->count, &size)) ||
	    (bad = number_read(r, (s32)n, "bytes", 1, 1u << 30, &bytes)))
		return bad;
	if (tagged(r, (s32)n, "map")) {
		arg->kind = EXT_ARG_MAP;
	} else if (tagged(r, (s32)n, "key")) {
		arg->kind = EXT_ARG_KEY;
	} else if (tagged(r, (s32)n, "value")) {
		arg->kind = EXT_ARG_VALUE;
	} else if (size) {
		arg->kind = EXT_ARG_MEM;
		arg->size_arg = (u8)(size - 1);
	} else if (bytes) {
		arg->kind = EXT_ARG_MEM;
		arg->bytes = (u32)bytes;
	} else if (is_struct && !tagged(r, (s32)n, "memory")) {
		arg->kind = EXT_ARG_OBJECT;
		arg->type = ext_btf_skip(r->b, target);
	} else {
		if (!ext_btf_has_value(to->kind) || !to->bytes)
			return refuse(r, "a pointer to memory of no known size: ",
				      ext_btf_part(r->b, r->proto, n)->name);
		arg->kind = EXT_ARG_MEM;
		arg->bytes = to->bytes;
	}
	return EXT_OK;
}

/* Whether there is a map among the first n parameters. */
static int map_before(const struct ext_arg *arg, u32 n)
{
	while (n)
		if (arg[--n].kind == EXT_ARG_MAP)
			return 1;
	return 0;
}

/* Parameters; the sizes of memory afterwards, when all kinds are known. */
static int args_read(struct reader *r, struct ext_arg *arg, u32 *args)
{
	int bad;

	if (r->proto->count > ARGS)
		return refuse(r, "more than five parameters", "");
	for (u32 n = 0; n < r->proto->count; n++) {
		u32 type = ext_btf_part(r->b, r->proto, n)->type;
		const struct ext_btf_type *t = ext_btf_bare(r->b, type);

		arg[n] = (struct ext_arg){.size_arg = 0xff, .most = ~0ul};
		if (t->kind == EXT_BTF_PTR) {
			bad = pointer_read(r, n, t->type, &arg[n]);
		} else if (is_number(t)) {
			arg[n].kind = EXT_ARG_SCALAR;
			bad = range_read(r, (s32)n, "range", &arg[n].least, &arg[n].most);
		} else {
			bad = refuse(r, "neither a number nor a pointer: ",
				     ext_btf_part(r->b, r->proto, n)->name);
		}
		if (bad)
			return bad;
	}
	for (u32 n = 0; n < r->proto->count; n++) {
		u32 size = arg[n].size_arg;

		if ((arg[n].kind == EXT_ARG_KEY ||
		     (arg[n].kind == EXT_ARG_VALUE && !(arg[n].flags & EXT_ARG_RELEASE))) &&
		    !map_before(arg, n))
			return refuse(r, "a key or value of no map: ",
				      ext_btf_part(r->b, r->proto, n)->name);
		if (size == 0xff)
			continue;
		if (arg[size].kind != EXT_ARG_SCALAR && arg[size].kind != EXT_ARG_SIZE)
			return refuse(r, "a size that is no number: ",
				      ext_btf_part(r->b, r->proto, size)->name);
		arg[size].kind = EXT_ARG_SIZE;
	}
	*args = r->proto->count;
	return EXT_OK;
}

/* The range of a number that is returned; only whole registers have one, the upper half of others being anything. */
static int returns_read(struct reader *r, u64 *least, u64 *most)
{
	const struct ext_btf_type *t = ext_btf_bare(r->b, r->proto->type);

	*least = 0;
	*most = ~0ul;
	if (ext_btf_tag_value(r->b, r->func, -1, "returns") && (!is_number(t) || t->bytes != 8))
		return refuse(r, "a range of what is no number of 64 bits", "");
	return range_read(r, -1, "returns", least, most);
}

static int contract_read(struct reader *r, struct ext_contract *c)
{
	const struct ext_btf_type *t = ext_btf_bare(r->b, r->proto->type), *to;
	u64 slot = ~0ul, cost = 1;
	int bad;

	*c = (struct ext_contract){.name = r->name, .proto = ext_btf_type(r->b, r->func)->type};
	if ((bad = number_read(r, -1, "slot", 0, SLOTS - 1, &slot)) ||
	    (bad = number_read(r, -1, "cost", 1, 65535, &cost)) ||
	    (bad = args_read(r, c->arg, &c->args)) ||
	    (bad = returns_read(r, &c->ret_least, &c->ret_most)))
		return bad;
	c->slot = (u32)slot;
	c->cost = (u16)cost;
	c->pure = (u8)tagged(r, -1, "pure");
	c->ret_flags = (u8)((tagged(r, -1, "nullable") ? EXT_RET_NULLABLE : 0) |
			    (tagged(r, -1, "acquire") ? EXT_RET_ACQUIRE : 0));
	if (t->kind == EXT_BTF_VOID) {
		c->ret = EXT_RET_VOID;
	} else if (is_number(t)) {
		c->ret = EXT_RET_SCALAR;
	} else if (t->kind != EXT_BTF_PTR) {
		return refuse(r, "returns neither a number nor a pointer", "");
	} else {
		to = ext_btf_bare(r->b, t->type);
		c->ret = EXT_RET_VALUE;
		if (to->kind == EXT_BTF_STRUCT) {
			c->ret = EXT_RET_OBJECT;
			c->ret_type = ext_btf_skip(r->b, t->type);
		} else if (to->kind != EXT_BTF_VOID || !c->args || c->arg[0].kind != EXT_ARG_MAP) {
			return refuse(
				r, "returns a pointer that is neither a struct's nor a map's value",
				"");
		}
	}
	return EXT_OK;
}

static int attach_read(struct reader *r, struct ext_attach *a)
{
	const char *class = ext_btf_tag_value(r->b, r->func, -1, "class");
	u64 worst = 0, budget = 0;
	int bad;

	*a = (struct ext_attach){.name = r->name, .proto = ext_btf_type(r->b, r->func)->type};
	if (!class || (!ext_name_equal(class, "pure") && !ext_name_equal(class, "handler")))
		return refuse(r, "a point of no known class", "");
	a->class = ext_name_equal(class, "pure") ? EXT_PURE : EXT_HANDLER;
	if ((bad = number_read(r, -1, "worst", 1, 0xffffffff, &worst)) ||
	    (bad = number_read(r, -1, "budget", 1, 0xffffffff, &budget)) ||
	    (bad = args_read(r, a->arg, &a->args)) ||
	    (bad = returns_read(r, &a->ret_least, &a->ret_most)))
		return bad;
	if (a->class == EXT_PURE ? !worst || budget : !budget || worst)
		return refuse(r, "a point that is pure has a worst case, a handler's a budget", "");
	for (u32 n = 0; n < a->args; n++)
		if (a->arg[n].kind != EXT_ARG_SCALAR && a->arg[n].kind != EXT_ARG_SIZE &&
		    a->arg[n].kind != EXT_ARG_MEM && a->arg[n].kind != EXT_ARG_OBJECT)
			return refuse(r, "a point's parameter is a map, key or value", "");
	a->worst_most = (u32)worst;
	a->budget = (u32)budget;
	return EXT_OK;
}

/* A struct's member that says "size=MEMBER": that is a number of the same struct. */
static int members_check(const struct ext_btf *b, u32 id, struct ext_refusal *why)
{
	const struct ext_btf_type *t = ext_btf_type(b, id);

	for (u32 n = 0; n < t->count; n++) {
		const char *size = ext_btf_tag_value(b, id, (s32)n, "size");
		s32 m = size ? ext_btf_member(b, id, size) : -1;

		if (!size)
			continue;
		if (m < 0 || !is_number(ext_btf_bare(b, ext_btf_part(b, t, (u32)m)->type)))
			return ext_refuse(
				why, EXT_WHY_BTF, t->offset,
				"interface: struct %s: the size of %s is no number of it: %s",
				t->name, ext_btf_part(b, t, n)->name, size);
		if (ext_btf_bare(b, ext_btf_part(b, t, n)->type)->kind != EXT_BTF_PTR)
			return ext_refuse(why, EXT_WHY_BTF, t->offset,
					  "interface: struct %s: %s has a size and is no pointer",
					  t->name, ext_btf_part(b, t, n)->name);
	}
	return EXT_OK;
}

static int contents_read(struct ext_arena *a, struct ext_interface *f, struct ext_refusal *why)
{
	const struct ext_btf *b = f->btf;
	u8 *used = ext_alloc(a, SLOTS);
	int bad;

	f->function = ext_alloc(a, b->types * sizeof(*f->function));
	f->attach = ext_alloc(a, b->types * sizeof(*f->attach));
	if (!used || !f->function || !f->attach)
		return ext_refuse_memory(why);
	for (u32 id = 1; id < b->types; id++) {
		const struct ext_btf_type *t = ext_btf_type(b, id);
		struct reader r = {.b = b, .why = why, .func = id, .name = t->name};

		if (t->kind == EXT_BTF_STRUCT && (bad = members_check(b, id, why)))
			return bad;
		if (t->kind != EXT_BTF_FUNC)
			continue;
		r.proto = ext_btf_type(b, t->type);
		if (tagged(&r, -1, "attach")) {
			if ((bad = attach_read(&r, &f->attach[f->attaches++])))
				return bad;
			continue;
		}
		if (!ext_btf_tag_value(b, id, -1, "slot"))
			continue;
		if ((bad = contract_read(&r, &f->function[f->functions])))
			return bad;
		if (used[f->function[f->functions].slot]++)
			return refuse(&r, "its slot is another's, too", "");
		f->functions++;
	}
	return EXT_OK;
}

int ext_interface_load(struct ext_arena *a, const u8 *object, u64 bytes, struct ext_interface *out,
		       struct ext_refusal *why)
{
	struct ext_interface f = {0};
	struct ext_btf *b;
	const struct ext_section *s;
	struct ext_elf e;
	u32 n;
	int bad;

	if ((bad = ext_elf_read(a, object, bytes, &e, why)))
		return bad;
	n = ext_elf_find(&e, ".BTF");
	s = &e.section[n];
	if (!n || !s->data)
		return ext_refuse(why, EXT_WHY_BTF, 0,
				  "an interface without types: compile with -g");
	f.btf = b = ext_alloc(a, sizeof(*b));
	if (!b)
		return ext_refuse_memory(why);
	if ((bad = ext_btf_read(a, s->data, s->bytes, s->offset, b, why)) ||
	    (bad = contents_read(a, &f, why)))
		return bad;
	*out = f;
	return EXT_OK;
}

/* SPDX-License-Identifier: MIT
 * What the entry is given, and calls of imported functions: each argument as the contract has it, then what the call
 * leaves: a result, references taken or given back. */
#include <verify.h>

static int refuse(struct verify *ver, struct state *s, enum ext_why why, u32 insn, u32 reg,
		  const char *format, const char *name)
{
	verify_refuse(ver, why, insn, (s32)reg, format, (u64)reg, name);
	verify_known(ver, s, (s32)reg, &s->reg[reg]);
	return ver->stop ? -1 : 1;
}

/* --- the entry */
static struct num allowed(u64 least, u64 most)
{
	return least <= most ? num_unsigned(least, most) : num_signed((s64)least, (s64)most);
}

static int is_size(const struct ext_attach *t, u32 n)
{
	for (u32 i = 0; i < t->args; i++)
		if (t->arg[i].kind == EXT_ARG_MEM && t->arg[i].size_arg == n)
			return 1;
	return 0;
}

static int entry_arg(struct verify *ver, struct state *s, u32 n)
{
	const struct ext_attach *t = ver->attach;
	const struct ext_arg *arg = &t->arg[n];
	struct val *v = &s->reg[n + 1];

	switch (arg->kind) {
	case EXT_ARG_SCALAR:
	case EXT_ARG_SIZE:
		v->type = VAL_SCALAR;
		v->form = form_sym(n + 1);
		return 0;
	case EXT_ARG_MEM:
		v->type = VAL_MEMORY;
		v->bytes = arg->size_arg < t->args ? 0 : arg->bytes;
		v->len = arg->size_arg < t->args ? arg->size_arg + 1u : 0;
		v->readonly = (arg->flags & EXT_ARG_CONST) != 0;
		break;
	case EXT_ARG_OBJECT:
		v->type = VAL_OBJECT;
		v->which =
			verify_object_kind(ver, ver->iface ? ver->iface->btf : 0, arg->type, n + 1);
		v->readonly = (arg->flags & EXT_ARG_CONST) != 0;
		break;
	default:
		return verify_refuse(ver, EXT_WHY_CALL, 0, (s32)n + 1,
				     "%s gives an argument of a kind that no entry has", t->name);
	}
	v->sealed = 1;
	v->may_null = (arg->flags & EXT_ARG_NULLABLE) != 0;
	v->id = v->may_null ? ver->next_id++ : 0;
	return 0;
}

int verify_entry(struct verify *ver, struct state *s)
{
	const struct ext_attach *t = ver->attach;

	s->slots = s->syms = s->facts = s->refs = s->depth = 0;
	s->cost = 0;
	ver->out->depth = 1;
	for (u32 r = 0; r < EXT_REGS; r++)
		s->reg[r] = val_unset();
	/* the arguments' values do not change: symbols 1..5 */
	for (u32 n = 0; n < 5; n++) {
		struct num most = num_unsigned(0, EXT_MEMORY_MOST), *base = &ver->base[n].num;

		ver->base[n].object = FLOW_NONE;
		*base = n < t->args ? allowed(t->arg[n].least, t->arg[n].most) : num_any();
		if (is_size(t, n) && !num_meet(base, &most, base))
			*base = most;
	}
	ver->bases = 5;
	for (u32 n = 0; n < t->args; n++)
		if (entry_arg(ver, s, n))
			return -1;
	s->reg[10] = (struct val){.type = VAL_STACK, .form = {.c = EXT_FRAME_BYTES}};
	return 0;
}

/* --- arguments */
struct call {
	const struct ext_contract *k;
	const struct ext_btf *btf;
	u32 insn;
	u32 map; /* the region that was given as a map, or FLOW_NONE */
};

static int arg_number(struct verify *ver, struct state *s, const struct call *c, u32 reg,
		      const struct ext_arg *arg)
{
	const struct val *v = &s->reg[reg];
	struct num n;
	int is_signed = arg->least > arg->most;

	if (val_is_pointer(v))
		return refuse(ver, s, EXT_WHY_LEAK, c->insn, reg,
			      "R%u: a pointer is given where %s takes a number", c->k->name);
	n = state_num(ver, s, &v->form);
	if (is_signed ? n.smin >= (s64)arg->least && n.smax <= (s64)arg->most
		      : n.umin >= arg->least && n.umax <= arg->most)
		return 0;
	refuse(ver, s, EXT_WHY_CALL, c->insn, reg, "R%u is not within what %s takes", c->k->name);
	if (is_signed)
		verify_needed(ver, "%d..%d", arg->least, arg->most);
	else
		verify_needed(ver, "%u..%u", arg->least, arg->most);
	return ver->stop ? -1 : 0;
}

/* Null where the contract allows it: 1; -1: refused; 0: a pointer, not null. */
static int arg_null(struct verify *ver, struct state *s, const struct call *c, u32 reg, u32 flags)
{
	const struct val *v = &s->reg[reg];

	if (v->type == VAL_SCALAR) {
		struct num n = state_num(ver, s, &v->form);

		if (flags & EXT_ARG_NULLABLE && n.umax == 0)
			return 1;
		return refuse(ver, s, EXT_WHY_CALL, c->insn, reg,
			      "R%u: a number is given where %s takes a pointer", c->k->name) < 0
			       ? -1
			       : 2;
	}
	return 0;
}

static int arg_memory(struct verify *ver, struct state *s, const struct call *c, u32 reg, u32 flags,
		      const struct form *bytes)
{
	struct val v = s->reg[reg];
	struct num size = state_num(ver, s, bytes);
	int is_write = !(flags & EXT_ARG_CONST), error = arg_null(ver, s, c, reg, flags);

	if (error)
		return error < 0 ? -1 : error - 1;
	if (flags & EXT_ARG_NULLABLE)
		v.may_null = 0; /* the function looks */
	error = verify_inside(ver, s, c->insn, reg, &v, bytes, is_write);
	if (error || v.type != VAL_STACK)
		return error;
	return verify_stack_range(ver, s, c->insn, reg, &v, size.umax, is_write,
				  num_is_const(&size));
}

/* The value is a reference that is held; it goes back. */
static int arg_release(struct verify *ver, struct state *s, const struct call *c, u32 reg, u32 kind)
{
	const struct val *v = &s->reg[reg];
	u32 id = v->id;

	if (v->may_null)
		return refuse(ver, s, EXT_WHY_NULL, c->insn, reg,
			      "R%u may be null: %s takes it back", c->k->name);
	if (!id || !state_has_ref(s, id))
		return refuse(ver, s, EXT_WHY_REFERENCE, c->insn, reg,
			      "R%u is no reference that is held: %s takes one back", c->k->name);
	if (v->form.terms || v->form.c)
		return refuse(ver, s, EXT_WHY_REFERENCE, c->insn, reg,
			      "R%u is not the pointer that was given, but an offset from it: %s",
			      c->k->name);
	/* the types of objects were compared before, a record has none */
	if (kind == EXT_ARG_VALUE && v->type != VAL_VALUE)
		return refuse(ver, s, EXT_WHY_CALL, c->insn, reg,
			      "R%u is a reference, but not to a map's value: %s takes one back",
			      c->k->name);
	state_drop_ref(s, id);
	state_resolve(s, id, 2);
	return 0;
}

static int arg_object(struct verify *ver, struct state *s, const struct call *c, u32 reg,
		      const struct ext_arg *arg)
{
	const struct val *v = &s->reg[reg];
	int error = arg_null(ver, s, c, reg, arg->flags);

	if (error)
		return error < 0 ? -1 : error - 1;
	if (v->type != VAL_OBJECT || ver->object[v->which].btf != c->btf ||
	    ver->object[v->which].type != arg->type)
		return refuse(ver, s, EXT_WHY_CALL, c->insn, reg,
			      "R%u is not of the type that %s takes", c->k->name);
	if (v->may_null && !(arg->flags & EXT_ARG_NULLABLE) &&
	    refuse(ver, s, EXT_WHY_NULL, c->insn, reg, "R%u may be null: %s", c->k->name) < 0)
		return -1;
	if (v->form.terms || v->form.c)
		return refuse(ver, s, EXT_WHY_CALL, c->insn, reg,
			      "R%u is not the object but a place within it: %s", c->k->name);
	if (!(arg->flags & EXT_ARG_CONST) && v->readonly)
		return refuse(ver, s, EXT_WHY_READONLY, c->insn, reg,
			      "R%u is only to be read; %s may write it", c->k->name);
	return 0;
}

static int arg(struct verify *ver, struct state *s, struct call *c, u32 n)
{
	const struct ext_arg *a = &c->k->arg[n];
	const struct ext_region *map = c->map != FLOW_NONE ? &ver->p->region[c->map] : 0;
	u32 reg = n + 1;
	const struct val *v = &s->reg[reg];
	struct form bytes = form_const(a->bytes);

	switch (a->kind) {
	case EXT_ARG_SCALAR:
	case EXT_ARG_SIZE:
		return arg_number(ver, s, c, reg, a);
	case EXT_ARG_MAP:
		if (v->type != VAL_MAP)
			return refuse(ver, s, EXT_WHY_CALL, c->insn, reg,
				      "R%u is no map; %s takes one", c->k->name);
		c->map = v->which;
		return 0;
	case EXT_ARG_OBJECT:
		return arg_object(ver, s, c, reg, a);
	case EXT_ARG_KEY:
	case EXT_ARG_VALUE:
		if (!map)
			return a->flags & EXT_ARG_RELEASE
				       ? 0
				       : refuse(ver, s, EXT_WHY_CALL, c->insn, reg,
						"R%u belongs to a map, but %s is given none",
						c->k->name);
		bytes = form_const(a->kind == EXT_ARG_KEY ? map->key : map->value);
		break;
	case EXT_ARG_MEM:
		if (a->size_arg >= c->k->args)
			break;
		if (s->reg[a->size_arg + 1].type != VAL_SCALAR)
			return 0; /* is refused as a number */
		bytes = s->reg[a->size_arg + 1].form;
		break;
	default:
		return refuse(ver, s, EXT_WHY_CALL, c->insn, reg,
			      "R%u: the contract of %s is not understood", c->k->name);
	}
	return arg_memory(ver, s, c, reg, a->flags, &bytes);
}

/* --- the result */
static int result(struct verify *ver, struct state *s, const struct call *c)
{
	const struct ext_contract *k = c->k;
	struct val v = val_unset();
	struct num n;

	switch (k->ret) {
	case EXT_RET_VOID:
		s->reg[0] = v;
		return 0;
	case EXT_RET_SCALAR:
		n = allowed(k->ret_least, k->ret_most);
		v.type = VAL_SCALAR;
		v.form = form_sym(state_fresh(ver, s, &n));
		s->reg[0] = v;
		return 0;
	case EXT_RET_VALUE:
		if (c->map == FLOW_NONE)
			return refuse(ver, s, EXT_WHY_CALL, c->insn, 0,
				      "R%u: %s returns a map's value, but is given no map",
				      k->name);
		v.type = VAL_VALUE;
		v.which = c->map;
		v.may_null = 1;
		break;
	case EXT_RET_OBJECT:
		v.type = VAL_OBJECT;
		v.which = verify_object_kind(ver, c->btf, k->ret_type, 0);
		v.may_null = (k->ret_flags & EXT_RET_NULLABLE) != 0;
		if (v.which == FLOW_NONE)
			return refuse(ver, s, EXT_WHY_MEMORY, c->insn, 0,
				      "R%u: too many different objects: %s", k->name);
		break;
	default:
		return refuse(ver, s, EXT_WHY_CALL, c->insn, 0,
			      "R%u: the contract of %s is not understood", k->name);
	}
	if (v.may_null || k->ret_flags & EXT_RET_ACQUIRE)
		v.id = ver->next_id++;
	s->reg[0] = v;
	if (!(k->ret_flags & EXT_RET_ACQUIRE))
		return 0;
	if (s->refs == REFS_MOST)
		return refuse(ver, s, EXT_WHY_REFERENCE, c->insn, 0,
			      "R%u: too many references held at once: %s", k->name);
	s->ref[s->refs++] = v.id;
	return 0;
}

int verify_import(struct verify *ver, struct state *s, u32 insn)
{
	const struct ext_import *import = &ver->p->import[ver->p->insn[insn].imm];
	struct call c = {.k = import->contract, .insn = insn, .map = FLOW_NONE};
	int error;

	if (!c.k) {
		verify_refuse(ver, EXT_WHY_CALL, insn, -1, "%s has no contract", import->name);
		return ver->stop ? -1 : 1;
	}
	c.btf = ver->iface ? ver->iface->btf : 0;
	if (ver->attach->class == EXT_PURE && !c.k->pure &&
	    verify_refuse(ver, EXT_WHY_CLASS, insn, -1, "a pure program must not call %s",
			  c.k->name))
		return -1;
	for (u32 n = 0; n < c.k->args; n++) {
		error = verify_read(ver, s, insn, n + 1);
		if (!error)
			error = arg(ver, s, &c, n);
		if (error)
			return error;
	}
	for (u32 n = 0; n < c.k->args; n++)
		if (c.k->arg[n].flags & EXT_ARG_RELEASE) {
			error = arg_release(ver, s, &c, n + 1, c.k->arg[n].kind);
			if (error)
				return error;
		}
	for (u32 r = 1; r < 6; r++)
		s->reg[r] = val_unset();
	return result(ver, s, &c);
}

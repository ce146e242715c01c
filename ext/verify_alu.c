/* SPDX-License-Identifier: MIT
 * Arithmetic on what registers hold. The result keeps a form (exact modulo 2^64) where it is linear in the operands';
 * else it gets a symbol of its own, with the num that the operation gives, and facts that tie it to the operands. */
#include <verify.h>

#define NOT_MUCH 12u /* bits: larger shifts tell little */

static int pointer_refused(struct verify *ver, struct state *s, u32 insn, u32 reg, const char *text)
{
	verify_refuse(ver, EXT_WHY_TYPE, insn, (s32)reg, "%s", text);
	verify_known(ver, s, (s32)reg, &s->reg[reg]);
	return ver->stop ? -1 : 1;
}

static void set_number(struct verify *ver, struct state *s, u32 dst, const struct num *n)
{
	struct form f;

	if (num_is_const(n))
		f = form_const(n->umin);
	else
		f = form_sym(state_fresh(ver, s, n));
	s->reg[dst] = val_scalar(&f);
}

static int is_guess(const struct verify *ver)
{
	return ver->runs && ver->runs->guessing;
}

/* The low half of the form's value, zero-extended, is the value itself. */
static int fits_half(struct verify *ver, struct state *s, const struct form *f)
{
	struct num n = state_num(ver, s, f);

	return n.umax <= 0xffffffffu || (is_guess(ver) && f->terms);
}

static int learn_order(struct verify *ver, struct state *s, const struct form *small, s64 scale,
		       const struct form *large, s64 more)
{
	struct form zero = form_const((u64)more), f;

	if (!fact_add(&zero, small, scale, &f) || !fact_add(&f, large, -1, &f))
		return 0;
	return state_learn(ver, s, &f);
}

/* What ties a result to its operands, where a num does not tell it. x: the dividend's form, y: the other's. */
static void tie(struct verify *ver, struct state *s, u32 op, const struct form *t,
		const struct form *x, const struct form *y)
{
	struct num ny = state_num(ver, s, y);

	if (!t->terms || !x->terms || !state_exact(ver, s, x))
		return;
	switch (op) {
	case EXT_AND:
		if (!y->terms && (s64)y->c >= 0)
			return; /* the mask tells as much */
		learn_order(ver, s, t, 1, x, 0);
		if (y->terms && state_exact(ver, s, y))
			learn_order(ver, s, t, 1, y, 0);
		return;
	case EXT_MOD:
		if (y->terms && ny.umin > 0 && state_exact(ver, s, y))
			learn_order(ver, s, t, 1, y, 1);
		return;
	case EXT_RSH:
	case EXT_ARSH:
		if (!y->terms && y->c <= NOT_MUCH)
			learn_order(ver, s, t, 1l << y->c, x, 0);
		return;
	case EXT_DIV:
		if (!y->terms && y->c && y->c < 1ul << NOT_MUCH)
			learn_order(ver, s, t, (s64)y->c, x, 0);
		return;
	}
}

/* dst = the 64-bit sum a + k * b as a form; 0 when that is none. */
static int linear(struct verify *ver, struct state *s, u32 dst, const struct form *a,
		  const struct form *b, s64 k, int is_half)
{
	struct form f;

	if (!form_add(a, b, k, &f) || (is_half && !fits_half(ver, s, &f)))
		return 0;
	s->reg[dst] = val_scalar(&f);
	return 1;
}

/* The same half of the same value is one symbol, wherever it is made: compilers make it anew for each use. */
static struct form half_of(struct verify *ver, struct state *s, const struct form *a, int is_signed,
			   const struct num *n)
{
	u32 k, sym;

	for (k = 0; k < ver->halves && k < HALVES_MOST; k++)
		if (ver->half[k].is_signed == is_signed && form_equal(&ver->half[k].of, a)) {
			state_narrow(ver, s, ver->half[k].sym, n);
			return form_sym(ver->half[k].sym);
		}
	sym = state_fresh(ver, s, n);
	k = ver->halves++ % HALVES_MOST;
	ver->half[k].of = *a;
	ver->half[k].is_signed = is_signed;
	ver->half[k].sym = sym;
	return form_sym(sym);
}

/* A shift up by 32 and one down by up to 32: the low half, extended, times scale. */
static int extend(struct verify *ver, struct state *s, u32 dst, const struct form *a, s64 scale,
		  int is_signed)
{
	struct num n = state_num(ver, s, a), zero = num_const(0);
	struct form half = *a, none = form_const(0);

	if (n.umax > (is_signed ? 0x7fffffffu : 0xffffffffu) && !is_guess(ver)) {
		n = is_signed ? num_alu(EXT_ALU64 | EXT_MOV | EXT_X, 32, &zero, &n)
			      : num_alu(EXT_ALU | EXT_MOV | EXT_X, 0, &zero, &n);
		half = num_is_const(&n) ? form_const(n.umin) : half_of(ver, s, a, is_signed, &n);
		if (!is_signed)
			verify_shrunk_half(ver, s, &half, a);
	}
	return linear(ver, s, dst, &none, &half, scale, 0);
}

/* Results that are linear in their operands: 1 when it was one. */
static int try_linear(struct verify *ver, struct state *s, const struct ext_insn *i,
		      const struct form *a, const struct form *b)
{
	u32 op = EXT_OP(i->code), dst = ext_dst(i);
	int is_half = EXT_CLASS(i->code) == EXT_ALU;
	struct num na = state_num(ver, s, a), nb = state_num(ver, s, b);
	struct form zero = form_const(0), g;
	u32 width = is_half ? 32 : 64;

	switch (op) {
	case EXT_ADD:
		return linear(ver, s, dst, a, b, 1, is_half);
	case EXT_SUB:
		return linear(ver, s, dst, a, b, -1, is_half);
	case EXT_NEG:
		return linear(ver, s, dst, &zero, a, -1, is_half);
	case EXT_OR:
		if (((na.value | na.unknown) & (nb.value | nb.unknown)) == 0)
			return linear(ver, s, dst, a, b, 1, is_half);
		return 0;
	case EXT_XOR:
		return form_equal(a, b) && linear(ver, s, dst, &zero, &zero, 1, 0);
	case EXT_AND:
		if (b->terms || ((na.value | na.unknown) & ~b->c & (is_half ? 0xffffffffu : ~0ul)))
			return 0;
		return linear(ver, s, dst, a, &zero, 1, is_half);
	case EXT_MUL:
		if (b->terms && !a->terms)
			return (s64)a->c < COEF_MOST && (s64)a->c > -COEF_MOST &&
			       linear(ver, s, dst, &zero, b, (s64)a->c, is_half);
		return !b->terms && (s64)b->c < COEF_MOST && (s64)b->c > -COEF_MOST &&
		       linear(ver, s, dst, &zero, a, (s64)b->c, is_half);
	case EXT_LSH:
		return !b->terms && b->c <= 40 && b->c < width &&
		       linear(ver, s, dst, &zero, a, 1l << b->c, is_half);
	case EXT_RSH:
	case EXT_ARSH:
		if (!is_half && !b->terms && b->c <= 32 && form_shifted(a, 32, &g))
			return extend(ver, s, dst, &g, 1l << (32 - b->c), op == EXT_ARSH);
		/* undoes a multiplication by 2^k, if nothing was lost in it */
		if (is_half || b->terms || b->c >= 64 || !form_shifted(a, (u32)b->c, &g))
			return 0;
		na = state_num(ver, s, &g);
		if (!is_guess(ver) && b->c &&
		    (op == EXT_RSH
			     ? na.umax >> (64 - b->c) != 0
			     : na.smin < -(1l << (63 - b->c)) || na.smax > (1l << (63 - b->c)) - 1))
			return 0;
		return linear(ver, s, dst, &g, &zero, 1, 0);
	default:
		return 0;
	}
}

static int numbers(struct verify *ver, struct state *s, const struct ext_insn *i, struct form a,
		   struct form b)
{
	u32 op = EXT_OP(i->code);
	int is_half = EXT_CLASS(i->code) == EXT_ALU, half_fits;
	struct num na, nb, n;

	if (op != EXT_END && op != EXT_DIV && op != EXT_MOD && try_linear(ver, s, i, &a, &b))
		return 0;
	na = state_num(ver, s, &a);
	nb = state_num(ver, s, &b);
	n = num_alu(i->code, i->off, &na, &nb);
	set_number(ver, s, ext_dst(i), &n);
	verify_shrunk(ver, s, i, &s->reg[ext_dst(i)].form, &a, &b);
	half_fits =
		!is_half || (na.umax <= 0xffffffffu && (op == EXT_AND || nb.umax <= 0xffffffffu));
	if (i->off == 0 && half_fits && (op != EXT_ARSH || na.smin >= 0) &&
	    (op != EXT_ARSH || !is_half || na.umax <= 0x7fffffff))
		tie(ver, s, op, &s->reg[ext_dst(i)].form, &a, &b);
	return 0;
}

/* --- moves */
static int move(struct verify *ver, struct state *s, u32 insn, const struct val *from)
{
	const struct ext_insn *i = &ver->p->insn[insn];
	u32 dst = ext_dst(i);
	int is_half = EXT_CLASS(i->code) == EXT_ALU;
	struct num n, zero = num_const(0);
	struct form from_form = from->form; /* from may be what is written */

	if (!is_half && !i->off) {
		s->reg[dst] = *from;
		return 0;
	}
	if (val_is_pointer(from))
		return pointer_refused(ver, s, insn, ext_src(i), "a part of a pointer is moved");
	n = state_num(ver, s, &from->form);
	if (!i->off ? fits_half(ver, s, &from->form)
		    : n.umax < 1ul << ((u32)i->off - 1) || (is_guess(ver) && i->off == 32)) {
		s->reg[dst] = *from;
		return 0;
	}
	if (!from->form.terms && !i->off) {
		struct form f = form_const((u32)from->form.c);

		s->reg[dst] = val_scalar(&f);
		return 0;
	}
	n = num_alu(i->code, i->off, &zero, &n);
	set_number(ver, s, dst, &n);
	verify_shrunk(ver, s, i, &s->reg[dst].form, &from_form, &from_form);
	return 0;
}

/* --- pointers */
static int offset(struct verify *ver, struct state *s, u32 dst, const struct val *pointer,
		  const struct val *number, s64 sign)
{
	struct val v = *pointer;

	if (form_add(&pointer->form, &number->form, sign, &v.form)) {
		s->reg[dst] = v;
		return 0;
	}
	/* too many terms: the number, then the offset become symbols of their own */
	struct num n = state_num(ver, s, &number->form), o = state_num(ver, s, &pointer->form);
	struct form f = form_sym(state_fresh(ver, s, &n));

	if (!form_add(&pointer->form, &f, sign, &v.form)) {
		struct form g = form_sym(state_fresh(ver, s, &o));

		form_add(&g, &f, sign, &v.form); /* two terms */
	}
	s->reg[dst] = v;
	return 0;
}

static int same_base(const struct val *a, const struct val *b)
{
	return val_shape_equal(a, b) && a->id == b->id && !a->may_null && a->type != VAL_MAP;
}

static int pointers(struct verify *ver, struct state *s, u32 insn, const struct val *b, u32 b_reg)
{
	const struct ext_insn *i = &ver->p->insn[insn];
	u32 op = EXT_OP(i->code), dst = ext_dst(i), reg;
	const struct val *a = &s->reg[dst];
	struct val pointer = val_is_pointer(a) ? *a : *b;

	reg = val_is_pointer(a) ? dst : b_reg;
	if (EXT_CLASS(i->code) != EXT_ALU64 || (op != EXT_ADD && op != EXT_SUB))
		return pointer_refused(ver, s, insn, reg,
				       "arithmetic on a pointer other than + and -");
	if (val_is_pointer(a) && val_is_pointer(b)) {
		struct form f;

		if (op != EXT_SUB || !same_base(a, b))
			return pointer_refused(
				ver, s, insn, reg,
				"arithmetic on two pointers that do not belong together");
		if (!form_add(&a->form, &b->form, -1, &f)) {
			struct num n = num_any();

			f = form_sym(state_fresh(ver, s, &n));
		}
		s->reg[dst] = val_scalar(&f);
		return 0;
	}
	if (op == EXT_SUB && !val_is_pointer(a))
		return pointer_refused(ver, s, insn, reg, "a pointer is subtracted from a number");
	if (pointer.type == VAL_MAP)
		return pointer_refused(ver, s, insn, reg, "arithmetic on a map");
	if (pointer.may_null) {
		if (verify_refuse(ver, EXT_WHY_NULL, insn, (s32)reg,
				  "arithmetic on a pointer that may be null"))
			return -1;
		verify_known(ver, s, (s32)reg, &pointer);
	}
	struct val number = val_is_pointer(a) ? *b : *a;
	return offset(ver, s, dst, &pointer, &number, op == EXT_ADD ? 1 : -1);
}

int verify_alu(struct verify *ver, struct state *s, u32 insn)
{
	const struct ext_insn *i = &ver->p->insn[insn];
	u32 op = EXT_OP(i->code), is_x = i->code & EXT_X, dst = ext_dst(i);
	struct form imm = form_const((u64)(s64)i->imm);
	struct val b = val_scalar(&imm);
	int error = 0;

	if (op == EXT_NEG)
		b.form = form_const(0);
	else if (op != EXT_END && is_x) {
		error = verify_read(ver, s, insn, ext_src(i));
		b = s->reg[ext_src(i)];
	}
	if (error)
		return error;
	if (op == EXT_MOV)
		return move(ver, s, insn, &b);
	error = verify_read(ver, s, insn, dst);
	if (error)
		return error;
	if (val_is_pointer(&s->reg[dst]) || val_is_pointer(&b))
		return pointers(ver, s, insn, &b, is_x ? ext_src(i) : dst);
	return numbers(ver, s, i, s->reg[dst].form, b.form);
}

int verify_lddw(struct verify *ver, struct state *s, u32 insn)
{
	const struct ext_insn *i = &ver->p->insn[insn];
	u64 low = (u32)i[0].imm, high = (u32)i[1].imm;
	struct form f = form_const(low | high << 32);
	struct val v = val_scalar(&f);

	if (ext_src(i) != 0) {
		const struct ext_region *r = &ver->p->region[low];

		v.type = ext_src(i) == EXT_LD_MAP ? VAL_MAP : VAL_REGION;
		v.which = (u32)low;
		v.readonly = r->kind == EXT_RODATA;
		v.form = form_const((u64)(s64)i[1].imm);
	}
	s->reg[ext_dst(i)] = v;
	return 0;
}

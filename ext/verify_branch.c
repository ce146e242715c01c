/* SPDX-License-Identifier: MIT
 * Conditional jumps: what each way says of the operands: their nums, a fact that ties them, a pointer that is null or is
 * not. */
#include <verify.h>

/* --- what is compared */
static int is_null_test(struct verify *ver, const struct state *s, u32 insn, u32 *reg)
{
	const struct ext_insn *i = &ver->p->insn[insn];
	u32 op = EXT_OP(i->code), is_x = i->code & EXT_X;
	const struct val *a = &s->reg[ext_dst(i)], *b = &s->reg[ext_src(i)];
	struct num n;

	if (EXT_CLASS(i->code) != EXT_JMP || (op != EXT_JEQ && op != EXT_JNE))
		return 0;
	*reg = ext_dst(i);
	if (!is_x)
		return val_is_pointer(a) && i->imm == 0;
	if (val_is_pointer(a) == val_is_pointer(b))
		return 0;
	if (val_is_pointer(b))
		*reg = ext_src(i);
	n = state_num(ver, s, val_is_pointer(b) ? &a->form : &b->form);
	return n.umax == 0;
}

static int same_base(const struct val *a, const struct val *b)
{
	return val_is_pointer(a) && val_shape_equal(a, b) && a->id == b->id && !a->may_null &&
	       a->type != VAL_MAP && a->type != VAL_OBJECT;
}

int verify_branch(struct verify *ver, struct state *s, u32 insn)
{
	const struct ext_insn *i = &ver->p->insn[insn];
	u32 op = EXT_OP(i->code), is_x = i->code & EXT_X, reg;
	const struct val *a = &s->reg[ext_dst(i)], *b = is_x ? &s->reg[ext_src(i)] : 0;
	int error = verify_read(ver, s, insn, ext_dst(i));

	if (!error && is_x)
		error = verify_read(ver, s, insn, ext_src(i));
	if (error)
		return error;
	if (!val_is_pointer(a) && (!b || !val_is_pointer(b)))
		return 0;
	if (is_null_test(ver, s, insn, &reg))
		return 0;
	reg = val_is_pointer(a) ? ext_dst(i) : ext_src(i);
	if (b && same_base(a, b) && EXT_CLASS(i->code) == EXT_JMP && op != EXT_JSET &&
	    op != EXT_JSGT && op != EXT_JSGE && op != EXT_JSLT && op != EXT_JSLE)
		return 0;
	verify_refuse(ver, EXT_WHY_LEAK, insn, (s32)reg,
		      "a pointer is compared with what is neither null nor of the same memory");
	verify_known(ver, s, (s32)reg, &s->reg[reg]);
	return ver->stop ? -1 : 1;
}

/* --- relations */
enum relation { NOTHING, LESS, LESS_EQUAL, MORE, MORE_EQUAL, EQUAL, UNEQUAL };

static enum relation relation_of(u32 op, int taken, int *is_signed)
{
	*is_signed = op == EXT_JSGT || op == EXT_JSGE || op == EXT_JSLT || op == EXT_JSLE;
	switch (op) {
	case EXT_JEQ:
		return taken ? EQUAL : UNEQUAL;
	case EXT_JNE:
		return taken ? UNEQUAL : EQUAL;
	case EXT_JGT:
	case EXT_JSGT:
		return taken ? MORE : LESS_EQUAL;
	case EXT_JGE:
	case EXT_JSGE:
		return taken ? MORE_EQUAL : LESS;
	case EXT_JLT:
	case EXT_JSLT:
		return taken ? LESS : MORE_EQUAL;
	case EXT_JLE:
	case EXT_JSLE:
		return taken ? LESS_EQUAL : MORE;
	default:
		return NOTHING;
	}
}

/* An end of a loop by inequality: what might hold at its head, if the difference goes to 0 from one side. */
static void suggest(struct verify *ver, const struct form *difference)
{
	for (struct loop_run *r = ver->runs; r; r = r->outer) {
		s64 coef = form_coef(difference, r->n);
		struct form d = form_const(0), step = form_sym(r->n), now;

		if (!coef || !r->guessing)
			continue;
		if (!fact_add(&d, difference, coef > 0 ? 1 : -1, &now))
			continue;
		loop_propose(r, &now); /* tested at the head */
		/* tested at the end: one turn earlier, and not met then */
		step.c = (u64)-1;
		if (fact_replace(&now, r->n, &step, &d)) {
			d.c++;
			loop_propose(r, &d);
		}
	}
}

static int learn(struct verify *ver, struct state *s, enum relation is, const struct form *a,
		 const struct form *b)
{
	struct form up, down; /* a - b, b - a */

	if (!fact_add(a, b, -1, &up) || !fact_add(b, a, -1, &down))
		return 1;
	switch (is) {
	case LESS:
		up.c++;
		return state_learn(ver, s, &up);
	case LESS_EQUAL:
		return state_learn(ver, s, &up);
	case MORE:
		down.c++;
		return state_learn(ver, s, &down);
	case MORE_EQUAL:
		return state_learn(ver, s, &down);
	case EQUAL:
		return state_learn(ver, s, &up) && state_learn(ver, s, &down);
	case UNEQUAL:
		suggest(ver, &up);
		if (state_proves(ver, s, &up)) {
			up.c++;
			return state_learn(ver, s, &up);
		}
		if (state_proves(ver, s, &down)) {
			down.c++;
			return state_learn(ver, s, &down);
		}
		return 1;
	default:
		return 1;
	}
}

/* Both operands are, as they are compared, the integers that their forms stand for. */
static int comparable(struct verify *ver, const struct num *n, u32 class, int is_signed)
{
	u64 most = class == EXT_JMP ? ~0ul >> is_signed : 0xffffffffu >> is_signed;

	return n->umax <= most || (ver->runs && ver->runs->guessing);
}

static struct form operand(const struct verify *ver, const struct state *s, u32 insn, int is_src)
{
	const struct ext_insn *i = &ver->p->insn[insn];

	if (!is_src)
		return s->reg[ext_dst(i)].form;
	return i->code & EXT_X ? s->reg[ext_src(i)].form : form_const((u64)(s64)i->imm);
}

static int tie(struct verify *ver, struct state *s, u32 insn, int taken)
{
	const struct ext_insn *i = &ver->p->insn[insn];
	int is_signed;
	enum relation is = relation_of(EXT_OP(i->code), taken, &is_signed);
	struct form a = operand(ver, s, insn, 0), b = operand(ver, s, insn, 1);
	struct num na = state_num(ver, s, &a), nb = state_num(ver, s, &b);

	if (is == NOTHING || (!a.terms && !b.terms))
		return 1;
	if (!comparable(ver, &na, EXT_CLASS(i->code), is_signed) ||
	    !comparable(ver, &nb, EXT_CLASS(i->code), is_signed))
		return 1;
	/* of one symbol and a constant the num knows all, but for what a loop may suggest */
	if (is != UNEQUAL && ((a.terms < 2 && !b.terms) || (b.terms < 2 && !a.terms)))
		return 1;
	if (ver->runs && ver->runs->guessing) {
		/* as if nothing wrapped around */
		if (EXT_CLASS(i->code) == EXT_JMP32 && !(i->code & EXT_X))
			b.c = (u32)b.c;
		return learn(ver, s, is, &a, &b);
	}
	if (!state_exact(ver, s, &a)) {
		if (na.umax >> 62)
			return 1;
		state_rename(ver, s, &a);
		a = operand(ver, s, insn, 0);
		b = operand(ver, s, insn, 1);
	}
	if (!state_exact(ver, s, &b)) {
		if (nb.umax >> 62)
			return 1;
		state_rename(ver, s, &b);
		a = operand(ver, s, insn, 0);
		b = operand(ver, s, insn, 1);
	}
	/* as a comparison with 32 bits of a constant has it */
	if (EXT_CLASS(i->code) == EXT_JMP32 && !(i->code & EXT_X))
		b.c = (u32)b.c;
	if (!state_exact(ver, s, &a) || !state_exact(ver, s, &b))
		return 1;
	return learn(ver, s, is, &a, &b);
}

/* --- one way */
int verify_edge(struct verify *ver, struct state *s, u32 insn, int taken)
{
	const struct ext_insn *i = &ver->p->insn[insn];
	struct form a = operand(ver, s, insn, 0), b = operand(ver, s, insn, 1);
	int is_pointer = val_is_pointer(&s->reg[ext_dst(i)]);
	struct num na, nb;
	u32 reg;

	ver->changes = ver->changed_id = 0;
	if (is_null_test(ver, s, insn, &reg)) {
		int is_null = (EXT_OP(i->code) == EXT_JEQ) == (taken != 0);

		if (!s->reg[reg].may_null)
			return is_null;
		ver->changed_id = s->reg[reg].id;
		state_resolve(s, s->reg[reg].id, is_null);
		return 0;
	}
	na = state_num(ver, s, &a);
	nb = state_num(ver, s, &b);
	/* addresses are ordered as offsets are only where neither wraps around */
	if (is_pointer && (na.umax > POINTER_REACH || nb.umax > POINTER_REACH) &&
	    !(ver->runs && ver->runs->guessing))
		return 0;
	if (!num_branch(i->code, taken, &na, &nb))
		return 1;
	if (!state_refine(ver, s, &a, &na))
		return 1;
	if (i->code & EXT_X) {
		b = operand(ver, s, insn, 1);
		if (!state_refine(ver, s, &b, &nb))
			return 1;
	}
	return !tie(ver, s, insn, taken);
}

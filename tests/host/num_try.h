/* SPDX-License-Identifier: MIT
 * What the machine's arithmetic does, at a width of NUM_BITS: written from RFC 9669, not from ext/num*.c; and trying an
 * abstract operation on all members of small abstract numbers. */
#include "test.h"

#include <num_in.h>

static u64 mask_of(u32 w)
{
	return w == 64 ? ~0ul : (1ul << w) - 1;
}

static s64 signed_of(u64 x, u32 w)
{
	x &= mask_of(w);
	return w < 64 && (x >> (w - 1) & 1) ? (s64)x - (s64)(1ul << w) : (s64)x;
}

/* The low w bits of x and y: x op y. */
static u64 concrete_at(u32 op, int sign, u64 x, u64 y, u32 w)
{
	s64 sx = signed_of(x, w), sy = signed_of(y, w);

	x &= mask_of(w);
	y &= mask_of(w);
	switch (op) {
	case EXT_ADD:
		return x + y;
	case EXT_SUB:
		return x - y;
	case EXT_MUL:
		return x * y;
	case EXT_OR:
		return x | y;
	case EXT_AND:
		return x & y;
	case EXT_XOR:
		return x ^ y;
	case EXT_NEG:
		return 0 - x;
	case EXT_LSH:
		return x << y % w;
	case EXT_RSH:
		return x >> y % w;
	case EXT_ARSH:
		return (u64)(sx >> y % w);
	case EXT_DIV:
		if (!y)
			return 0;
		if (sign)
			return sy == -1 ? 0 - (u64)sx : (u64)(sx / sy);
		return x / y;
	case EXT_MOD:
		if (!y)
			return x;
		if (sign)
			return sy == -1 ? 0 : (u64)(sx % sy);
		return x % y;
	default:
		abort();
	}
}

static u64 reversed(u64 x, u32 w)
{
	u64 y = 0;

	for (u32 i = 0; i < w; i += NUM_BITS / 8)
		y = y << NUM_BITS / 8 | (x >> i & mask_of(NUM_BITS / 8));
	return y;
}

static u64 concrete(u8 code, s16 off, u64 x, u64 y)
{
	u32 op = EXT_OP(code), full = EXT_CLASS(code) == EXT_ALU64,
	    w = full ? NUM_BITS : NUM_BITS / 2;
	u64 r;

	if (op == EXT_MOV)
		r = off ? (u64)signed_of(y, (u32)off * NUM_BITS / 64) : y;
	else if (op == EXT_END) {
		u32 part = (u32)y * NUM_BITS / 64;

		return !full && !(code & EXT_X) ? x & mask_of(part) : reversed(x, part);
	} else
		r = concrete_at(op, off, x, y, w);
	return r & mask_of(w);
}

static int concrete_jump(u8 code, u64 x, u64 y)
{
	u32 w = EXT_CLASS(code) == EXT_JMP ? NUM_BITS : NUM_BITS / 2;
	s64 sx = signed_of(x, w), sy = signed_of(y, w);

	x &= mask_of(w);
	y &= mask_of(w);
	switch (EXT_OP(code)) {
	case EXT_JEQ:
		return x == y;
	case EXT_JNE:
		return x != y;
	case EXT_JGT:
		return x > y;
	case EXT_JGE:
		return x >= y;
	case EXT_JLT:
		return x < y;
	case EXT_JLE:
		return x <= y;
	case EXT_JSGT:
		return sx > sy;
	case EXT_JSGE:
		return sx >= sy;
	case EXT_JSLT:
		return sx < sy;
	case EXT_JSLE:
		return sx <= sy;
	case EXT_JSET:
		return (x & y) != 0;
	default:
		abort();
	}
}

struct form {
	u8 code;
	s16 off;
	u64 fixed; /* END's width */
};
static const u8 binary[] = {EXT_ADD, EXT_SUB, EXT_MUL, EXT_DIV, EXT_OR,	 EXT_AND, EXT_LSH,
			    EXT_RSH, EXT_NEG, EXT_MOD, EXT_XOR, EXT_MOV, EXT_ARSH};
static const u8 jumps[] = {EXT_JEQ,  EXT_JGT, EXT_JGE, EXT_JSET, EXT_JNE, EXT_JSGT,
			   EXT_JSGE, EXT_JLT, EXT_JLE, EXT_JSLT, EXT_JSLE};
static struct form forms[64];
static u32 nforms;

static void form_add(u8 code, s16 off, u64 fixed)
{
	forms[nforms++] = (struct form){code, off, fixed};
}

static void forms_list(void)
{
	nforms = 0;
	for (u32 i = 0; i < sizeof(binary); i++)
		for (u32 class = EXT_ALU; class <= EXT_ALU64; class += EXT_ALU64 - EXT_ALU) {
			u32 op = binary[i];

			form_add((u8)(op | class), 0, 0);
			if (op == EXT_DIV || op == EXT_MOD)
				form_add((u8)(op | class), 1, 0);
			for (s16 off = 8; op == EXT_MOV && off <= (class == EXT_ALU ? 16 : 32);
			     off *= 2)
				form_add((u8)(op | class), off, 0);
		}
	for (u64 w = 16; w <= 64; w *= 2) {
		form_add(EXT_END | EXT_ALU, 0, w);
		form_add(EXT_END | EXT_ALU | EXT_X, 0, w);
		form_add(EXT_END | EXT_ALU64, 0, w);
	}
}

/* What breaks the contract is told once for each form. */
static u64 told;

static void tell(const char *what, u32 code, s32 off, const struct num *a, const struct num *b,
		 u64 x, u64 y)
{
	char ta[200], tb[200];

	test_bad++;
	if (told++ > 20)
		return;
	num_print(a, ta, sizeof(ta));
	num_print(b, tb, sizeof(tb));
	printf("%s: code %#x off %d, a %s, b %s, x %#lx, y %#lx\n", what, code, off, ta, tb, x, y);
}

/* All forms, on nx and ny concrete members of a and b. */
static void try_alu(const struct num *a, const u64 *x, u32 nx, const struct num *b, const u64 *y,
		    u32 ny)
{
	for (u32 f = 0; f < nforms; f++) {
		struct num fixed = {0}, out;
		const struct form *form = &forms[f];

		if (form->fixed) {
			fixed.umin = fixed.umax = form->fixed;
			out = num_alu(form->code, form->off, a, &fixed);
		} else
			out = num_alu(form->code, form->off, a, b);
		for (u32 i = 0; i < nx; i++)
			for (u32 j = 0; j < (form->fixed ? 1 : ny); j++)
				if (!num_contains(&out, concrete(form->code, form->off, x[i],
								 form->fixed ? form->fixed : y[j])))
					tell("lost", form->code, form->off, a, b, x[i], y[j]);
	}
}

static void try_jumps(const struct num *a, const u64 *x, u32 nx, const struct num *b, const u64 *y,
		      u32 ny)
{
	for (u32 f = 0; f < sizeof(jumps) * 4; f++) {
		u8 code = (u8)(jumps[f / 4] | (f & 1 ? EXT_JMP32 : EXT_JMP));
		struct num na = *a, nb = *b;
		int taken = f >> 1 & 1, can = num_branch(code, taken, &na, &nb);

		if (!can && (!num_equal(&na, a) || !num_equal(&nb, b)))
			tell("changed", code, taken, a, b, 0, 0);
		if (!num_within(&na, a) || !num_within(&nb, b))
			tell("grew", code, taken, a, b, 0, 0);
		for (u32 i = 0; i < nx; i++)
			for (u32 j = 0; j < ny; j++)
				if (concrete_jump(code, x[i], y[j]) == taken &&
				    (!can || !num_contains(&na, x[i]) || !num_contains(&nb, y[j])))
					tell("lost", code, taken, a, b, x[i], y[j]);
	}
}

static void try_two(const struct num *a, const u64 *x, u32 nx, const struct num *b, const u64 *y,
		    u32 ny)
{
	const u64 thresholds[] = {3, 9, mask_of(NUM_BITS) - 5};
	struct num join = num_join(a, b), wide = num_widen(a, b, thresholds, 3), both;
	int meets = num_meet(a, b, &both);

	for (u32 i = 0; i < nx; i++) {
		if (!num_contains(&join, x[i]) || !num_contains(&wide, x[i]))
			tell("join lost x", 0, 0, a, b, x[i], 0);
		if (num_contains(b, x[i]) && (!meets || !num_contains(&both, x[i])))
			tell("meet lost x", 0, 0, a, b, x[i], 0);
		if (num_within(a, b) && !num_contains(b, x[i]))
			tell("within", 0, 0, a, b, x[i], 0);
	}
	for (u32 j = 0; j < ny; j++)
		if (!num_contains(&join, y[j]) || !num_contains(&wide, y[j]))
			tell("join lost y", 0, 0, a, b, 0, y[j]);
}

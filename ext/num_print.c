/* SPDX-License-Identifier: MIT
 * Abstract numbers as text. */
#include <num_in.h>

struct text {
	char *out;
	u64 size, at;
};

static void put(struct text *t, char c)
{
	if (t->at + 1 < t->size)
		t->out[t->at] = c;
	t->at++;
}

static void put_text(struct text *t, const char *s)
{
	while (*s)
		put(t, *s++);
}

static void put_number(struct text *t, u64 x, u32 base)
{
	char digit[20];
	u32 n = 0;

	do
		digit[n++] = "0123456789abcdef"[x % base];
	while (x /= base);
	while (n)
		put(t, digit[--n]);
}

static void put_signed(struct text *t, s64 x)
{
	if (x < 0)
		put(t, '-');
	put_number(t, x < 0 ? -(u64)x : (u64)x, 10);
}

static void put_unsigned(struct text *t, u64 x)
{
	/* Large ones are addresses and masks. */
	if (x >> 48)
		put_text(t, "0x");
	put_number(t, x, x >> 48 ? 16 : 10);
}

u64 num_print(const struct num *a, char *out, u64 size)
{
	struct text t = {out, size, 0};
	struct num whole;

	if (num_is_const(a)) {
		/* Small negative numbers are meant as such. */
		if (a->smin < 0 && a->smin >= -(s64)num_mask(NUM_HALF))
			put_signed(&t, a->smin);
		else
			put_unsigned(&t, a->umin);
	} else {
		struct num any = num_any();
		int full = a->umin == 0 && a->umax == any.umax;

		if (full && a->smin == any.smin && a->smax == any.smax) {
			put_text(&t, "any");
			whole = any;
		} else if (full || (a->umax - a->umin > (u64)a->smax - (u64)a->smin)) {
			put_signed(&t, a->smin);
			put_text(&t, "..");
			put_signed(&t, a->smax);
			whole = num_signed(a->smin, a->smax);
		} else {
			put_unsigned(&t, a->umin);
			put_text(&t, "..");
			put_unsigned(&t, a->umax);
			whole = num_unsigned(a->umin, a->umax);
		}
		if (a->unknown != whole.unknown) {
			put_text(&t, " bits 0x");
			put_number(&t, a->value | a->unknown, 16);
		}
		if (whole.u32min == 0 && whole.u32max == any.u32max && whole.s32min == any.s32min &&
		    (a->u32min != 0 || a->u32max != any.u32max || a->s32min != any.s32min ||
		     a->s32max != any.s32max)) {
			put_text(&t, " low ");
			if (a->s32min < 0) {
				put_signed(&t, a->s32min);
				put_text(&t, "..");
				put_signed(&t, a->s32max);
			} else {
				put_unsigned(&t, a->u32min);
				put_text(&t, "..");
				put_unsigned(&t, a->u32max);
			}
		}
	}
	if (size)
		out[t.at < size ? t.at : size - 1] = 0;
	return t.at;
}

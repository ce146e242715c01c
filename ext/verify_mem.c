/* SPDX-License-Identifier: MIT
 * Loads, stores and atomic operations. An access is inside if ranges say so, or if the facts prove that
 * 0 <= offset and offset + size <= length. */
#include <verify.h>

static int give_up(struct verify *ver, struct state *s, enum ext_why why, u32 insn, u32 reg,
		   const struct val *v, const char *text)
{
	verify_refuse(ver, why, insn, (s32)reg, "%s", text);
	verify_known(ver, s, (s32)reg, v);
	return ver->stop ? -1 : 1;
}

static void set_number(struct verify *ver, struct state *s, u32 reg, const struct num *n)
{
	struct form f = num_is_const(n) ? form_const(n->umin) : form_sym(state_fresh(ver, s, n));

	s->reg[reg] = val_scalar(&f);
}

/* --- inside? */
static void limit_of(const struct verify *ver, const struct val *v, struct form *limit)
{
	u64 bytes = v->bytes;

	if (v->type == VAL_STACK)
		bytes = EXT_FRAME_BYTES;
	else if (v->type == VAL_REGION)
		bytes = ver->p->region[v->which].bytes;
	else if (v->type == VAL_VALUE && !v->bytes)
		bytes = ver->p->region[v->which].value;
	*limit = v->type == VAL_MEMORY && v->len ? form_sym(v->len) : form_const(0);
	limit->c = bytes;
}

static int is_inside(struct verify *ver, const struct state *s, const struct form *offset,
		     const struct form *bytes, const struct form *limit)
{
	struct num o = state_num(ver, s, offset), b = state_num(ver, s, bytes);
	struct num l = state_num(ver, s, limit);
	struct form zero = form_const(0), f;

	if (o.umax <= l.umin && b.umax <= l.umin - o.umax)
		return 1;
	if (!state_exact(ver, s, bytes) || !state_exact(ver, s, limit))
		return 0;
	if (!fact_add(&zero, offset, -1, &f) || !state_proves(ver, s, &f))
		return 0;
	return fact_add(offset, bytes, 1, &f) && fact_add(&f, limit, -1, &f) &&
	       state_proves(ver, s, &f);
}

static void say_outside(struct verify *ver, struct state *s, u32 insn, u32 reg, const struct val *v,
			const struct form *bytes, const struct form *limit)
{
	struct num l = state_num(ver, s, limit), b = state_num(ver, s, bytes);
	char what[72];
	struct val at = *v;

	at.form = form_const(0);
	verify_print(ver, s, &at, what, sizeof(what));
	for (u32 i = 0; what[i]; i++)
		if (what[i] == ',')
			what[i] = 0;
	if (b.umax > EXT_MEMORY_MOST)
		verify_refuse(ver, EXT_WHY_BOUNDS, insn, (s32)reg,
			      "R%u: how many bytes, is not known to be bounded (%s)", (u64)reg,
			      what);
	else
		verify_refuse(ver, EXT_WHY_BOUNDS, insn, (s32)reg,
			      "R%u: %u bytes may lie outside: %s, %s%u bytes long", (u64)reg,
			      b.umax, what, l.umin == l.umax ? "" : "at least ", l.umin);
	verify_known(ver, s, (s32)reg, v);
	if (b.umax <= l.umin)
		verify_needed(ver, "an offset of 0..%u", l.umin - b.umax);
	else
		verify_needed(ver, "a test that offset and size are within its length");
}

int verify_inside(struct verify *ver, struct state *s, u32 insn, u32 reg, const struct val *v,
		  const struct form *bytes, int is_write)
{
	struct form limit;
	struct num low;

	if (!val_is_pointer(v) || v->type == VAL_MAP || v->type == VAL_OBJECT)
		return give_up(ver, s, EXT_WHY_TYPE, insn, reg, v, "a pointer is needed");
	if (v->may_null &&
	    give_up(ver, s, EXT_WHY_NULL, insn, reg, v, "the pointer may be null") < 0)
		return -1;
	if (is_write && v->readonly &&
	    give_up(ver, s, EXT_WHY_READONLY, insn, reg, v, "the memory is only to be read") < 0)
		return -1;
	if (is_write && v->type != VAL_STACK && ver->attach->class == EXT_PURE &&
	    give_up(ver, s, EXT_WHY_CLASS, insn, reg, v, "a pure program writes its stack alone") <
		    0)
		return -1;
	limit_of(ver, v, &limit);
	if (!is_inside(ver, s, &v->form, bytes, &limit)) {
		say_outside(ver, s, insn, reg, v, bytes, &limit);
		return ver->stop ? -1 : 0;
	}
	if (v->type == VAL_STACK) {
		u32 *used = &ver->frame_used[ver->frame_function[v->which]];

		low = state_num(ver, s, &v->form);
		if (low.umin < EXT_FRAME_BYTES && EXT_FRAME_BYTES - low.umin > *used)
			*used = (u32)(EXT_FRAME_BYTES - low.umin);
	}
	return 0;
}

/* --- the stack, byte by byte */
static u64 stack_end(const struct num *at, u64 bytes)
{
	if (at->umax > EXT_FRAME_BYTES || bytes > EXT_FRAME_BYTES)
		return EXT_FRAME_BYTES;
	return at->umax + bytes;
}

static int stack_read(struct verify *ver, struct state *s, u32 insn, u32 reg, const struct val *v,
		      u64 from, u64 to, int *all_zero)
{
	*all_zero = 1;
	for (u64 at = from; at < to && at < EXT_FRAME_BYTES; at++) {
		const struct slot *slot = state_slot(s, v->which * FRAME_KEYS + (u32)at / 4);
		u32 is = slot_byte(ver, s, slot, at % 4);

		if (is == BYTE_UNSET)
			return give_up(ver, s, EXT_WHY_UNSET, insn, reg, v,
				       "reads bytes of the stack that were not written");
		if (is == BYTE_POINTER)
			return give_up(ver, s, EXT_WHY_LEAK, insn, reg, v,
				       "reads a pointer on the stack as plain bytes");
		*all_zero &= is == BYTE_ZERO;
	}
	return 0;
}

/* is_sure: every byte is written, else any of them may be. */
static void stack_write(struct verify *ver, struct state *s, const struct val *v, u64 from, u64 to,
			u32 byte, int is_sure)
{
	for (u64 at = from; at < to && at < EXT_FRAME_BYTES; at++) {
		u32 key = v->which * FRAME_KEYS + (u32)at / 4, is, shift = 2 * (at % 4);
		struct slot *slot;

		state_slot_plain(ver, s, key);
		slot = state_slot_make(s, key);
		is = slot->bytes >> shift & 3;
		if (!is_sure && is == BYTE_UNSET)
			continue;
		slot->bytes &= (u8) ~(3u << shift);
		slot->bytes |= (u8)((is_sure || is == byte ? byte : BYTE_MISC) << shift);
	}
}

int verify_stack_range(struct verify *ver, struct state *s, u32 insn, u32 reg, const struct val *v,
		       u64 bytes, int is_write, int is_sure)
{
	struct num at = state_num(ver, s, &v->form);
	u64 end = stack_end(&at, bytes);
	int zero;

	if (!is_write)
		return stack_read(ver, s, insn, reg, v, at.umin, end, &zero);
	stack_write(ver, s, v, at.umin, end, BYTE_MISC, is_sure && num_is_const(&at));
	return 0;
}

/* --- loads */
static int load_stack(struct verify *ver, struct state *s, u32 insn, const struct val *v, u32 bytes,
		      int is_signed)
{
	const struct ext_insn *i = &ver->p->insn[insn];
	struct num at = state_num(ver, s, &v->form), n = num_bytes(bytes);
	const struct slot *slot = 0;
	u32 reg = ext_src(i), dst = ext_dst(i);
	int zero, error;

	if (num_is_const(&at) && at.umin < EXT_FRAME_BYTES && at.umin % 4 == 0)
		slot = state_slot(s, v->which * FRAME_KEYS + (u32)at.umin / 4);
	if (slot && bytes == 8 && slot->kind == SLOT_VAL8) {
		s->reg[dst] = slot->val;
		ver->out->fact[insn].flags |= EXT_FACT_BARRIER_LOAD;
		return 0;
	}
	if (slot && bytes == 4 && slot->val.type == VAL_SCALAR &&
	    (slot->kind == SLOT_VAL4 || slot->kind == SLOT_VAL8)) {
		n = state_num(ver, s, &slot->val.form);
		if (n.umax <= (is_signed ? 0x7fffffffu : 0xffffffffu)) {
			s->reg[dst] = slot->val;
			ver->out->fact[insn].flags |= EXT_FACT_BARRIER_LOAD;
			return 0;
		}
		n = num_bytes(4);
	}
	error = stack_read(ver, s, insn, reg, v, at.umin, stack_end(&at, bytes), &zero);
	if (error)
		return error;
	if (is_signed)
		n = num_signed(-(1l << (8 * bytes - 1)), (1l << (8 * bytes - 1)) - 1);
	if (zero)
		n = num_const(0);
	set_number(ver, s, dst, &n);
	return 0;
}

/* Read-only data is known if the place is. */
static int load_constant(struct verify *ver, const struct val *v, const struct num *at, u32 bytes,
			 u64 *out)
{
	const struct ext_region *r = &ver->p->region[v->which];

	if (v->type != VAL_REGION || r->kind != EXT_RODATA || !num_is_const(at) ||
	    at->umin >= r->bytes || bytes > r->bytes - at->umin)
		return 0;
	*out = 0;
	for (u32 k = 0; k < bytes; k++)
		if (at->umin + k < r->init_bytes)
			*out |= (u64)r->init[at->umin + k] << 8 * k;
	return 1;
}

static int place(struct verify *ver, struct state *s, u32 insn, u32 reg, s16 off, struct val *v)
{
	int error = verify_read(ver, s, insn, reg);

	if (error)
		return error;
	*v = s->reg[reg];
	v->form.c += (u64)(s64)off;
	if (v->type == VAL_SCALAR)
		return give_up(ver, s, EXT_WHY_TYPE, insn, reg, v,
			       "an access through a number that is no pointer");
	if (v->type == VAL_MAP)
		return give_up(ver, s, EXT_WHY_TYPE, insn, reg, v,
			       "an access to a map other than by its functions");
	return 0;
}

int verify_load(struct verify *ver, struct state *s, u32 insn)
{
	const struct ext_insn *i = &ver->p->insn[insn];
	u32 bytes = ext_bytes(i->code), reg = ext_src(i);
	int is_signed = EXT_MODE(i->code) == EXT_MEMSX, error;
	struct form size = form_const(bytes);
	struct num n, at;
	struct val v, out;
	u64 value;

	error = place(ver, s, insn, reg, i->off, &v);
	if (error)
		return error;
	if (v.type == VAL_OBJECT) {
		error = verify_object(ver, s, insn, reg, &v, bytes, ACCESS_READ, is_signed, &out);
		if (!error)
			s->reg[ext_dst(i)] = out;
		return error;
	}
	error = verify_inside(ver, s, insn, reg, &v, &size, 0);
	if (error)
		return error;
	if (v.type == VAL_STACK)
		return load_stack(ver, s, insn, &v, bytes, is_signed);
	at = state_num(ver, s, &v.form);
	n = num_bytes(bytes);
	if (load_constant(ver, &v, &at, bytes, &value))
		n = num_const(is_signed
				      ? (u64)((s64)(value << (64 - 8 * bytes)) >> (64 - 8 * bytes))
				      : value);
	else if (is_signed)
		n = num_signed(-(1l << (8 * bytes - 1)), (1l << (8 * bytes - 1)) - 1);
	set_number(ver, s, ext_dst(i), &n);
	return 0;
}

/* --- stores */
static int store_stack(struct verify *ver, struct state *s, u32 insn, const struct val *v,
		       u32 bytes, const struct val *value)
{
	const struct ext_insn *i = &ver->p->insn[insn];
	struct num at = state_num(ver, s, &v->form), n;
	u32 key = v->which * FRAME_KEYS + (u32)(at.umin & 511) / 4;
	int is_const = num_is_const(&at) && at.umin < EXT_FRAME_BYTES;
	struct slot *slot;
	struct val kept = *value;

	if (val_is_pointer(value)) {
		if (bytes < 8)
			return give_up(ver, s, EXT_WHY_LEAK, insn, ext_src(i), value,
				       "a part of a pointer is stored");
		if (!is_const || at.umin % 8)
			return give_up(ver, s, EXT_WHY_ALIGN, insn, ext_src(i), value,
				       "a pointer is stored at a place of the stack that is not "
				       "known or not a multiple of 8");
	}
	if (!is_const || at.umin % bytes || bytes < 4) {
		stack_write(ver, s, v, at.umin, stack_end(&at, bytes),
			    !value->form.terms && !value->form.c ? BYTE_ZERO : BYTE_MISC, is_const);
		return 0;
	}
	if (bytes == 4) {
		n = state_num(ver, s, &value->form);
		if (n.umax > 0xffffffffu) {
			struct num zero = num_const(0);

			n = num_alu(EXT_ALU | EXT_MOV | EXT_X, 0, &zero, &n);
			kept.form = form_sym(state_fresh(ver, s, &n));
			if (!value->form.terms)
				kept.form = form_const((u32)value->form.c);
		}
	}
	for (u32 k = 0; k < bytes / 4; k++) {
		state_slot_plain(ver, s, key + k);
		slot = state_slot_make(s, key + k);
		slot->bytes = 0;
		slot->kind = k ? SLOT_HALF : bytes == 8 ? SLOT_VAL8 : SLOT_VAL4;
		if (!k)
			slot->val = kept;
	}
	return 0;
}

static int atomic(struct verify *ver, struct state *s, u32 insn, const struct val *v, u32 bytes)
{
	const struct ext_insn *i = &ver->p->insn[insn];
	struct num at = state_num(ver, s, &v->form), n = num_bytes(bytes);
	u32 reg = ext_dst(i);
	int error = 0;

	if (v->type == VAL_MEMORY || v->type == VAL_OBJECT)
		return give_up(ver, s, EXT_WHY_TYPE, insn, reg, v,
			       "an atomic operation on memory that is not the program's own");
	if ((at.value | at.unknown) & (bytes - 1))
		return give_up(ver, s, EXT_WHY_ALIGN, insn, reg, v,
			       "an atomic operation that may not be aligned");
	if (i->imm == EXT_CMPXCHG) {
		error = verify_read(ver, s, insn, 0);
		if (!error && val_is_pointer(&s->reg[0]))
			return give_up(ver, s, EXT_WHY_LEAK, insn, 0, &s->reg[0],
				       "a pointer is compared with memory");
	}
	if (!error && v->type == VAL_STACK) {
		error = verify_stack_range(ver, s, insn, reg, v, bytes, 0, 0);
		if (!error)
			error = verify_stack_range(ver, s, insn, reg, v, bytes, 1, 1);
	}
	if (error)
		return error;
	if (i->imm == EXT_CMPXCHG)
		set_number(ver, s, 0, &n);
	else if (i->imm & EXT_FETCH)
		set_number(ver, s, ext_src(i), &n);
	return 0;
}

int verify_store(struct verify *ver, struct state *s, u32 insn)
{
	const struct ext_insn *i = &ver->p->insn[insn];
	u32 bytes = ext_bytes(i->code), reg = ext_dst(i);
	int is_reg = EXT_CLASS(i->code) == EXT_STX,
	    is_atomic = is_reg && EXT_MODE(i->code) == EXT_ATOMIC;
	struct form imm = form_const((u64)(s64)i->imm), size = form_const(bytes);
	struct val v, value = val_scalar(&imm), out;
	int error = is_reg ? verify_read(ver, s, insn, ext_src(i)) : 0;

	if (!error)
		error = place(ver, s, insn, reg, i->off, &v);
	if (error)
		return error;
	if (is_reg)
		value = s->reg[ext_src(i)];
	if (val_is_pointer(&value) && (v.type != VAL_STACK || is_atomic))
		return give_up(ver, s, EXT_WHY_LEAK, insn, ext_src(i), &value,
			       "a pointer is stored where it can be read as data");
	if (v.type == VAL_OBJECT && !is_atomic)
		return verify_object(ver, s, insn, reg, &v, bytes, ACCESS_WRITE, 0, &out);
	if (v.type != VAL_OBJECT)
		error = verify_inside(ver, s, insn, reg, &v, &size, 1);
	if (error)
		return error;
	if (v.type == VAL_STACK)
		ver->speculate[insn].tied |= SPECULATE_SLOT;
	if (is_atomic)
		return atomic(ver, s, insn, &v, bytes);
	return v.type == VAL_STACK ? store_stack(ver, s, insn, &v, bytes, &value) : 0;
}

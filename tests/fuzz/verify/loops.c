/* SPDX-License-Identifier: MIT
 * Loops: by counters up and down, tested at the head or the end, by pointers, by numbers that shrink. */
#include "pieces.h"

struct loop {
	u32 counter, base, limit, bytes, scale, head;
	s32 start, step;
	u64 end; /* the counter stays below it */
};

/* Whatever the body does, at its end registers are of the kinds that they were of at its begin. */
static void same_kinds(struct gen *g, const struct kinds *at)
{
	for (u32 r = 0; r < 10; r++) {
		if (at->kind[r] == K_NUM && g->k.kind[r] != K_NUM)
			emit(g, EXT_ALU64 | EXT_MOV, r, 0, 0, (s64)below(g->r, 5));
		g->k.kind[r] = at->kind[r];
	}
	for (u32 i = 0; i < SLOTS; i++)
		if (g->k.slot[i] != at->slot[i])
			g->k.slot[i] = K_UNSET;
	g->k.buffer &= at->buffer;
}

static void use_counter(struct gen *g, const struct loop *l)
{
	u32 t = scratch(g), p, kept = g->kept;

	move(g, t, l->counter);
	set_kind(g, t, K_NUM);
	g->kept |= 1u << t;
	if (l->scale)
		emit(g, EXT_ALU64 | EXT_LSH, t, 0, 0, l->scale);
	if (chance(g, 10))
		emit(g, EXT_ALU | EXT_MOV | EXT_X, t, t, 0, 0);
	p = t;
	if (chance(g, 50)) {
		p = scratch(g);
		move(g, p, l->base);
		emit(g, EXT_ALU64 | EXT_ADD | EXT_X, p, t, 0, 0);
	} else {
		emit(g, EXT_ALU64 | EXT_ADD | EXT_X, p, l->base, 0, 0);
	}
	set_kind(g, p, K_UNSET);
	g->kept |= 1u << p;
	piece_access(g, p, l->bytes, 0, g->k.writable[l->base] && chance(g, 40));
	g->kept = kept;
	set_kind(g, t, K_UNSET);
	set_kind(g, p, K_UNSET);
}

/* A second variable goes along. */
static u32 along(struct gen *g, const struct loop *l, s32 *step, u64 trips)
{
	u32 d = scratch(g);
	u64 room = l->limit - l->bytes;

	*step = 0;
	if (chance(g, 50)) { /* a pointer */
		move(g, d, l->base);
		*step = (s32)(room / (trips ? trips : 1));
		if (chance(g, 30))
			*step = (s32)(below(g->r, 5));
	} else {
		move_imm(g, d, 0);
		*step = (s32)(room / (trips ? trips : 1));
	}
	*step += slip(g);
	return d;
}

static void use_along(struct gen *g, const struct loop *l, u32 d, s32 step)
{
	u32 p;

	if (g->k.kind[d] == K_FIXED) {
		piece_access(g, d, l->bytes, 0, g->k.writable[l->base] && chance(g, 30));
	} else {
		p = scratch(g);
		move(g, p, l->base);
		emit(g, EXT_ALU64 | EXT_ADD | EXT_X, p, d, 0, 0);
		g->kept |= 1u << p;
		set_kind(g, p, K_UNSET);
		piece_access(g, p, l->bytes, 0, g->k.writable[l->base] && chance(g, 30));
		g->kept &= ~(1u << p);
		set_kind(g, p, K_UNSET);
	}
	emit(g, EXT_ALU64 | EXT_ADD, d, 0, 0, step);
}

static void body(struct gen *g, const struct loop *l, u32 d, s32 step)
{
	for (u32 n = 1 + below(g->r, 3); n-- > 0;)
		switch (below(g->r, 4)) {
		case 0:
		case 1:
			use_counter(g, l);
			break;
		default:
			pieces(g, 1);
		}
	if (d < 10)
		use_along(g, l, d, step);
}

/* What makes the number in c smaller, or its bits fewer; at times it does not. */
static void shrink(struct gen *g, u32 c, u32 t, u32 kind)
{
	u32 class = chance(g, 80) ? EXT_ALU64 : EXT_ALU;
	s32 by = 1 + (s32)(chance(g, 60) ? 0 : below(g->r, 7));

	if (chance(g, 6))
		by = 0;
	switch (kind) {
	case 0:
		move(g, t, c);
		emit(g, EXT_ALU64 | (chance(g, 85) ? EXT_SUB : EXT_ADD), t, 0, 0, 1);
		emit(g, class | (chance(g, 85) ? EXT_AND : EXT_XOR) | EXT_X, c, t, 0, 0);
		break;
	case 1:
		emit(g, class | EXT_DIV, c, 0, chance(g, 10), by + 1);
		break;
	case 2:
		emit(g, class | EXT_ARSH, c, 0, 0, by);
		break;
	case 3: /* by a number that is not known */
		if (chance(g, 70)) {
			emit(g, EXT_ALU64 | EXT_AND, t, 0, 0, 7);
			emit(g, EXT_ALU64 | EXT_OR, t, 0, 0, by != 0);
		}
		emit(g, class | EXT_RSH | EXT_X, c, t, 0, 0);
		break;
	default:
		emit(g, class | EXT_RSH, c, 0, 0, by);
	}
	if (chance(g, 4)) /* it grows again */
		emit(g, EXT_ALU64 | EXT_ADD, c, 0, 0, (s64)below(g->r, 3));
}

/* Halved, or bits taken away, until nothing (or little) is left. */
static void shrinking(struct gen *g)
{
	u32 c = scratch(g), from = number(g), out = 0, head, kept = g->kept, t;
	u32 kind = below(g->r, 8), class = chance(g, 80) ? EXT_JMP : EXT_JMP32;
	int is_head = chance(g, 60);
	s64 least = chance(g, 70) ? 0 : (s64)below(g->r, 6);
	struct kinds at;

	if (c != from)
		move(g, c, from);
	else
		move_imm(g, c, 77);
	set_kind(g, c, K_NUM);
	g->kept |= 1u << c;
	t = scratch(g);
	g->kept |= 1u << t;
	move_imm(g, t, (s32)below(g->r, 9));
	head = g->m->insns;
	at = g->k;
	if (is_head)
		out = emit(g,
			   class | (chance(g, 80)   ? (least ? EXT_JLE : EXT_JEQ)
				    : chance(g, 50) ? EXT_JSLE
						    : EXT_JLT),
			   c, 0, 0, least);
	pieces(g, 1 + below(g->r, 2));
	same_kinds(g, &at);
	shrink(g, c, t, kind);
	if (is_head) {
		jump_to(g, emit(g, EXT_JMP | EXT_JA, 0, 0, 0, 0), head);
		land(g, out);
	} else {
		jump_to(g,
			emit(g,
			     class | (chance(g, 70)   ? (least ? EXT_JGT : EXT_JNE)
				      : chance(g, 50) ? EXT_JSGT
						      : EXT_JGE),
			     c, 0, 0, least),
			head);
	}
	g->kept = kept;
}

/* The entry's memory, byte by byte. */
static int over_memory(struct gen *g)
{
	int mem = find_kind(g, K_MEMORY), size = find_kind(g, K_SIZE);
	u32 c, p, head, out, kept = g->kept;
	struct kinds at;

	if (mem < 6 || size < 6)
		return 0;
	g->kept |= 1u << mem | 1u << size;
	c = 6 + below(g->r, 4);
	if (g->kept >> c & 1)
		c = scratch(g);
	move_imm(g, c, (s32)below(g->r, 3));
	g->kept |= 1u << c;
	head = g->m->insns;
	at = g->k;
	out = emit(g,
		   EXT_JMP |
			   (chance(g, 85)   ? EXT_JGE
			    : chance(g, 50) ? EXT_JGT
					    : EXT_JSGE) |
			   EXT_X,
		   c, (u32)size, 0, 0);
	p = scratch(g);
	move(g, p, (u32)mem);
	emit(g, EXT_ALU64 | EXT_ADD | EXT_X, p, c, 0, 0);
	set_kind(g, p, K_UNSET);
	g->kept |= 1u << p;
	piece_access(g, p, 1, 0, g->k.writable[mem] && chance(g, 40));
	g->kept &= ~(1u << p);
	pieces(g, below(g->r, 3));
	same_kinds(g, &at);
	emit(g, EXT_ALU64 | EXT_ADD, c, 0, 0, 1);
	jump_to(g, emit(g, EXT_JMP | EXT_JA, 0, 0, 0, 0), head);
	land(g, out);
	g->kept = kept;
	return 1;
}

static void drop_low_pointers(struct gen *g)
{
	for (u32 r = 0; r < 6; r++)
		if (g->k.kind[r] != K_NUM && !(g->kept >> r & 1))
			set_kind(g, r, K_UNSET);
}

/* By a counter between constants (or to a number that is bounded): tests at the head or at the end, up or down. */
static void counted(struct gen *g)
{
	struct loop l = {.bytes = 1u << below(g->r, 4), .scale = below(g->r, 3)};
	u32 kept = g->kept, out = 0, d = 10, bound_reg = 10, early = 0, jumps[8], jumped = 0;
	u32 is_head = chance(g, 45), is_down, class = chance(g, 80) ? EXT_JMP : EXT_JMP32;
	s32 along_step = 0;
	u64 most, trips;
	struct kinds at, then;

	if (!pointer(g, &l.base, &l.limit, 0) || l.limit < l.bytes)
		return;
	g->kept |= 1u << l.base;
	l.step = chance(g, 60) ? 1 : 1 + (s32)below(g->r, 5);
	is_down = chance(g, 20);
	most = ((l.limit - l.bytes) >> l.scale) + 1; /* counters below this are inside */
	l.end = chance(g, 80) ? most : 1 + below(g->r, (u32)most);
	if (chance(g, 5))
		l.end = 1000000;
	l.start = chance(g, 70) ? 0 : (s32)below(g->r, (u32)(l.end < 50 ? l.end : 50));
	l.end += (u64)(s64)slip(g);
	trips = (l.end - (u64)l.start + (u64)l.step - 1) / (u64)l.step;
	then = g->k;
	l.counter = scratch(g);
	then.kind[l.counter] = K_UNSET;
	g->kept |= 1u << l.counter;
	if (chance(g, 30)) {
		u32 from = number(g);

		bound_reg = scratch(g);
		then = g->k;
		then.kind[l.counter] = then.kind[bound_reg] = K_UNSET;
		g->kept |= 1u << bound_reg;
		if (bound_reg == from)
			move_imm(g, bound_reg, (s32)l.end);
		else
			move(g, bound_reg, from);
		set_kind(g, bound_reg, K_NUM);
		jumped = bound(g, bound_reg, l.end, jumps);
		for (u32 r = 0; r < 10; r++)
			if (g->k.kind[r] != then.kind[r])
				then.kind[r] = K_UNSET;
		is_down = 0;
		is_head |= chance(g, 80);
	}
	if (chance(g, 40)) {
		d = along(g, &l, &along_step, trips);
		then.kind[d] = K_UNSET;
		g->kept |= 1u << d;
	}
	move_imm(g, l.counter, is_down ? (s32)l.end : l.start);
	drop_low_pointers(g);
	l.head = g->m->insns;
	at = g->k;
	if (is_down)
		emit(g, EXT_ALU64 | EXT_ADD, l.counter, 0, 0, -1);
	else if (is_head && bound_reg < 10)
		out = emit(g, class | (chance(g, 85) ? EXT_JGE : EXT_JSGE) | EXT_X, l.counter,
			   bound_reg, 0, 0);
	else if (is_head)
		out = emit(g,
			   class | (chance(g, 70)   ? EXT_JGE
				    : chance(g, 50) ? EXT_JSGE
						    : EXT_JEQ),
			   l.counter, 0, 0, (s64)l.end);
	body(g, &l, d, along_step);
	if (chance(g, 20))
		early = condition(g) + 1;
	same_kinds(g, &at);
	if (is_down) {
		jump_to(g,
			emit(g, EXT_JMP | (chance(g, 70) ? EXT_JNE : EXT_JSGT), l.counter, 0, 0, 0),
			l.head);
	} else {
		emit(g, (chance(g, 90) ? EXT_ALU64 : EXT_ALU) | EXT_ADD, l.counter, 0, 0, l.step);
		if (is_head)
			jump_to(g, emit(g, EXT_JMP | EXT_JA, 0, 0, 0, 0), l.head);
		else if (bound_reg < 10)
			jump_to(g,
				emit(g, class | (chance(g, 70) ? EXT_JLT : EXT_JNE) | EXT_X,
				     l.counter, bound_reg, 0, 0),
				l.head);
		else
			jump_to(g,
				emit(g,
				     class | (chance(g, 60)   ? EXT_JLT
					      : chance(g, 50) ? EXT_JNE
							      : EXT_JSLT),
				     l.counter, 0, 0, (s64)l.end),
				l.head);
	}
	if (is_head && !is_down)
		land(g, out);
	if (early)
		land(g, early - 1);
	for (u32 i = 0; i < jumped; i++)
		land(g, jumps[i]);
	g->kept = kept;
	if (jumped)
		merge(g, &then);
	if (early)
		for (u32 r = 0; r < 10; r++)
			if (g->k.kind[r] != K_NUM && r < 6)
				set_kind(g, r, K_UNSET);
}

/* A pointer goes from begin to end. */
static void walking(struct gen *g)
{
	u32 base, limit, p, e, bytes = 1u << below(g->r, 4), kept = g->kept, head, out = 0;
	int is_head = (int)chance(g, 40);
	struct kinds at;

	if (!pointer(g, &base, &limit, 0) || limit < bytes)
		return;
	g->kept |= 1u << base;
	p = scratch(g);
	g->kept |= 1u << p;
	e = scratch(g);
	g->kept |= 1u << e;
	move(g, p, base);
	move(g, e, base);
	emit(g, EXT_ALU64 | EXT_ADD, e, 0, 0, (s32)(limit / bytes * bytes) + slip(g));
	if (e < 10)
		g->k.limit[e] = 0;
	drop_low_pointers(g);
	set_kind(g, e, K_UNSET);
	head = g->m->insns;
	at = g->k;
	if (is_head)
		out = emit(g, EXT_JMP | (chance(g, 60) ? EXT_JGE : EXT_JEQ) | EXT_X, p, e, 0, 0);
	piece_access(g, p, bytes, 0, 0);
	pieces(g, below(g->r, 3));
	same_kinds(g, &at);
	emit(g, EXT_ALU64 | EXT_ADD, p, 0, 0, (s32)bytes + slip(g));
	if (is_head) {
		jump_to(g, emit(g, EXT_JMP | EXT_JA, 0, 0, 0, 0), head);
		land(g, out);
	} else {
		jump_to(g,
			emit(g, EXT_JMP | (chance(g, 60) ? EXT_JNE : EXT_JLT) | EXT_X, p, e, 0, 0),
			head);
	}
	set_kind(g, p, K_UNSET);
	g->kept = kept;
}

void piece_loop(struct gen *g)
{
	if (g->depth >= 2 || g->m->insns > INSNS - 120)
		return;
	g->depth++;
	g->level++;
	drop_low_pointers(g);
	switch (below(g->r, 8)) {
	case 0:
		shrinking(g);
		break;
	case 1:
	case 2:
		if (over_memory(g))
			break;
		counted(g);
		break;
	case 3:
		walking(g);
		break;
	default:
		counted(g);
	}
	g->level--;
	g->depth--;
}

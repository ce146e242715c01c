/* SPDX-License-Identifier: MIT
 * Whole programs: pieces in sequence, branches, loops of many shapes, functions of their own. */
#include "../../edges.h"
#include "pieces.h"

u64 draw(struct random *r)
{
	r->state += 0x9e3779b97f4a7c15ul;
	u64 z = r->state;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ul;
	z = (z ^ z >> 27) * 0x94d049bb133111ebul;
	return z ^ z >> 31;
}

u32 below(struct random *r, u32 n)
{
	return n ? (u32)(draw(r) >> 33) % n : 0;
}

u64 draw_number(struct random *r)
{
	if (below(r, 2))
		return edges[below(r, sizeof(edges) / 8)];
	return draw(r) >> below(r, 64);
}

void merge(struct gen *g, const struct kinds *other)
{
	for (u32 i = 0; i < 10; i++)
		if (g->k.kind[i] != other->kind[i] || g->k.limit[i] != other->limit[i] ||
		    g->k.writable[i] != other->writable[i])
			set_kind(g, i,
				 g->k.kind[i] == K_SIZE && other->kind[i] == K_NUM ? K_NUM
										   : K_UNSET);
	for (u32 i = 0; i < SLOTS; i++)
		if (g->k.slot[i] != other->slot[i] || g->k.slot_limit[i] != other->slot_limit[i])
			g->k.slot[i] = K_UNSET;
	g->k.buffer &= other->buffer;
}

u32 condition(struct gen *g)
{
	static const u8 op[] = {EXT_JEQ,  EXT_JGT, EXT_JGE, EXT_JSET, EXT_JNE, EXT_JSGT,
				EXT_JSGE, EXT_JLT, EXT_JLE, EXT_JSLT, EXT_JSLE};
	u32 class = chance(g, 65) ? EXT_JMP : EXT_JMP32, a = number(g), b = number(g);
	u32 code = class | op[below(g->r, sizeof(op))];

	if (chance(g, 45))
		return emit(g, code | EXT_X, a, b, 0, 0);
	return emit(g, code, a, 0, 0, (s64)draw_number(g->r));
}

static void piece_branch(struct gen *g)
{
	u32 jump = condition(g), over;
	struct kinds then = g->k, first;

	g->level++;
	pieces(g, 1 + below(g->r, 3));
	if (chance(g, 40)) {
		over = emit(g, EXT_JMP | EXT_JA, 0, 0, 0, 0);
		land(g, jump);
		first = g->k;
		g->k = then;
		pieces(g, 1 + below(g->r, 3));
		then = first;
		land(g, over);
	} else {
		land(g, jump);
	}
	merge(g, &then);
	g->level--;
}

void pieces(struct gen *g, u32 n)
{
	while (n-- > 0 && g->m->insns < INSNS - 60) {
		u32 what = below(g->r, 100);

		if (what < 8)
			piece_number(g);
		else if (what < 25)
			piece_alu(g);
		else if (what < 30)
			piece_relation(g);
		else if (what < 42)
			piece_index(g);
		else if (what < 44)
			piece_pointer(g);
		else if (what < 51)
			piece_memory(g);
		else if (what < 57)
			chance(g, 75) ? piece_stack(g) : piece_stack_index(g);
		else if (what < 63)
			piece_spill(g);
		else if (what < 70)
			piece_map(g);
		else if (what < 78)
			piece_call(g);
		else if (what < 80)
			piece_atomic(g);
		else if (what < 83)
			piece_object(g);
		else if (what < 84 && chance(g, 20))
			piece_junk(g);
		else if (what < 89 && g->level < 3)
			piece_branch(g);
		else if (what < 97 && g->level < 3)
			piece_loop(g);
		else
			piece_local(g);
	}
}

void finish(struct gen *g, const struct ext_attach *t, int is_entry)
{
	int from = find_kind(g, K_NUM);

	if (is_entry && t->ret_least > t->ret_most) {
		if (from > 0)
			move(g, 0, (u32)from);
		else if (from < 0)
			move_imm(g, 0, -2);
		if (chance(g, 60)) /* what is left of a division has the sign of what was divided */
			emit(g, EXT_ALU64 | EXT_MOD, 0, 0, 1, (s64)t->ret_most + 1 + slip(g));
		else
			emit(g, EXT_ALU64 | EXT_ARSH, 0, 0, 0, 62);
	} else if (is_entry && (t->ret_least != 0 || t->ret_most != ~0ul)) {
		if (from >= 0) {
			if (from)
				move(g, 0, (u32)from);
			emit(g, EXT_ALU64 | EXT_AND, 0, 0, 0, (s64)t->ret_most);
		} else {
			move_imm(g, 0, (s32)t->ret_least);
		}
	} else if (from > 0) {
		move(g, 0, (u32)from);
	} else if (from < 0) {
		move_imm(g, 0, 1);
	}
	/* what numbers there are shows */
	for (u32 r = 1; r < 10 && (!is_entry || (t->ret_least == 0 && t->ret_most == ~0ul)); r++) {
		if (g->k.kind[r] != K_NUM)
			continue;
		emit(g, EXT_ALU64 | EXT_MUL, 0, 0, 0, 31);
		emit(g, EXT_ALU64 | EXT_ADD | EXT_X, 0, r, 0, 0);
	}
	emit(g, EXT_JMP | EXT_EXIT, 0, 0, 0, 0);
}

static void entry(struct gen *g, const struct ext_attach *t)
{
	for (u32 i = 0; i < t->args; i++) {
		const struct ext_arg *a = &t->arg[i];
		u32 kind = a->kind == EXT_ARG_OBJECT ? K_OBJECT
			   : a->kind == EXT_ARG_MEM  ? K_MEMORY
						     : K_NUM;

		for (u32 n = 0; n < t->args; n++)
			if (t->arg[n].kind == EXT_ARG_MEM && t->arg[n].size_arg == i)
				kind = K_SIZE;
		g->k.writable[i + 1] = !(a->flags & EXT_ARG_CONST);
		if (kind == K_MEMORY && a->size_arg >= t->args) {
			kind = K_FIXED;
			g->k.limit[i + 1] = a->bytes;
		}
		if (a->flags & EXT_ARG_NULLABLE) {
			u32 over = emit(g, EXT_JMP | EXT_JNE, i + 1, 0, 0, 0);

			emit(g, EXT_ALU64 | EXT_MOV, 0, 0, 0, 0);
			emit(g, EXT_JMP | EXT_EXIT, 0, 0, 0, 0);
			land(g, over);
		}
		set_kind(g, i + 1, kind);
		move(g, 6 + i, i + 1);
		if (kind != K_NUM || chance(g, 50))
			set_kind(g, i + 1, K_UNSET);
	}
}

void generate(struct random *r, struct made *m)
{
	static struct gen gen;
	struct gen *g = &gen;
	const struct ext_attach *t;

	memset(g, 0, sizeof(*g));
	memset(m, 0, sizeof(*m));
	g->m = m;
	g->r = r;
	g->current = -1;
	m->attach = (u8)below(r, interface.attaches);
	m->small = (u8)(below(r, 3) == 0);
	m->seed = (u32)draw(r);
	t = attach_of(m);
	g->is_pure = t->class == EXT_PURE;
	/* a chain of functions, at times as deep as there are frames, or deeper by one */
	if (chance(g, 7))
		g->chain = chance(g, 50) ? 1 + below(r, LOCALS)
					 : EXT_FRAMES - 1 + (chance(g, 10) != 0);
	entry(g, t);
	if (g->chain) {
		pieces(g, 1 + below(r, 3));
		piece_local(g);
		pieces(g, 1 + below(r, 3));
	} else {
		pieces(g, 2 + below(r, 12));
	}
	finish(g, t, 1);
	locals_emit(g, t);
}

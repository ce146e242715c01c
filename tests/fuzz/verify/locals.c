/* SPDX-License-Identifier: MIT
 * Functions of the program's own: what they are given and give back, chains of them. */
#include "pieces.h"

static struct local *local_new(struct gen *g)
{
	struct local *l;

	if (g->locals == LOCALS)
		return 0;
	l = &g->local[g->locals++];
	memset(l, 0, sizeof(*l));
	l->returns = chance(g, 20) ? K_FIXED : K_NUM;
	return l;
}

/* One that may be called from here: not the caller, nor those before it (they would call each other), but at times. */
static struct local *choose(struct gen *g)
{
	u32 from = (u32)(g->current + 1), n = from + below(g->r, 3);

	if (g->current < (s32)LOCALS && chance(g, 2) && g->locals)
		return &g->local[below(g->r, g->locals)];
	if (g->chain > from)
		return from < g->locals ? &g->local[from] : local_new(g);
	return n < g->locals ? &g->local[n] : local_new(g);
}

/* What there is at the first call becomes what it is given. */
static void give_first(struct gen *g, struct local *l)
{
	for (u32 r = 1; r < 5; r++) {
		u32 from = below(g->r, 10);

		if (g->k.kind[from] == K_UNSET || g->k.kind[from] == K_LOCK || (from < r && from))
			continue;
		move(g, r, from);
		l->at.kind[r] = g->k.kind[r];
		l->at.limit[r] = g->k.limit[r];
		l->at.writable[r] = g->k.writable[r];
	}
}

/* The like of that at the others. */
static int give(struct gen *g, const struct local *l)
{
	for (u32 r = 1; r < 5; r++) {
		int from = find_kind(g, l->at.kind[r]);

		if (l->at.kind[r] == K_UNSET)
			continue;
		if (l->at.kind[r] == K_NUM) {
			if (from >= 6)
				move(g, r, (u32)from);
			else
				move_imm(g, r, (s32)draw_number(g->r));
		} else if (from >= 6 && g->k.limit[from] >= l->at.limit[r] &&
			   g->k.writable[from] >= l->at.writable[r]) {
			move(g, r, (u32)from);
		} else if (l->at.kind[r] == K_FIXED && l->at.limit[r] <= 64) {
			buffer_write(g);
			emit(g, EXT_ALU64 | EXT_MOV | EXT_X, r, FP, 0, 0);
			emit(g, EXT_ALU64 | EXT_ADD, r, 0, 0, -128);
		} else {
			return 0;
		}
	}
	return 1;
}

static void call_local(struct gen *g, struct local *l)
{
	l->call[l->calls++] = emit(g, EXT_JMP | EXT_CALL, 0, EXT_CALL_LOCAL, 0, 0);
	clobber(g);
}

void piece_local(struct gen *g)
{
	struct local *l;

	if (g->kept & 0x3f || g->level > 3)
		return;
	l = choose(g);
	if (!l || l->is_unlock || l->calls == 4)
		return;
	if (!l->calls)
		give_first(g, l);
	else if (!give(g, l))
		return;
	call_local(g, l);
	set_kind(g, 0, l->returns);
	g->k.limit[0] = DATA_BYTES;
	g->k.writable[0] = !g->is_pure;
	if (l->returns == K_FIXED && chance(g, 50)) {
		g->kept |= 1;
		piece_access(g, 0, 4, (s32)below(g->r, DATA_BYTES / 4) * 4,
			     chance(g, 70) && (!g->is_pure || chance(g, 20)));
		g->kept &= ~1u;
	}
}

int call_unlock(struct gen *g)
{
	struct local *l = 0;

	for (u32 n = (u32)(g->current + 1); n < g->locals; n++)
		if (g->local[n].is_unlock && g->local[n].calls < 4)
			l = &g->local[n];
	if (!l)
		l = local_new(g);
	if (!l)
		return 0;
	l->is_unlock = 1;
	call_local(g, l);
	return 1;
}

/* A pointer comes back: mostly to the data; at times to the frame that is gone then. */
static void finish_pointer(struct gen *g)
{
	if (chance(g, 10)) {
		emit(g, EXT_ALU64 | EXT_MOV | EXT_X, 0, FP, 0, 0);
		emit(g, EXT_ALU64 | EXT_ADD, 0, 0, 0, -256);
	} else {
		emit_wide(g, 0, EXT_LD_REGION, DATA);
	}
	emit(g, EXT_JMP | EXT_EXIT, 0, 0, 0, 0);
}

static void body(struct gen *g, const struct local *l, const struct ext_attach *t)
{
	g->k = l->at;
	g->kept = g->depth = g->held = 0;
	g->level = 1;
	pieces(g, 1 + below(g->r, g->chain ? 3 : 5));
	if (g->chain > (u32)g->current + 1) {
		piece_local(g);
		pieces(g, 1 + below(g->r, 2));
	}
	if (l->returns == K_FIXED)
		finish_pointer(g);
	else
		finish(g, t, 0);
}

void locals_emit(struct gen *g, const struct ext_attach *t)
{
	for (u32 n = 0; n < g->locals; n++) {
		struct local *l = &g->local[n];
		int has_room = g->m->insns < INSNS - 80;

		for (u32 i = 0; i < l->calls; i++)
			if (has_room)
				land(g, l->call[i]);
			else /* another call in its place */
				g->m->insn[l->call[i]] = (struct ext_insn){EXT_JMP | EXT_CALL, 0, 0,
									   (s32)import_of(F_NOW)};
		g->current = (s32)n;
		if (!has_room)
			continue;
		if (l->is_unlock) {
			call(g, F_UNLOCK);
			emit(g, EXT_ALU64 | EXT_MOV, 0, 0, 0, 1);
			emit(g, EXT_JMP | EXT_EXIT, 0, 0, 0, 0);
		} else {
			body(g, l, t);
		}
	}
}

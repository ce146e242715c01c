/* SPDX-License-Identifier: MIT
 * What handlers pay, and when. A checkpoint stands where control goes back in a loop and no reference is held: there a
 * handler may be stopped. Each pays beforehand for the longest way to the next, so that no way is begun that the budget
 * does not cover; between two, all of a program's stores are made. While a reference is held there is no checkpoint: that
 * is how a program makes a section that is never left half-way; its loops are paid for as a whole, with the number of
 * turns that was proved.
 *
 * A program whose longest run is within the budget is never stopped: it has no checkpoint, and pays all at its entry.
 *
 * Ways are longest paths over blocks, from each block's begin: `check` to the next checkpoint, `end` to the function's
 * end without one. Functions are taken callees first; what follows a function's end is the longest that follows any call
 * of it. A loop with ways back that have no checkpoint weighs turns * its longest such round, at its head. */
#include <refusal.h>
#include <verify.h>

#define COST_MOST 0x7fffffffffffffffull
#define NEVER (~0ull) /* no such way */

u64 cost_add(u64 a, u64 b)
{
	if (a == NEVER || b == NEVER)
		return NEVER;
	return a > COST_MOST - b ? COST_MOST : a + b;
}

u64 cost_mul(u64 a, u64 b)
{
	u64 out;

	return __builtin_mul_overflow(a, b, &out) || out > COST_MOST ? COST_MOST : out;
}

static u64 longer(u64 a, u64 b)
{
	if (a == NEVER || b == NEVER)
		return a == NEVER ? b : a;
	return a > b ? a : b;
}

/* Of the instruction itself: a call of an imported function costs what its contract says. */
u32 verify_cost(const struct verify *ver, u32 insn)
{
	const struct ext_insn *i = &ver->p->insn[insn];
	const struct ext_contract *k;

	if (i->code != (EXT_JMP | EXT_CALL) || ext_src(i) != EXT_CALL_IMPORT)
		return 1;
	k = ver->p->import[i->imm].contract;
	return k && k->cost ? k->cost : 1;
}

struct way {
	u64 check, end;
	u64 round; /* from here to a way back without checkpoint, in the loop that is looked at */
};
struct ways {
	struct verify *ver;
	struct way *block;
	u64 *weight; /* of a loop's head */
	u64 *after;  /* of a function: what follows its end */
};

static int is_back(const struct flow *f, u32 from, u32 to)
{
	return f->block[to].order <= f->block[from].order;
}

static int has_check(const struct ways *w, u32 block)
{
	return (w->ver->out->fact[w->ver->flow.block[block].last].flags & EXT_FACT_CHECKPOINT) != 0;
}

/* The block's own instructions, but for the last if a checkpoint is before it. */
static u64 own(const struct ways *w, u32 block)
{
	const struct flow_block *b = &w->ver->flow.block[block];
	u64 cost = 0;

	for (u32 n = b->first; n <= b->last; n++) {
		if (n == b->last && has_check(w, block))
			break;
		cost += verify_cost(w->ver, n);
		n += w->ver->p->insn[n].code == EXT_LDDW;
	}
	return cost;
}

/* What follows the block's last instruction: on ways forward, or (all) on every way. */
static struct way behind(const struct ways *w, u32 block, int all)
{
	const struct flow *f = &w->ver->flow;
	const struct flow_block *b = &f->block[block];
	struct way out = {NEVER, NEVER, NEVER};

	if (!b->succs)
		out.end = 0;
	for (u32 k = 0; k < b->succs; k++) {
		if (is_back(f, block, b->succ[k]) && !all)
			continue;
		out.check = longer(out.check, w->block[b->succ[k]].check);
		out.end = longer(out.end, w->block[b->succ[k]].end);
	}
	if (b->callee != FLOW_NONE) {
		const struct way *in = &w->block[f->function[b->callee].block[0]];

		out.check = longer(in->check, cost_add(in->end, out.check));
		out.end = cost_add(in->end, out.end);
	}
	return out;
}

/* The longest round of a loop that meets no checkpoint, from each of its blocks. */
static void rounds(struct ways *w, u32 loop)
{
	const struct flow *f = &w->ver->flow;
	const struct flow_loop *l = &f->loop[loop];

	for (u32 k = l->blocks; k-- > 0;) {
		u32 at = l->block[k];
		const struct flow_block *b = &f->block[at];
		struct way *way = &w->block[at];
		u64 best = NEVER, cost = own(w, at);

		for (u32 s = 0; s < b->succs; s++) {
			if (b->succ[s] == l->head)
				best = longer(best, 0);
			else if (!is_back(f, at, b->succ[s]) && flow_in_loop(f, b->succ[s], loop))
				best = longer(best, w->block[b->succ[s]].round);
		}
		if (b->callee != FLOW_NONE)
			best = cost_add(best, w->block[f->function[b->callee].block[0]].end);
		way->round = has_check(w, at) ? NEVER : cost_add(best, cost);
		if (b->loop != loop && b->loop != FLOW_NONE && f->loop[b->loop].head == at)
			way->round = cost_add(way->round, w->weight[b->loop]);
	}
}

static void of_block(struct ways *w, u32 at)
{
	const struct flow *f = &w->ver->flow;
	const struct flow_block *b = &f->block[at];
	struct way *way = &w->block[at], next = behind(w, at, 0);
	u64 cost = own(w, at);

	if (has_check(w, at)) {
		way->check = cost;
		way->end = NEVER;
	} else {
		way->check = cost_add(cost, next.check);
		way->end = cost_add(cost, next.end);
	}
	if (b->loop != FLOW_NONE && f->loop[b->loop].head == at) {
		way->check = cost_add(way->check, w->weight[b->loop]);
		way->end = cost_add(way->end, w->weight[b->loop]);
	}
}

static void of_function(struct ways *w, u32 function)
{
	const struct flow *f = &w->ver->flow;
	const struct flow_function *g = &f->function[function];

	/* inner loops' heads come later in the order */
	for (u32 k = g->blocks; k-- > 0;) {
		u32 at = g->block[k], loop = f->block[at].loop;

		if (loop == FLOW_NONE || f->loop[loop].head != at)
			continue;
		rounds(w, loop);
		w->weight[loop] = w->block[at].round == NEVER
					  ? 0
					  : cost_mul(w->block[at].round, f->loop[loop].trips);
	}
	for (u32 k = g->blocks; k-- > 0;)
		of_block(w, g->block[k]);
	/* from the middle of a loop by its way back: outer loops first */
	for (u32 k = 0; k < g->blocks; k++) {
		u32 at = g->block[k], loop = f->block[at].loop;
		struct way head = w->block[at];

		if (loop == FLOW_NONE || f->loop[loop].head != at)
			continue;
		rounds(w, loop);
		for (u32 n = 0; n < f->loop[loop].blocks; n++) {
			struct way *way = &w->block[f->loop[loop].block[n]];

			way->check = longer(way->check, cost_add(way->round, head.check));
			way->end = longer(way->end, cost_add(way->round, head.end));
		}
	}
}

/* What may follow the end of each function: callers come before callees. */
static void follow(struct ways *w)
{
	const struct flow *f = &w->ver->flow;

	w->after[0] = 0;
	for (u32 rank = EXT_FRAMES; rank-- > 0;)
		for (u32 b = 0; b < f->blocks; b++) {
			const struct flow_block *at = &f->block[b];
			const struct way *next;
			u64 end;

			if (at->callee == FLOW_NONE || f->function[at->function].rank != rank)
				continue;
			next = &w->block[at->succ[0]];
			end = cost_add(next->end, w->after[at->function]);
			w->after[at->callee] =
				longer(w->after[at->callee], longer(next->check, end));
		}
}

static void mark(struct verify *ver)
{
	const struct flow *f = &ver->flow;

	for (u32 b = 0; b < f->blocks; b++)
		if (ver->held[f->block[b].last] == 2)
			ver->out->fact[f->block[b].last].flags |= EXT_FACT_CHECKPOINT;
}

static int too_long(struct verify *ver, u32 insn, u64 cost)
{
	if (cost <= ver->attach->budget || !ver->attach->budget)
		return 0;
	verify_refuse(ver, EXT_WHY_LENGTH, insn, -1,
		      "up to %u instructions that cannot be stopped; %s has a budget of %u", cost,
		      ver->attach->name, (u64)ver->attach->budget);
	return EXT_WHY_LENGTH;
}

int verify_costs(struct verify *ver)
{
	const struct flow *f = &ver->flow;
	struct ways w = {.ver = ver};
	u64 cost;

	if (ver->out->worst <= ver->attach->budget) {
		ver->out->entry_cost = (u32)ver->out->worst;
		return EXT_OK;
	}
	w.block = ext_alloc(ver->arena, f->blocks * sizeof(w.block[0]));
	w.weight = ext_alloc(ver->arena, (f->loops + 1) * sizeof(u64));
	w.after = ext_alloc(ver->arena, ver->p->functions * sizeof(u64));
	if (!w.block || !w.weight || !w.after)
		return ext_refuse_memory(ver->why);
	mark(ver);
	for (u32 b = 0; b < f->blocks; b++)
		w.block[b] = (struct way){NEVER, NEVER, NEVER};
	for (u32 g = 0; g < ver->p->functions; g++)
		w.after[g] = NEVER;
	for (u32 rank = 0; rank < EXT_FRAMES; rank++)
		for (u32 g = 0; g < ver->p->functions; g++)
			if (f->function[g].rank == rank)
				of_function(&w, g);
	follow(&w);
	cost = longer(w.block[f->function[0].block[0]].check, w.block[f->function[0].block[0]].end);
	if (too_long(ver, 0, cost))
		return EXT_WHY_LENGTH;
	ver->out->entry_cost = cost > 0xffffffff ? 0xffffffff : (u32)cost;
	for (u32 b = 0; b < f->blocks; b++) {
		struct way next;

		if (!has_check(&w, b))
			continue;
		next = behind(&w, b, 1);
		cost = longer(next.check, cost_add(next.end, w.after[f->block[b].function]));
		cost = cost_add(cost, verify_cost(ver, f->block[b].last));
		if (too_long(ver, f->block[b].last, cost))
			return EXT_WHY_LENGTH;
		ver->out->fact[f->block[b].last].cost = cost > 0xffffffff ? 0xffffffff : (u32)cost;
	}
	return EXT_OK;
}

/* SPDX-License-Identifier: MIT
 * Blocks, their order, and loops. A loop has one entrance (its head, that every way into it passes); other cycles are
 * refused: no compiler of C makes them but from gotos, and nothing could be proved of them. */
#include <flow.h>
#include <refusal.h>

static int refuse(struct ext_refusal *why, u32 *insn, u32 n, const char *text)
{
	*insn = n;
	return ext_refuse(why, EXT_WHY_FLOW, 0, "%s", text);
}

static u32 width(const struct ext_program *p, u32 n)
{
	return p->insn[n].code == EXT_LDDW ? 2 : 1;
}

static int ends_block(const struct ext_insn *i)
{
	u32 class = EXT_CLASS(i->code);

	if (class != EXT_JMP && class != EXT_JMP32)
		return 0;
	return EXT_OP(i->code) != EXT_CALL || ext_src(i) == EXT_CALL_LOCAL;
}

static int is_branch(const struct ext_insn *i)
{
	return ends_block(i) && EXT_OP(i->code) != EXT_CALL && EXT_OP(i->code) != EXT_EXIT;
}

static u32 target(const struct ext_program *p, u32 n)
{
	const struct ext_insn *i = &p->insn[n];

	return (u32)((s64)n + 1 + (i->code == (EXT_JMP32 | EXT_JA) ? i->imm : i->off));
}

/* Marks where blocks begin in at[] (1), then numbers them. */
static int make_blocks(struct ext_arena *a, struct flow *f)
{
	const struct ext_program *p = f->p;
	u32 n, function = 0;

	f->at = ext_alloc(a, p->insns * sizeof(u32));
	if (!f->at)
		return EXT_WHY_MEMORY;
	for (n = 0; n < p->functions; n++)
		f->at[p->function[n].first] = 1;
	for (n = 0; n < p->insns; n += width(p, n)) {
		if (is_branch(&p->insn[n]))
			f->at[target(p, n)] = 1;
		if (ends_block(&p->insn[n]) && n + 1 < p->insns)
			f->at[n + 1] = 1;
	}
	for (n = 0; n < p->insns; n++)
		f->blocks += f->at[n];
	f->block = ext_alloc(a, f->blocks * sizeof(f->block[0]));
	if (!f->block)
		return EXT_WHY_MEMORY;
	f->blocks = 0;
	for (n = 0; n < p->insns; n += width(p, n)) {
		struct flow_block *b;

		if (f->at[n]) {
			while (n >= p->function[function].first + p->function[function].count)
				function++;
			b = &f->block[f->blocks++];
			b->first = n;
			b->function = function;
			b->loop = b->callee = b->order = b->idom = FLOW_NONE;
		}
		b = &f->block[f->blocks - 1];
		b->last = n;
		f->at[n] = f->blocks - 1;
		if (width(p, n) == 2)
			f->at[n + 1] = f->blocks - 1;
	}
	return EXT_OK;
}

static void make_edges(struct flow *f)
{
	const struct ext_program *p = f->p;

	for (u32 k = 0; k < f->blocks; k++) {
		struct flow_block *b = &f->block[k];
		const struct ext_insn *i = &p->insn[b->last];
		int is_jump = is_branch(i), falls = !is_jump || EXT_OP(i->code) != EXT_JA;

		if (i->code == (EXT_JMP | EXT_EXIT))
			continue;
		if (i->code == (EXT_JMP | EXT_CALL) && ext_src(i) == EXT_CALL_LOCAL)
			for (u32 g = 0; g < p->functions; g++)
				if (p->function[g].first == (u32)((s64)b->last + 1 + i->imm))
					b->callee = g;
		/* what follows exists: a function's last instruction does not fall through (flow_check) */
		if (falls)
			b->succ[b->succs++] = f->at[b->last + width(p, b->last)];
		if (is_jump)
			b->succ[b->succs++] = f->at[target(p, b->last)];
	}
}

/* Depth first without recursion: order becomes the reverse of the order in which blocks are left. */
static int make_order(struct ext_arena *a, struct flow *f, u32 function, struct ext_refusal *why,
		      u32 *insn)
{
	const struct ext_function *g = &f->p->function[function];
	struct flow_function *out = &f->function[function];
	u32 first = f->at[g->first], end = first, depth = 0, left;
	u32 *stack, *turn;

	while (end < f->blocks && f->block[end].function == function)
		end++;
	left = end - first;
	out->blocks = end - first;
	out->block = ext_alloc(a, out->blocks * sizeof(u32));
	stack = ext_alloc(a, out->blocks * sizeof(u32));
	turn = ext_alloc(a, out->blocks * sizeof(u32)); /* 1 + next successor; 0: not seen */
	if (!out->block || !stack || !turn)
		return ext_refuse_memory(why);
	stack[depth++] = first;
	turn[0] = 1;
	while (depth) {
		struct flow_block *b = &f->block[stack[depth - 1]];
		u32 *at = &turn[stack[depth - 1] - first];

		if (*at - 1 < b->succs) {
			u32 to = b->succ[(*at)++ - 1];

			if (!turn[to - first]) {
				turn[to - first] = 1;
				stack[depth++] = to;
			}
			continue;
		}
		out->block[--left] = stack[--depth];
	}
	if (left)
		for (u32 k = first; k < end; k++)
			if (!turn[k - first])
				return refuse(why, insn, f->block[k].first,
					      "nothing reaches this instruction");
	for (u32 k = 0; k < out->blocks; k++)
		f->block[out->block[k]].order = k;
	return EXT_OK;
}

static u32 common(const struct flow *f, u32 a, u32 b)
{
	while (a != b) {
		while (f->block[a].order > f->block[b].order)
			a = f->block[a].idom;
		while (f->block[b].order > f->block[a].order)
			b = f->block[b].idom;
	}
	return a;
}

/* Immediate dominators, by iteration in reverse postorder (Cooper, Harvey and Kennedy 2001), pushed along edges. */
static void make_dominators(struct flow *f, u32 function)
{
	struct flow_function *g = &f->function[function];
	int changed = 1;

	f->block[g->block[0]].idom = g->block[0];
	while (changed) {
		changed = 0;
		for (u32 k = 0; k < g->blocks; k++) {
			u32 from = g->block[k];
			struct flow_block *b = &f->block[from];

			for (u32 s = 0; s < b->succs; s++) {
				struct flow_block *to = &f->block[b->succ[s]];
				u32 idom = to->idom == FLOW_NONE ? from : common(f, to->idom, from);

				if (b->succ[s] != g->block[0] && idom != to->idom) {
					to->idom = idom;
					changed = 1;
				}
			}
		}
	}
}

static int dominates(const struct flow *f, u32 a, u32 b)
{
	while (f->block[b].order > f->block[a].order)
		b = f->block[b].idom;
	return a == b;
}

/* Every edge to a block that is not later in the order must go to one that dominates its source: a loop's head. */
static int find_heads(struct flow *f, u32 function, struct ext_refusal *why, u32 *insn)
{
	struct flow_function *g = &f->function[function];

	for (u32 k = 0; k < g->blocks; k++) {
		struct flow_block *b = &f->block[g->block[k]];

		for (u32 s = 0; s < b->succs; s++) {
			if (f->block[b->succ[s]].order > k)
				continue;
			if (!dominates(f, b->succ[s], g->block[k]))
				return refuse(why, insn, b->last,
					      "a jump into the middle of a loop");
			f->block[b->succ[s]].loop = 0; /* mark: a head */
		}
	}
	return EXT_OK;
}

static u32 outermost(const struct flow *f, u32 loop)
{
	while (f->loop[loop].parent != FLOW_NONE)
		loop = f->loop[loop].parent;
	return loop;
}

/* The loop's blocks, backwards from those that jump to its head; loops found before are inside as a whole. */
static void collect(struct flow *f, u32 function, u32 loop, const u32 *pred, const u32 *pred_at,
		    u32 *stack)
{
	u32 head = f->loop[loop].head, depth = 0, first = f->at[f->p->function[function].first];

	f->block[head].loop = loop;
	for (u32 k = pred_at[head - first]; k < pred_at[head - first + 1]; k++)
		if (dominates(f, head, pred[k]))
			stack[depth++] = pred[k];
	while (depth) {
		u32 b = stack[--depth], inner = f->block[b].loop;

		if (inner == FLOW_NONE) {
			f->block[b].loop = loop;
		} else {
			inner = outermost(f, inner);
			if (inner == loop)
				continue;
			f->loop[inner].parent = loop;
			b = f->loop[inner].head;
		}
		for (u32 k = pred_at[b - first]; k < pred_at[b - first + 1]; k++)
			if (b != head)
				stack[depth++] = pred[k];
	}
}

/* Predecessors of the function's blocks: pred[pred_at[n] .. pred_at[n + 1] - 1]. */
static int make_loops(struct ext_arena *a, struct flow *f, u32 function, struct ext_refusal *why)
{
	struct flow_function *g = &f->function[function];
	u32 first = f->at[f->p->function[function].first], edges = 0;
	u32 *pred_at = ext_alloc(a, (g->blocks + 2) * sizeof(u32)), *pred, *stack;

	for (u32 k = 0; k < g->blocks; k++)
		edges += f->block[first + k].succs;
	pred = ext_alloc(a, (edges + 1) * sizeof(u32));
	stack = ext_alloc(a, (2 * edges + 2) * sizeof(u32));
	if (!pred_at || !pred || !stack)
		return ext_refuse_memory(why);
	for (u32 k = 0; k < g->blocks; k++)
		for (u32 s = 0; s < f->block[first + k].succs; s++)
			pred_at[f->block[first + k].succ[s] - first + 2]++;
	for (u32 k = 2; k < g->blocks + 2; k++)
		pred_at[k] += pred_at[k - 1];
	for (u32 k = 0; k < g->blocks; k++)
		for (u32 s = 0; s < f->block[first + k].succs; s++)
			pred[pred_at[f->block[first + k].succ[s] - first + 1]++] = first + k;
	/* inner heads come later in the order: from the last to the first */
	for (u32 k = g->blocks; k-- > 0;) {
		u32 head = g->block[k];
		int is_head = 0;

		for (u32 e = pred_at[head - first]; e < pred_at[head - first + 1]; e++)
			is_head |= dominates(f, head, pred[e]);
		if (!is_head)
			continue;
		f->loop[f->loops].head = head;
		f->loop[f->loops].parent = FLOW_NONE;
		collect(f, function, f->loops++, pred, pred_at, stack);
	}
	return EXT_OK;
}

/* Block lists, depths, what is written. */
static int fill_loops(struct ext_arena *a, struct flow *f, struct ext_refusal *why, u32 *insn)
{
	for (u32 b = 0; b < f->blocks; b++)
		for (u32 l = f->block[b].loop; l != FLOW_NONE; l = f->loop[l].parent)
			f->loop[l].blocks++;
	for (u32 l = 0; l < f->loops; l++) {
		struct flow_loop *loop = &f->loop[l];

		for (u32 m = l; m != FLOW_NONE; m = f->loop[m].parent)
			loop->depth++;
		if (loop->depth > LOOP_DEPTH_MOST)
			return refuse(why, insn, f->block[loop->head].first,
				      "loops nested too deep");
		loop->block = ext_alloc(a, loop->blocks * sizeof(u32));
		if (!loop->block)
			return ext_refuse_memory(why);
		loop->blocks = 0;
	}
	for (u32 g = 0; g < f->p->functions; g++)
		for (u32 k = 0; k < f->function[g].blocks; k++) {
			u32 b = f->function[g].block[k];

			for (u32 l = f->block[b].loop; l != FLOW_NONE; l = f->loop[l].parent)
				f->loop[l].block[f->loop[l].blocks++] = b;
		}
	return EXT_OK;
}

/* A shift down, a division or an `and`. */
static int may_shrink(const struct ext_insn *i)
{
	u32 class = EXT_CLASS(i->code), op = EXT_OP(i->code);

	return (class == EXT_ALU || class == EXT_ALU64) &&
	       (op == EXT_RSH || op == EXT_ARSH || op == EXT_AND || op == EXT_DIV || op == EXT_MOD);
}

static void fill_written(struct flow *f)
{
	for (u32 b = 0; b < f->blocks; b++)
		for (u32 n = f->block[b].first; n <= f->block[b].last; n += width(f->p, n)) {
			u32 reads, writes;

			flow_regs(f, n, &reads, &writes);
			for (u32 l = f->block[b].loop; l != FLOW_NONE; l = f->loop[l].parent) {
				f->loop[l].written |= (u16)writes;
				f->loop[l].shrinks |= (u16)may_shrink(&f->p->insn[n]);
			}
		}
}

/* A function's rank is above its callees'; with recursion there is no such ranking. */
static int make_ranks(struct flow *f, struct ext_refusal *why, u32 *insn)
{
	int changed = 1;

	for (u32 turn = 0; changed; turn++) {
		changed = 0;
		for (u32 b = 0; b < f->blocks; b++) {
			struct flow_block *block = &f->block[b];
			u32 *rank = &f->function[block->function].rank;

			if (block->callee == FLOW_NONE || *rank > f->function[block->callee].rank)
				continue;
			*rank = f->function[block->callee].rank + 1;
			changed = 1;
			if (*rank < EXT_FRAMES)
				continue;
			*insn = block->last;
			return ext_refuse(why, EXT_WHY_STACK, 0,
					  "recursion, or calls nested deeper than %u frames",
					  (u64)EXT_FRAMES);
		}
	}
	return EXT_OK;
}

int flow_make(struct ext_arena *a, const struct ext_program *p, struct flow *f,
	      struct ext_refusal *why, u32 *insn)
{
	u32 heads = 0;
	int error;

	*f = (struct flow){.p = p};
	error = make_blocks(a, f);
	f->function = ext_alloc(a, p->functions * sizeof(f->function[0]));
	if (error || !f->function)
		return ext_refuse_memory(why);
	make_edges(f);
	for (u32 g = 0; g < p->functions; g++) {
		error = make_order(a, f, g, why, insn);
		if (error)
			return error;
		make_dominators(f, g);
		error = find_heads(f, g, why, insn);
		if (error)
			return error;
	}
	for (u32 b = 0; b < f->blocks; b++)
		heads += f->block[b].loop == 0;
	f->loop = ext_alloc(a, (heads + 1) * sizeof(f->loop[0]));
	if (!f->loop)
		return ext_refuse_memory(why);
	for (u32 b = 0; b < f->blocks; b++)
		f->block[b].loop = FLOW_NONE;
	for (u32 g = 0; g < p->functions; g++) {
		error = make_loops(a, f, g, why);
		if (error)
			return error;
	}
	error = fill_loops(a, f, why, insn);
	if (error)
		return error;
	error = make_ranks(f, why, insn);
	if (error)
		return error;
	flow_live(f);
	fill_written(f);
	return EXT_OK;
}

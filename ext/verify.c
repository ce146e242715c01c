/* SPDX-License-Identifier: MIT
 * The verifier: abstract interpretation over the control-flow graph. Blocks are walked in an order in which all ways
 * into a block are known before it is walked (but for loops: verify_loop.c); functions are walked at each of their calls
 * from the caller's state. So the work is linear in the code, times the calls, the shapes kept apart (SHAPES_MOST) and
 * the rounds of the loops; `steps` and the arena bound it in any case. */
#include "mem.h"
#include <refusal.h>
#include <verify.h>

/* --- emitting: the state reaches a block */
static int is_head_of_run(const struct verify *ver, u32 block)
{
	return ver->run && ver->flow.loop[ver->run->loop].head == block;
}

static struct state **exit_of(struct verify *ver, struct loop_run *run, u32 block)
{
	struct exit_list *x;

	for (x = run->exits; x; x = x->next)
		if (x->block == block)
			return &x->states;
	x = ext_alloc(ver->arena, sizeof(*x));
	if (!x) {
		ver->stop = ver->failed = 1;
		ext_refuse_memory(ver->why);
		return 0;
	}
	x->block = block;
	x->next = run->exits;
	run->exits = x;
	return &x->states;
}

int verify_emit(struct verify *ver, const struct state *s, u32 from, u32 to)
{
	struct state **list = &ver->pending[to];

	if (is_head_of_run(ver, to))
		list = &ver->run->back;
	else if (ver->run && !flow_in_loop(&ver->flow, to, ver->run->loop))
		list = exit_of(ver, ver->run, to);
	if (!list)
		return -1;
	return state_merge(ver, list, s, ver->flow.block[to].live, ver->flow.block[from].last);
}

/* --- calls within the program */
static void enter_frame(struct verify *ver, struct state *s, u32 callee)
{
	u32 frame = s->depth;

	for (u32 r = 6; r < 10; r++) {
		struct slot *slot = state_slot_make(s, frame * FRAME_KEYS + KEY_SAVED + r - 6);

		slot->kind = SLOT_VAL8;
		slot->val = s->reg[r];
		s->reg[r] = val_unset();
	}
	s->reg[0] = val_unset();
	s->depth++;
	ver->frame_function[s->depth] = callee;
	s->reg[10] =
		(struct val){.type = VAL_STACK, .which = s->depth, .form = {.c = EXT_FRAME_BYTES}};
	if (s->depth + 1 > ver->out->depth)
		ver->out->depth = s->depth + 1;
}

static void leave_frame(struct state *s)
{
	state_drop_frame(s, s->depth);
	s->depth--;
	for (u32 r = 1; r < 6; r++)
		s->reg[r] = val_unset();
	for (u32 r = 6; r < 10; r++) {
		struct slot *slot = state_slot(s, s->depth * FRAME_KEYS + KEY_SAVED + r - 6);

		s->reg[r] = slot && val_is_set(&slot->val) ? slot->val : val_unset();
		state_slot_drop(s, s->depth * FRAME_KEYS + KEY_SAVED + r - 6);
	}
	s->reg[10] =
		(struct val){.type = VAL_STACK, .which = s->depth, .form = {.c = EXT_FRAME_BYTES}};
}

static int call_local(struct verify *ver, struct state *s, u32 block)
{
	const struct flow_block *b = &ver->flow.block[block];
	struct flow_function *g = &ver->flow.function[b->callee];
	struct loop_run *run = ver->run;
	struct state *returned = ver->returned, *st;
	int error;

	enter_frame(ver, s, b->callee);
	ver->run = 0;
	ver->returned = 0;
	error = state_merge(ver, &ver->pending[g->block[0]], s,
			    ver->flow.block[g->block[0]].live | 1u << 10, b->last);
	if (!error)
		error = verify_scope(ver, g->block, g->blocks, FLOW_NONE);
	st = ver->returned;
	ver->run = run;
	ver->returned = returned;
	for (struct state *next; st && !error; st = next) {
		next = st->next;
		state_copy(ver->w, st);
		state_free(ver, st);
		leave_frame(ver->w);
		error = verify_emit(ver, ver->w, block, b->succ[0]);
	}
	return error;
}

/* --- the end of the program, or of a function within */
static int returns_nothing(const struct verify *ver)
{
	const struct ext_btf *btf = ver->iface ? ver->iface->btf : 0;
	u32 proto = ver->attach->proto;

	return btf && proto && proto < btf->types && btf->type[proto].kind == EXT_BTF_FUNC_PROTO &&
	       !btf->type[proto].type;
}

static int exit_program(struct verify *ver, struct state *s, u32 insn)
{
	const struct ext_attach *attach = ver->attach;
	struct num n;
	int is_signed = attach->ret_least > attach->ret_most;

	if (s->refs)
		return verify_refuse(ver, EXT_WHY_REFERENCE, insn, -1,
				     "a reference is still held at the end of the program");
	if (s->cost > ver->out->worst)
		ver->out->worst = s->cost;
	if (returns_nothing(ver) && !val_is_set(&s->reg[0]))
		return 0;
	int error = verify_read(ver, s, insn, 0);
	if (error)
		return error < 0 ? -1 : 0;
	if (val_is_pointer(&s->reg[0]))
		return verify_refuse(ver, EXT_WHY_LEAK, insn, 0, "a pointer is returned");
	if (returns_nothing(ver))
		return 0;
	n = state_num(ver, s, &s->reg[0].form);
	if (is_signed ? n.smin >= (s64)attach->ret_least && n.smax <= (s64)attach->ret_most
		      : n.umin >= attach->ret_least && n.umax <= attach->ret_most)
		return 0;
	error = verify_refuse(ver, EXT_WHY_BOUNDS, insn, 0, "returns what %s does not allow",
			      attach->name);
	verify_known(ver, s, 0, &s->reg[0]);
	verify_needed(ver, "%d..%d", attach->ret_least, attach->ret_most);
	return error;
}

static int exit_function(struct verify *ver, struct state *s, u32 insn)
{
	if (!s->depth)
		return exit_program(ver, s, insn);
	return state_merge(ver, &ver->returned, s, 1, insn);
}

/* --- walking */
static int step(struct verify *ver, struct state *s, u32 n)
{
	const struct ext_insn *i = &ver->p->insn[n];

	switch (EXT_CLASS(i->code)) {
	case EXT_ALU:
	case EXT_ALU64:
		return verify_alu(ver, s, n);
	case EXT_LD:
		return verify_lddw(ver, s, n);
	case EXT_LDX:
		return verify_load(ver, s, n);
	case EXT_ST:
	case EXT_STX:
		return verify_store(ver, s, n);
	default:
		return verify_import(ver, s, n);
	}
}

static int goes_back(const struct verify *ver, u32 block)
{
	const struct flow_block *b = &ver->flow.block[block];

	for (u32 k = 0; k < b->succs; k++)
		if (ver->flow.block[b->succ[k]].order <= b->order)
			return 1;
	return 0;
}

static int before(struct verify *ver, struct state *s, u32 n)
{
	if (ver->out->steps == ver->steps_most) {
		ver->stop = ver->failed = 1;
		ext_refuse(ver->why, EXT_WHY_STEPS, 0, "verification takes more than %u steps",
			   ver->steps_most);
		return -1;
	}
	ver->out->steps++;
	ver->out->fact[n].flags |= EXT_FACT_LIVE;
	if (ver->p->insn[n].code == EXT_LDDW)
		ver->out->fact[n + 1].flags |= EXT_FACT_LIVE;
	s->cost = cost_add(s->cost, verify_cost(ver, n));
	if (ver->out->watched)
		verify_watch(ver, s, n);
	return 0;
}

/* The two ways of a conditional jump. */
static int walk_branch(struct verify *ver, u32 block)
{
	const struct flow_block *b = &ver->flow.block[block];
	int error = verify_branch(ver, ver->w, b->last);

	if (error)
		return error < 0 ? -1 : 0;
	state_copy(ver->w2, ver->w);
	for (u32 way = 2; way-- > 0;) {
		struct state *s = way ? ver->w2 : ver->w;

		error = verify_edge(ver, s, b->last, (int)way);
		if (error < 0)
			return -1;
		if (error) {
			verify_not_gone(ver, b->last, way);
			continue;
		}
		verify_told(ver, s, b->last, way);
		if (verify_emit(ver, s, block, b->succ[way]))
			return -1;
	}
	return 0;
}

static int walk(struct verify *ver, u32 block)
{
	const struct flow_block *b = &ver->flow.block[block];
	struct state *s = ver->w;

	for (u32 n = b->first; n <= b->last; n++) {
		const struct ext_insn *i = &ver->p->insn[n];
		int error;

		if (before(ver, s, n))
			return -1;
		if (n == b->last && goes_back(ver, block))
			ver->held[n] |= s->refs ? 1 : 2;
		if (i->code == (EXT_JMP | EXT_EXIT))
			return exit_function(ver, s, n);
		if (n == b->last && b->callee != FLOW_NONE)
			return call_local(ver, s, block);
		if (i->code == (EXT_JMP | EXT_JA) || i->code == (EXT_JMP32 | EXT_JA))
			break;
		if (n == b->last && b->succs == 2)
			return walk_branch(ver, block);
		error = step(ver, s, n);
		if (error)
			return error < 0 ? -1 : 0;
		n += i->code == EXT_LDDW;
	}
	return verify_emit(ver, s, block, b->succ[0]);
}

/* The blocks of a loop's body (loop itself) or a function's (FLOW_NONE), from what is pending. */
int verify_scope(struct verify *ver, const u32 *block, u32 blocks, u32 loop)
{
	for (u32 k = 0; k < blocks; k++) {
		u32 b = block[k], inner = ver->flow.block[b].loop;
		struct state *list = ver->pending[b], *next;
		int is_inner =
			inner != loop && inner != FLOW_NONE && ver->flow.loop[inner].head == b;

		ver->pending[b] = 0;
		for (; list; list = next) {
			int error;

			next = list->next;
			if (is_inner) {
				error = verify_loop(ver, inner, list);
			} else {
				state_copy(ver->w, list);
				state_free(ver, list);
				error = walk(ver, b);
			}
			if (error || ver->stop)
				return -1;
		}
	}
	return 0;
}

/* --- the whole */
static u32 power(u64 n)
{
	u32 p = 8;

	while (p < n)
		p *= 2;
	return p;
}

static int finish(struct verify *ver)
{
	const struct ext_attach *attach = ver->attach;
	struct ext_verdict *out = ver->out;

	for (u32 f = 0; f < ver->p->functions; f++)
		if (ver->frame_used[f] > out->stack)
			out->stack = ver->frame_used[f];
	out->stack = out->depth > 1 ? out->depth * EXT_FRAME_BYTES
				    : (out->stack ? power(out->stack) : 0);
	if (attach->class == EXT_PURE && attach->worst_most && out->worst > attach->worst_most) {
		ext_refuse(ver->why, EXT_WHY_LENGTH, 0, "may take %u instructions; %s allows %u",
			   out->worst, attach->name, (u64)attach->worst_most);
		return EXT_WHY_LENGTH;
	}
	if (attach->class == EXT_HANDLER) {
		int error = verify_costs(ver); /* sets what it refuses in why */

		if (error)
			return error;
	}
	return verify_speculation(ver);
}

static int prepare(struct verify *ver)
{
	const struct ext_program *p = ver->p;
	u32 insn = 0;
	int error = flow_check(p, ver->why, &insn);

	if (!error)
		error = flow_make(ver->arena, p, &ver->flow, ver->why, &insn);
	if (error) {
		char text[sizeof(ver->why->text)];

		if (error == EXT_WHY_MEMORY)
			return error;
		memcpy(text, ver->why->text, sizeof(text));
		verify_refuse(ver, (enum ext_why)error, insn, -1, "%s", text);
		return error;
	}
	ver->pending = ext_alloc(ver->arena, ver->flow.blocks * sizeof(ver->pending[0]));
	ver->held = ext_alloc(ver->arena, p->insns);
	ver->speculate = ext_alloc(ver->arena, p->insns * sizeof(ver->speculate[0]));
	ver->frame_used = ext_alloc(ver->arena, p->functions * sizeof(u32));
	ver->out->fact = ext_alloc(ver->arena, p->insns * sizeof(ver->out->fact[0]));
	ver->loop = ext_alloc(ver->arena, (ver->flow.loops + 1) * sizeof(ver->loop[0]));
	ver->w = state_new(ver);
	ver->w2 = state_new(ver);
	ver->join = state_new(ver);
	ver->scratch = state_new(ver);
	if (!ver->pending || !ver->loop || !ver->held || !ver->speculate || !ver->frame_used ||
	    !ver->out->fact || !ver->w || !ver->w2 || !ver->join || !ver->scratch)
		return ext_refuse_memory(ver->why);
	return EXT_OK;
}

static int watch_room(struct verify *ver)
{
	struct ext_states *s = ext_alloc(ver->arena, sizeof(*s));

	if (!s)
		return ext_refuse_memory(ver->why);
	s->insns = ver->p->insns;
	s->at = ext_alloc(ver->arena, ver->p->insns * sizeof(s->at[0]));
	if (!s->at)
		return ext_refuse_memory(ver->why);
	ver->out->watched = s;
	return EXT_OK;
}

static int run(struct verify *ver)
{
	struct flow_function *g = &ver->flow.function[0];
	u32 live = ver->flow.block[g->block[0]].live;

	if (verify_entry(ver, ver->w))
		return -1;
	/* the entry's arguments are its alone to name: what is not given is unset */
	if (state_merge(ver, &ver->pending[g->block[0]], ver->w, live | 1u << 10, 0))
		return -1;
	return verify_scope(ver, g->block, g->blocks, FLOW_NONE);
}

int ext_verify(struct ext_arena *a, const struct ext_program *p, const struct ext_interface *iface,
	       const struct ext_attach *attach, u64 steps, u32 flags, struct ext_verdict *out,
	       struct ext_refusal *why)
{
	struct ext_verdict verdict = {0};
	struct verify *ver = ext_alloc(a, sizeof(*ver));
	u64 used = a->used;
	int error;

	ext_refusal_clear(why);
	if (!ver)
		return ext_refuse_memory(why);
	ver->arena = a;
	ver->p = p;
	ver->iface = iface;
	ver->attach = attach;
	ver->out = &verdict;
	ver->why = why;
	ver->steps_most = steps;
	ver->next_sym = BASES_MOST + 1;
	ver->next_id = 1;
	error = prepare(ver);
	if (!error && flags & EXT_VERIFY_WATCH)
		error = watch_room(ver);
	if (error)
		return error;
	if (run(ver) || ver->failed)
		return why->why ? (int)why->why : EXT_WHY_MEMORY;
	error = finish(ver);
	if (error)
		return error;
	verdict.memory = a->used - used;
	*out = verdict;
	return EXT_OK;
}

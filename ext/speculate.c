/* SPDX-License-Identifier: MIT
 * Where speculation must stop. The CPU may run on behind a conditional jump that it guessed wrong; what the verifier proved
 * of that way is not so then. docs/61 has the argument; in short:
 *
 * 1. While states are walked it is noted of each way of a jump which registers it told something of (what was told may be
 *    a bound that an access relies on), of each jump which registers its operands are tied to, by symbols and facts. What
 *    a round says that is not accepted is forgotten.
 * 2. Afterwards: the registers whose value may get into an address or a call, or into a comparison that is tied to such a
 *    one (reach, a least fixpoint). A way that told something of those gets a barrier.
 * 3. A barrier within a loop moves to the loop's ways out if meanwhile nothing can be transmitted: no value that was loaded
 *    since gets into an address, a condition, a division, a call; no memory was written before a checkpoint, a
 *    call or the end. Every load counts as of a secret, every store as one to anywhere.
 * 4. A load of a spilled value keeps its barrier only if the slot may have been stored to since the last one: behind an
 *    LFENCE, what was stored before it is found.
 * A way that was never gone in some state (nothing is known of what lies there), or that decided whether a pointer is null,
 * keeps its barrier where it is. */
#include <refusal.h>
#include <verify.h>

#define SYMS_NOTED CHANGED_MOST
#define WAYS 2u
#define WILD (1u << 11) /* with the registers that hold what was loaded: memory was written */
#define ON (1u << 12)	/* speculation beyond a jump without barrier gets here */

/* --- 1: notes, while states are walked */
struct syms {
	u32 sym[SYMS_NOTED];
	u32 count; /* more than there is room for: all */
};

static int syms_has(const struct syms *set, u32 sym)
{
	for (u32 k = 0; k < set->count && k < SYMS_NOTED; k++)
		if (set->sym[k] == sym)
			return 1;
	return set->count > SYMS_NOTED;
}

static void syms_add(struct syms *set, u32 sym)
{
	if (syms_has(set, sym))
		return;
	if (set->count < SYMS_NOTED)
		set->sym[set->count] = sym;
	set->count++;
}

static void syms_add_form(struct syms *set, const struct form *f)
{
	for (u32 i = 0; i < f->terms; i++)
		syms_add(set, f->sym[i]);
}

/* With all that facts tie to them. */
static void syms_close(struct syms *set, const struct state *s)
{
	for (u32 before = ~0u; before != set->count && set->count <= SYMS_NOTED;) {
		before = set->count;
		for (u32 k = 0; k < s->facts; k++)
			for (u32 i = 0; i < s->fact[k].terms; i++)
				if (syms_has(set, s->fact[k].sym[i])) {
					syms_add_form(set, &s->fact[k]);
					break;
				}
	}
}

static int is_of(const struct syms *set, const struct val *v)
{
	if (!val_is_set(v))
		return 0;
	for (u32 i = 0; i < v->form.terms; i++)
		if (syms_has(set, v->form.sym[i]))
			return 1;
	return v->len && syms_has(set, v->len);
}

/* Registers that speak of them; SPECULATE_SLOT: a spilled value does. */
static u32 holders(const struct syms *set, const struct state *s)
{
	u32 regs = 0;

	if (!set->count)
		return 0;
	for (u32 r = 0; r < EXT_REGS; r++)
		if (is_of(set, &s->reg[r]))
			regs |= 1u << r;
	for (u32 k = 0; k < s->slots; k++)
		if ((s->slot[k].kind == SLOT_VAL4 || s->slot[k].kind == SLOT_VAL8) &&
		    is_of(set, &s->slot[k].val))
			regs |= SPECULATE_SLOT;
	return regs;
}

void verify_told(struct verify *ver, const struct state *s, u32 insn, u32 way)
{
	const struct ext_insn *i = &ver->p->insn[insn];
	struct speculate *note = &ver->speculate[insn];
	struct syms set = {.count = 0};

	if (ver->changed_id)
		note->stays |= (u8)(1u << way);
	for (u32 k = 0; k < ver->changes && k < CHANGED_MOST; k++)
		syms_add(&set, ver->changed[k]);
	if (ver->changes > CHANGED_MOST)
		set.count = SYMS_NOTED + 1;
	syms_close(&set, s);
	note->told[way] |= (u16)holders(&set, s);

	set.count = 0;
	syms_add_form(&set, &s->reg[ext_dst(i)].form);
	if (i->code & EXT_X)
		syms_add_form(&set, &s->reg[ext_src(i)].form);
	syms_close(&set, s);
	note->tied |= (u16)holders(&set, s);
}

void verify_not_gone(struct verify *ver, u32 insn, u32 way)
{
	ver->speculate[insn].stays |= (u8)(1u << way);
}

/* Keeps the notes of a loop's jumps, or (back) brings them back. 0, -1. */
int verify_notes(struct verify *ver, struct loop_run *r, int back)
{
	const struct flow_loop *l = &ver->flow.loop[r->loop];

	if (!r->notes)
		r->notes = ext_alloc(ver->arena, l->blocks * sizeof(r->notes[0]));
	if (!r->notes) {
		ver->stop = ver->failed = 1;
		ext_refuse_memory(ver->why);
		return -1;
	}
	for (u32 k = 0; k < l->blocks; k++) {
		struct speculate *note = &ver->speculate[ver->flow.block[l->block[k]].last];

		if (back)
			*note = r->notes[k];
		else
			r->notes[k] = *note;
	}
	return 0;
}

/* --- 2: ways that an access may rely on */
static struct ext_fact *fact_of(const struct verify *ver, u32 block)
{
	return &ver->out->fact[ver->flow.block[block].last];
}

static u32 flag_of(u32 way)
{
	return way ? EXT_FACT_BARRIER_TAKEN : EXT_FACT_BARRIER_NEXT;
}

static void mark(struct verify *ver)
{
	const struct flow *f = &ver->flow;

	for (u32 b = 0; b < f->blocks; b++) {
		struct speculate *note = &ver->speculate[f->block[b].last];

		for (u32 way = 0; f->block[b].succs == WAYS && way < WAYS; way++) {
			u32 reach = f->block[f->block[b].succ[way]].reach | SPECULATE_SLOT;

			if (note->told[way] & reach && !(note->stays >> way & 1))
				note->may_move |= (u8)(1u << way);
			if ((note->stays | note->may_move) >> way & 1)
				fact_of(ver, b)->flags |= flag_of(way);
		}
	}
}

/* --- 3: what may be transmitted */
struct moving {
	struct verify *ver;
	u16 *block; /* ON, WILD, registers: at each block's begin */
	u64 fuel;
};

static int transmits(const struct verify *ver, u32 insn, u32 state)
{
	const struct ext_insn *i = &ver->p->insn[insn];
	u32 dst = state >> ext_dst(i) & 1, src = state >> ext_src(i) & 1, op = EXT_OP(i->code);
	int is_x = i->code & EXT_X;

	switch (EXT_CLASS(i->code)) {
	case EXT_ALU:
	case EXT_ALU64:
		return (op == EXT_DIV || op == EXT_MOD) && (dst || (is_x && src));
	case EXT_LDX:
		return (int)src;
	case EXT_ST:
		return (int)dst;
	case EXT_STX:
		return EXT_MODE(i->code) != EXT_MEM || dst;
	case EXT_JMP:
	case EXT_JMP32:
		if (op == EXT_CALL || op == EXT_EXIT)
			return 1;
		if (state & WILD && ver->out->fact[insn].flags & EXT_FACT_CHECKPOINT)
			return 1; /* what is left of the budget may be what was written */
		return op != EXT_JA && (dst || (is_x && src));
	}
	return 0;
}

static u32 behind(const struct verify *ver, u32 insn, u32 state)
{
	const struct ext_insn *i = &ver->p->insn[insn];
	u32 reads, writes;

	flow_regs(&ver->flow, insn, &reads, &writes);
	switch (EXT_CLASS(i->code)) {
	case EXT_LDX:
		return state | writes;
	case EXT_ST:
	case EXT_STX:
		return state | WILD;
	}
	return state & reads ? state | writes : state & ~writes;
}

/* Through the block: the state behind it, or 0 if none gets there; *bad: something is transmitted. */
static u32 through(struct moving *m, u32 block, u32 state, int *bad)
{
	const struct flow_block *b = &m->ver->flow.block[block];
	const struct ext_program *p = m->ver->p;

	for (u32 n = b->first; n <= b->last; n += p->insn[n].code == EXT_LDDW ? 2 : 1) {
		if (!m->fuel || m->ver->out->fact[n].flags & EXT_FACT_BARRIER_LOAD) {
			*bad |= !m->fuel;
			return 0;
		}
		m->fuel--;
		if (transmits(m->ver, n, state)) {
			*bad = 1;
			return 0;
		}
		state = behind(m->ver, n, state);
	}
	return state;
}

/* Whether nothing is transmitted within the loop, beyond those of its jumps that have no barrier any more. */
static int is_quiet(struct moving *m, u32 loop)
{
	const struct flow *f = &m->ver->flow;
	const struct flow_loop *l = &f->loop[loop];
	int changed = 1, bad = 0;

	for (u32 k = 0; k < l->blocks; k++)
		m->block[l->block[k]] = 0;
	while (changed && !bad) { /* 13 bits a block grow */
		changed = 0;
		for (u32 k = 0; k < l->blocks && !bad; k++) {
			u32 at = l->block[k], state = m->block[at];
			const struct flow_block *b = &f->block[at];
			u32 moved = m->ver->speculate[b->last].moved;

			state = state ? through(m, at, state, &bad) : 0;
			for (u32 way = 0; way < b->succs && !bad; way++) {
				u32 to = b->succ[way], add = moved >> way & 1 ? ON : 0;

				if (!(b->succs == WAYS &&
				      fact_of(m->ver, at)->flags & flag_of(way)))
					add |= state;
				if (!flow_in_loop(f, to, loop) || !(add & ~m->block[to]))
					continue;
				m->block[to] |= (u16)add;
				changed = 1;
			}
		}
	}
	return !bad;
}

/* The loop's ways out get barriers, which may move farther. */
static void loop_leave(struct verify *ver, u32 loop)
{
	const struct flow *f = &ver->flow;
	const struct flow_loop *l = &f->loop[loop];

	for (u32 k = 0; k < l->blocks; k++) {
		const struct flow_block *b = &f->block[l->block[k]];
		struct speculate *note = &ver->speculate[b->last];

		for (u32 way = 0; b->succs == WAYS && way < WAYS; way++) {
			if (flow_in_loop(f, b->succ[way], loop))
				continue;
			if (!(note->stays >> way & 1))
				note->may_move |= (u8)(1u << way);
			note->moved &= (u8) ~(1u << way);
			fact_of(ver, l->block[k])->flags |= flag_of(way);
		}
	}
}

static void move_one(struct moving *m, u32 loop, u32 block, u32 way)
{
	struct ext_fact *fact = fact_of(m->ver, block);
	struct speculate *note = &m->ver->speculate[m->ver->flow.block[block].last];

	fact->flags &= ~flag_of(way);
	note->moved |= (u8)(1u << way);
	if (is_quiet(m, loop)) {
		loop_leave(m->ver, loop);
		return;
	}
	fact->flags |= flag_of(way);
	note->moved &= (u8) ~(1u << way);
}

static void move_loop(struct moving *m, u32 loop)
{
	const struct flow *f = &m->ver->flow;
	const struct flow_loop *l = &f->loop[loop];

	for (u32 k = 0; k < l->blocks; k++) {
		u32 at = l->block[k];
		const struct flow_block *b = &f->block[at];

		for (u32 way = 0; b->succs == WAYS && way < WAYS; way++)
			if (f->block[b->succ[way]].loop == loop &&
			    fact_of(m->ver, at)->flags & flag_of(way) &&
			    m->ver->speculate[b->last].may_move >> way & 1)
				move_one(m, loop, at, way);
	}
}

/* --- 4: loads of spilled values */
#define FRAME_WORDS 64 /* bits, one for 8 bytes */
#define ANYWHERE (~0ul)

/* The words of its frame that an access through R10 touches. */
static u64 words(const struct ext_insn *i, u32 base)
{
	s32 low = (i->off + (s32)EXT_FRAME_BYTES) >> 3;
	s32 high = (i->off + (s32)(EXT_FRAME_BYTES + ext_bytes(i->code)) - 1) >> 3;

	if (base != 10 || low < 0 || high >= FRAME_WORDS)
		return ANYWHERE;
	return 1ul << low | 1ul << high;
}

/* fresh: words stored to since the last barrier. keep: loads that keep theirs. */
static u64 fresh_behind(const struct verify *ver, u32 insn, u64 fresh, u8 *keep)
{
	const struct ext_insn *i = &ver->p->insn[insn];

	switch (EXT_CLASS(i->code)) {
	case EXT_LDX:
		if (!(ver->out->fact[insn].flags & EXT_FACT_BARRIER_LOAD))
			return fresh;
		if (fresh & words(i, ext_src(i)))
			keep[insn] = 1;
		return keep[insn] ? 0 : fresh;
	case EXT_ST:
	case EXT_STX:
		if (EXT_MODE(i->code) != EXT_MEM)
			return ANYWHERE;
		if (ext_dst(i) == 10)
			return fresh | words(i, 10);
		return ver->speculate[insn].tied & SPECULATE_SLOT ? ANYWHERE : fresh;
	case EXT_JMP:
		return i->code == (EXT_JMP | EXT_CALL) && ext_src(i) == EXT_CALL_LOCAL ? ANYWHERE
										       : fresh;
	}
	return fresh;
}

static int fresh_update(const struct verify *ver, u32 block, u64 *at, u8 *keep)
{
	const struct flow_block *b = &ver->flow.block[block];
	u64 fresh = at[block];
	int changed = 0;

	for (u32 n = b->first; n <= b->last; n += ver->p->insn[n].code == EXT_LDDW ? 2 : 1) {
		u8 kept = keep[n];

		fresh = fresh_behind(ver, n, fresh, keep);
		changed |= keep[n] != kept;
	}
	for (u32 k = 0; k < b->succs; k++) {
		changed |= (fresh & ~at[b->succ[k]]) != 0;
		at[b->succ[k]] |= fresh;
	}
	return changed;
}

/* Both grow only, so that it ends; what has grown is never too little. */
static int spills(struct verify *ver)
{
	const struct flow *f = &ver->flow;
	u64 *at = ext_alloc(ver->arena, f->blocks * sizeof(*at));
	u8 *keep = ext_alloc(ver->arena, ver->p->insns);
	int changed = 1;

	if (!at || !keep)
		return ext_refuse_memory(ver->why);
	for (u32 g = 1; g < ver->p->functions; g++)
		at[f->function[g].block[0]] = ANYWHERE;
	while (changed) {
		changed = 0;
		for (u32 g = 0; g < ver->p->functions; g++)
			for (u32 k = 0; k < f->function[g].blocks; k++)
				changed |= fresh_update(ver, f->function[g].block[k], at, keep);
	}
	for (u32 n = 0; n < ver->p->insns; n++)
		if (!keep[n])
			ver->out->fact[n].flags &= ~EXT_FACT_BARRIER_LOAD;
	return EXT_OK;
}

int verify_speculation(struct verify *ver)
{
	const struct flow *f = &ver->flow;
	struct moving m = {.ver = ver, .fuel = 64ul * ver->p->insns + 4096};

	m.block = ext_alloc(ver->arena, f->blocks * sizeof(m.block[0]));
	if (!m.block || spills(ver))
		return ext_refuse_memory(ver->why);
	/* a result of any value was promised to nobody */
	flow_reach(&ver->flow, ver->speculate,
		   ver->attach->ret_least != 0 || ver->attach->ret_most != ~0ul);
	mark(ver);
	for (u32 depth = LOOP_DEPTH_MOST; depth; depth--)
		for (u32 l = 0; l < f->loops; l++)
			if (f->loop[l].depth == depth)
				move_loop(&m, l);
	return EXT_OK;
}

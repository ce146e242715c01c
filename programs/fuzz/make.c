/* SPDX-License-Identifier: MIT
 * Arguments: a generator for each kind that abi/calls.tbl has, which mostly picks what can succeed, by what the exposed
 * books say, and at times anything. */
#include "fuzz.h"

static const u64 edges[] = {
	/* words at which mistakes gather */
	0,
	1,
	2,
	63,
	64,
	511,
	512,
	513,
	2047,
	2048,
	4095,
	4096,
	0xffff,
	0x10000,
	0x7fffffff,
	0x80000000,
	0xffffffff,
	0x100000000,
	~0ul,
	~0ul << 12,
	ARIL_USER_TOP,
	ARIL_USER_TOP - 4096,
	1ul << 47,
	~0ul << 47,
	ARIL_INFO_VA,
	ARIL_PHYS_VA,
	ARIL_KERNEL_VA,
	ARIL_SELF_VA,
	1ul << 63,
};

static u64 any(struct fuzzer *f)
{
	u64 edge = edges[below(f, sizeof(edges) / sizeof(edges[0]))];

	switch (below(f, 4)) {
	case 0:
		return ((u64)below(f, ~0u) << 32) | below(f, ~0u);
	case 1:
		return edge + below(f, 9) - 4;
	default:
		return edge;
	}
}

/* Whether one of its guards lets the side do anything. */
static int opens_all(const struct fuzzer *f, u32 frame)
{
	const struct aril_guard *ours = &sides[f->side].guard;

	for (u32 slot = 0; slot < 2; slot++) {
		const volatile struct aril_guard *g = &frame_info(frame)->guard[slot];

		if (g->rights == ARIL_ALL && g->len >= ours->len &&
		    g->name[ours->len - 1] == ours->name[ours->len - 1])
			return 1;
	}
	return 0;
}

static u32 any_frame(struct fuzzer *f)
{
	switch (below(f, 24)) {
	case 0:
		return shared_first + below(f, SHARED);
	case 1:
		return big_first + below(f, BIG);
	case 2:
		return sides[!f->side].first + below(f, POOL);
	case 3: /* what is out of reach */
		return below(f, 16) ? canary_first + below(f, CANARIES)
				    : below(f, ARIL_INFO->nframes);
	default:
		for (u32 i = 0; i < 4; i++) {
			u32 frame = sides[f->side].first + below(f, POOL);

			if (opens_all(f, frame))
				return frame;
		}
		return sides[f->side].first + below(f, POOL);
	}
}

static int idle(u32 frame)
{
	const volatile struct aril_frame *i = frame_info(frame);

	return i->state == ARIL_FRAME_NORMAL && !i->level && !i->refs && !i->pins;
}

u32 find_frame(struct fuzzer *f, u32 first, u32 n, u32 state)
{
	u32 start = below(f, n);

	for (u32 i = 0; i < n; i++) {
		u32 frame = first + (start + i) % n;

		if ((state == ARIL_FRAME_NORMAL ? idle(frame)
						: frame_info(frame)->state == state) &&
		    opens_all(f, frame))
			return frame;
	}
	return 0;
}

static u32 pick(struct fuzzer *f, u32 state)
{
	u32 frame = 0;

	if (one_in(f, 24))
		return any_frame(f);
	if (one_in(f, 6))
		frame = find_frame(f, shared_first, SHARED, state);
	if (!frame && state == ARIL_FRAME_NORMAL)
		frame = find_frame(f, sides[f->side].first + PAGES, POOL - PAGES, state);
	if (!frame)
		frame = find_frame(f, sides[f->side].first, POOL, state);
	return frame ? frame : any_frame(f);
}

u32 pick_run(struct fuzzer *f, u32 n)
{
	u32 first = sides[f->side].first + PAGES, start = below(f, POOL - PAGES);

	for (u32 i = 0; i < POOL - PAGES; i++) {
		u32 at = (start + i) % (POOL - PAGES), got = 0;

		while (got < n && at + got < POOL - PAGES && idle(first + at + got) &&
		       opens_all(f, first + at + got))
			got++;
		if (got == n)
			return first + at;
	}
	return any_frame(f);
}

u32 pick_env(struct fuzzer *f)
{
	if (one_in(f, 12)) /* of a slot's past */
		return env_info(1 + below(f, 40))->id - 0x10000;
	for (u32 i = 0; i < 8; i++) {
		u32 env = below(f, 2) ? fuzzers[below(f, FUZZERS)].env
				      : frame_info(find_frame(f, sides[f->side].first, POOL,
							      ARIL_FRAME_ENV))
						->partner;

		if (env && (one_in(f, 16) || env_info(env)->state == ARIL_ENV_ALIVE))
			return env;
	}
	return env_info(1 + below(f, 24))->id;
}

u64 pick_va(struct fuzzer *f)
{
	if (one_in(f, 32))
		return any(f);
	return VA + ((u64)below(f, 2) << 39) + ((u64)one_in(f, 4) << 30) +
	       ((u64)below(f, 2) << 21) + ((u64)below(f, 4) << 12);
}

u32 pick_auth(struct fuzzer *f)
{
	switch (below(f, 24)) {
	case 0:
	case 1:
		return f->weak;
	case 2:
		return f->closed;
	case 3:
		return (u32)any(f);
	default:
		return f->auth;
	}
}

/* Accounts of the side: its own, or one made under it (children: of these in most cases). */
u32 pick_account(struct fuzzer *f, int children)
{
	u32 start = below(f, ARIL_MAX_ACCOUNTS);

	if (one_in(f, 16))
		return one_in(f, 2) ? (u32)any(f) : account_info(start)->id;
	children = children && below(f, 6);
	for (u32 i = 0; i < ARIL_MAX_ACCOUNTS && (children || below(f, 3)); i++) {
		u32 id = account_info(start + i)->id;

		if (id && account_info(id)->parent == sides[f->side].account)
			return id;
	}
	return sides[f->side].account;
}

u32 own_position(struct fuzzer *f, u32 cpu)
{
	const volatile struct aril_slice *slices =
		(const volatile struct aril_slice *)ARIL_INFO->slices_va;
	u32 start = below(f, ARIL_SLICES);

	for (u32 i = 0; i < ARIL_SLICES; i++)
		if (slices[cpu * ARIL_SLICES + (start + i) % ARIL_SLICES].account ==
		    (sides[f->side].account & 0xffff))
			return (start + i) % ARIL_SLICES;
	return start;
}

/* Memory for an argument: aligned as records are, mostly. */
u8 *room(struct fuzzer *f, u32 bytes)
{
	u32 at = (f->at + 15) & ~15u;

	if (at + bytes > SCRATCH)
		at = 0;
	f->at = at + bytes;
	return f->scratch + at;
}

static void make_guard(struct fuzzer *f, struct aril_guard *to)
{
	*to = sides[f->side].guard;
	if (one_in(f, 3)) {
		to->name[to->len++] = (u8)(7 + below(f, 2));
		to->rights = one_in(f, 4) ? below(f, 64) : ARIL_ALL;
	}
	if (one_in(f, 16))
		memset(to, 0, sizeof(*to));
	if (one_in(f, 32))
		((u8 *)to)[below(f, sizeof(*to))] ^= (u8)(1u << below(f, 8));
}

static void make_cap(struct fuzzer *f, struct aril_cap *to)
{
	*to = one_in(f, 4) ? sides[f->side].weak : sides[f->side].cap;
	if (one_in(f, 8))
		((u8 *)to)[below(f, sizeof(*to))] ^= (u8)(1u << below(f, 8));
}

static void make_frame_op(struct fuzzer *f, struct aril_frame_op *op)
{
	memset(op, 0, sizeof(*op));
	op->first = one_in(f, 4) ? pick(f, ARIL_FRAME_SPACE) : any_frame(f);
	op->count = one_in(f, 4) ? 1 + below(f, 8) : 1;
	op->kind = (u16)(1 + below(f, 6));
	if (below(f, 2))
		op->kind = (u16)(1 + below(f, 2));
	op->slot = (u16)below(f, 2);
	switch (op->kind) {
	case ARIL_FRAME_GUARD:
		op->slot = below(f, 8) != 0;
		make_guard(f, &op->guard);
		if (op->slot && one_in(f, 3))
			memset(&op->guard, 0, sizeof(op->guard));
		break;
	case ARIL_FRAME_CHARGE:
		op->tag = pick_account(f, 0);
		break;
	case ARIL_FRAME_MARK_KEEP:
		op->tag = below(f, 2);
		break;
	case ARIL_FRAME_JOIN:
	case ARIL_FRAME_SPLIT:
		op->slot = 0;
		op->first = below(f, 4) ? big_first : any_frame(f);
		op->count = below(f, 4) ? BIG : 1;
		break;
	default:
		op->tag = any(f);
	}
	if (op->kind > ARIL_FRAME_GUARD)
		op->slot = 0;
}

static void make_space_op(struct fuzzer *f, struct aril_space_op *op)
{
	*op = (struct aril_space_op){.va = pick_va(f),
				     .frame = below(f, 3) ? pick(f, ARIL_FRAME_NORMAL)
							  : any_frame(f),
				     .count = below(f, 4) ? 1 : 1 + below(f, 5),
				     .kind = (u16)(1 + below(f, 3)),
				     .flags = (u16)below(f, 2),
				     .auth = pick_auth(f)};
	if (one_in(f, 4))
		op->flags |= (u16)(below(f, 16) | ARIL_BIND_SOFT(below(f, 4)));
	if (one_in(f, 12)) {
		op->flags |= ARIL_BIND_LARGE;
		op->frame = big_first;
		op->va &= ~0x1ffffful;
	}
	if (one_in(f, 24))
		op->count = (u32)any(f);
	if (one_in(f, 8)) /* over the edge of a table, and what nobody reserved */
		op->va += 0x1fe000;
}

static void make_env_desc(struct fuzzer *f, struct aril_env_desc *d)
{
	*d = (struct aril_env_desc){.space = below(f, 4) ? sides[f->side].space
							 : pick(f, ARIL_FRAME_SPACE),
				    .entry = below(f, 8) ? (u64)fuzz_leaf_entry : pick_va(f),
				    .gate = below(f, 4) ? (u64)fuzz_leaf_gate : 0,
				    .account = below(f, 3) ? 0 : pick_account(f, 0),
				    .flags = one_in(f, 16) ? below(f, 4) : 0};
}

static void make_account_desc(struct fuzzer *f, struct aril_account_desc *d)
{
	memset(d, 0, sizeof(*d));
	d->guard = sides[f->side].guard;
	if (one_in(f, 8))
		make_guard(f, &d->guard);
	for (u32 q = 0; q < ARIL_QUOTAS; q++)
		d->limit[q] = q < ARIL_QUOTA_HELD ? below(f, 3) : 4096 + below(f, 4096);
	if (one_in(f, 8))
		d->limit[below(f, ARIL_QUOTAS)] = (u32)any(f);
	d->reserve = below(f, 2);
}

static void make_cache_desc(struct fuzzer *f, struct aril_cache_desc *d)
{
	memset(d, 0, sizeof(*d));
	d->va = pick_va(f) & ~(ARIL_CACHE_BYTES - 1);
	d->frame = pick(f, ARIL_FRAME_NORMAL);
	d->ntables = 2 + below(f, 3);
	d->nstlb = 1u << below(f, 2);
	d->table_first = pick_run(f, d->ntables);
	d->stlb_first = pick_run(f, 2 * d->nstlb);
	if (one_in(f, 16))
		((u32 *)d)[2 + below(f, 6)] = (u32)any(f);
}

static void make_revocation(struct fuzzer *f, struct aril_revocation *r)
{
	u32 first = sides[f->side].first;

	*r = (struct aril_revocation){.kind = below(f, ARIL_REVOKE_KINDS),
				      .count = below(f, 4),
				      .first = first,
				      .last = first + POOL - 1,
				      .lower = one_in(f, 8),
				      .deadline = core_now() + below(f, 4000000)};
	if (r->kind == ARIL_REVOKE_SLICES) {
		r->first = 0;
		r->last = ARIL_INFO->ncpus * ARIL_SLICES - 1;
	} else if (r->kind == ARIL_REVOKE_GRANTS) {
		r->first = 0;
		r->last = ARIL_MAX_GRANTS - 1;
	} else if (r->kind == ARIL_REVOKE_GATES) {
		r->first = r->last = pick_env(f);
		r->count = below(f, 2);
	}
	if (one_in(f, 16))
		((u32 *)r)[below(f, 8)] = (u32)any(f);
}

static u32 make_fields(struct fuzzer *f, struct aril_region_field *field)
{
	u32 n = 1 + below(f, 5);

	for (u32 i = 0; i < n; i++) {
		field[i] = (struct aril_region_field){.offset = i * 64, .bytes = 32};
		field[i].guard = sides[f->side].guard;
		if (one_in(f, 6))
			make_guard(f, &field[i].guard);
	}
	if (one_in(f, 16))
		((u32 *)field)[below(f, 2)] = (u32)any(f);
	return n;
}

/* The record an argument of that kind points to, and its bytes; the number of elements, where there are several,
 * goes to n. */
static u32 make_record(struct fuzzer *f, u32 kind, u8 *to, u64 *n)
{
	u32 count = 1;

	switch (kind) {
	case ARIL_ARG_P_CAP:
		make_cap(f, (struct aril_cap *)to);
		return sizeof(struct aril_cap);
	case ARIL_ARG_P_GUARD:
		make_guard(f, (struct aril_guard *)to);
		return sizeof(struct aril_guard);
	case ARIL_ARG_P_FRAME_OP:
		*n = count = 1 + below(f, 4);
		for (u32 i = 0; i < count; i++)
			make_frame_op(f, (struct aril_frame_op *)to + i);
		return count * sizeof(struct aril_frame_op);
	case ARIL_ARG_P_SPACE_OP:
		*n = count = one_in(f, 3) ? 1 + below(f, 12) : 1;
		for (u32 i = 0; i < count; i++)
			make_space_op(f, (struct aril_space_op *)to + i);
		return count * sizeof(struct aril_space_op);
	case ARIL_ARG_P_ENV_DESC:
		make_env_desc(f, (struct aril_env_desc *)to);
		return sizeof(struct aril_env_desc);
	case ARIL_ARG_P_ACCOUNT_DESC:
		make_account_desc(f, (struct aril_account_desc *)to);
		return sizeof(struct aril_account_desc);
	case ARIL_ARG_P_CACHE_DESC:
		make_cache_desc(f, (struct aril_cache_desc *)to);
		return sizeof(struct aril_cache_desc);
	case ARIL_ARG_P_REVOCATION:
		make_revocation(f, (struct aril_revocation *)to);
		return sizeof(struct aril_revocation);
	case ARIL_ARG_P_REGION_FIELD:
		*n = count = make_fields(f, (struct aril_region_field *)to);
		return count * sizeof(struct aril_region_field);
	case ARIL_ARG_P_CODE_DESC:
	case ARIL_ARG_P_CODE_ATTACH:
	case ARIL_ARG_P_CODE_WAIT:
		return code_record(f, kind, to);
	default: /* text, bytes, device and grant records, results */
		for (u32 i = 0; i < 128; i += 4)
			*(u32 *)(to + i) = one_in(f, 4) ? below(f, ~0u) : below(f, 8);
		*n = below(f, 32);
		return 128;
	}
}

static u64 make_scalar(struct fuzzer *f, const char *call, u32 kind)
{
	const struct side *s = &sides[f->side];

	switch (kind) {
	case ARIL_ARG_AUTH:
		return pick_auth(f);
	case ARIL_ARG_ROOT:
	case ARIL_ARG_SHADOW:
	case ARIL_ARG_BOOK:
		return pick(f, ARIL_FRAME_NORMAL);
	case ARIL_ARG_SPACE:
		if (!strcmp(call, "env_space"))
			return below(f, 32) ? s->space : pick(f, ARIL_FRAME_SPACE);
		return pick(f, ARIL_FRAME_SPACE);
	case ARIL_ARG_TABLE:
		return pick(f, strcmp(call, "space_link") ? ARIL_FRAME_NORMAL : ARIL_FRAME_TABLE);
	case ARIL_ARG_FRAME:
		if (!strcmp(call, "env_context"))
			return one_in(f, 4) ? 0 : s->first + below(f, PAGES);
		if (!strncmp(call, "region", 6) && strcmp(call, "region_create"))
			return pick(f, ARIL_FRAME_REGION);
		if (!strcmp(call, "frame_reset"))
			return any_frame(f);
		return pick(f, ARIL_FRAME_NORMAL);
	case ARIL_ARG_POINT:
		return 1 + below(f, 4);
	case ARIL_ARG_TARGET:
		return below(f, 2) ? pick_env(f) : pick_account(f, 1);
	case ARIL_ARG_GRANT:
		return one_in(f, 6) ? (u32)any(f) : s->grant[below(f, GRANTS)];
	case ARIL_ARG_ENV:
		if (!strcmp(call, "yield") ||
		    !strcmp(call, "gate")) /* who is on this CPU, mostly */
			for (u32 i = 0; i < 2 * FUZZERS && below(f, 12); i++) {
				const struct fuzzer *to = &fuzzers[below(f, FUZZERS)];

				if (to != f && to->side == f->side && to->on_cpu == f->on_cpu)
					return to->env;
			}
		return one_in(f, 12) ? 0 : pick_env(f);
	case ARIL_ARG_ACCOUNT:
		return pick_account(
			f, !strcmp(call, "account_set") || !strcmp(call, "account_guard") ||
				   !strcmp(call, "account_destroy") || !strcmp(call, "revoke"));
	case ARIL_ARG_PARENT:
		return pick_account(f, 0);
	case ARIL_ARG_VA:
		return pick_va(f);
	case ARIL_ARG_LEVEL:
		return one_in(f, 24) ? (u32)any(f) : 1 + below(f, 3);
	case ARIL_ARG_CPU:
		return one_in(f, 24) ? (u32)any(f) : below(f, ARIL_INFO->ncpus);
	case ARIL_ARG_ORDER:
		return one_in(f, 24) ? (u32)any(f) : below(f, 9);
	case ARIL_ARG_POSITION:
		return one_in(f, 24) ? (u32)any(f) : own_position(f, below(f, ARIL_INFO->ncpus));
	case ARIL_ARG_OFFSET:
		if (!strncmp(call, "region", 6) && below(f, 6))
			return 64 * below(f, 4) + 8 * below(f, 3);
		return one_in(f, 16) ? (u32)any(f) : 8 * below(f, 32);
	case ARIL_ARG_FIRST:
		for (u32 i = 0; i < POOL && !strcmp(call, "frame_alloc"); i++)
			if (!frame_info(s->first + i)->account && below(f, 4))
				return s->first + i;
		return any_frame(f);
	case ARIL_ARG_COUNT:
		return one_in(f, 12) ? (u32)any(f) : 1 + below(f, 4);
	case ARIL_ARG_EXPECTED:
		if (!strcmp(call, "wait") && below(f, 4))
			return (u32)(below(f, 2) ? PATTERN : PATTERN >> 32);
		return below(f, 8) ? 0 : any(f);
	case ARIL_ARG_VALUE:
		return below(f, 8) ? 0 : any(f);
	case ARIL_ARG_DEADLINE:
		return core_now() + below(f, 2000000);
	case ARIL_ARG_MODE:
		return below(f, 2) |
		       (one_in(f, 3) ? ARIL_GATE_CPU(below(f, ARIL_INFO->ncpus)) : 0) |
		       (one_in(f, 24) ? (u32)any(f) : 0);
	case ARIL_ARG_ENTRY:
		return f->leaf ? (u64)fuzz_leaf_entry : (u64)fuzz_entry;
	case ARIL_ARG_GATE:
		return one_in(f, 16) ? pick_va(f)
		       : f->leaf     ? (u64)fuzz_leaf_gate
				     : (u64)fuzz_gate_entry;
	case ARIL_ARG_RIGHTS:
		return one_in(f, 8) ? (u32)any(f) : 1 + below(f, 63);
	case ARIL_ARG_QUOTA:
		return below(f, ARIL_QUOTAS + 1);
	case ARIL_ARG_LIMIT:
		return one_in(f, 8) ? (u32)any(f) : below(f, 16);
	case ARIL_ARG_GENERATION:
		return below(f, 4) ? 0 : any(f);
	case ARIL_ARG_BYTES:
	case ARIL_ARG_N:
		return one_in(f, 12) ? any(f) : 1 + below(f, 8);
	default:
		return below(f, 2) ? below(f, 16) : any(f);
	}
}

static u32 run_length(const struct past *c, const struct aril_call_desc *d, u32 i)
{
	return i + 1 < d->nargs && (d->arg[i + 1] == ARIL_ARG_N) && c->bytes;
}

void call_make(struct fuzzer *f, u32 call, struct past *to)
{
	const struct aril_call_desc *d = &aril_call_desc[call];

	to->call = call;
	to->bytes = 0;
	for (u32 i = 0; i < d->nargs; i++) {
		if (d->arg[i] < ARIL_ARG_P_ACCOUNT_DESC || d->arg[i] > ARIL_ARG_P_U8) {
			to->arg[i] = make_scalar(f, d->name, d->arg[i]);
			continue;
		}
		u8 *record = room(f, RECORD);
		u64 n = 0;
		u32 bytes = make_record(f, d->arg[i], record, &n);

		to->arg[i] = one_in(f, 64) ? any(f) : (u64)record;
		f->hot = (u32 *)record + below(f, bytes / 4);
		if (one_in(f, 24)) /* in memory that may be unbound while it is read */
			to->arg[i] = (u64)sides[f->side].window + below(f, PAGES * 4096);
		if (!to->bytes && bytes <= RECORD) {
			to->bytes = bytes;
			memcpy(to->record, record, bytes);
		}
		if (run_length(to, d, i) && below(f, 16))
			to->arg[++i] = n ? n : 1;
	}
	if (!strcmp(d->name, "env_context") && to->arg[3] &&
	    below(f, 16)) /* page and address belong together */
		to->arg[4] = (u64)sides[f->side].window +
			     ((to->arg[3] - sides[f->side].first) % PAGES << ARIL_PAGE_SHIFT);
	if (!strcmp(d->name, "space_link") && below(f, 8))
		to->arg[3] = frame_info((u32)to->arg[4] % ARIL_INFO->nframes)->level;
	if (!strcmp(d->name, "account_create") && below(f, 4))
		to->arg[1] = sides[f->side].account;
}

void call_mutate(struct fuzzer *f, struct past *c)
{
	const struct aril_call_desc *d = &aril_call_desc[c->call];

	if (!d->nargs)
		return;
	for (u32 i = 0; i < d->nargs; i++) /* its record, in memory of now */
		if (d->arg[i] >= ARIL_ARG_P_ACCOUNT_DESC && d->arg[i] <= ARIL_ARG_P_U8 &&
		    c->bytes) {
			u8 *record = room(f, RECORD);

			memcpy(record, c->record, c->bytes);
			if (one_in(f, 3))
				record[below(f, c->bytes)] ^= (u8)(1u << below(f, 8));
			c->arg[i] = (u64)record;
			break;
		}
	u32 i = below(f, d->nargs);
	if (d->arg[i] >= ARIL_ARG_P_ACCOUNT_DESC && d->arg[i] <= ARIL_ARG_P_U8)
		return;
	switch (below(f, 4)) {
	case 0:
		c->arg[i] = any(f);
		break;
	case 1:
		c->arg[i] += below(f, 5) - 2;
		break;
	case 2:
		c->arg[i] = make_scalar(f, d->name, d->arg[i]);
		break;
	}
}

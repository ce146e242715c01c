/* SPDX-License-Identifier: MIT
 * What a fuzzer is about: sequences of calls that build on what those before them made. One goes on while its calls
 * succeed; now and then one of them is changed, or others come in between. */
#include "fuzz.h"

static u32 index_of(u32 number)
{
	u32 i = 0;

	while (i + 1 < ARIL_CALLS && aril_call_desc[i].number != number)
		i++;
	return i;
}

#define PUT(number, ...) put(to, number, (const u64[6]){__VA_ARGS__})
static int put(struct past *to, u32 number, const u64 arg[6])
{
	to->call = index_of(number);
	memcpy(to->arg, arg, sizeof(to->arg));
	return 1;
}

/* The record for the call's pointer argument, in memory of its own; word: of it, that another CPU is to change. */
static u64 put_record(struct fuzzer *f, struct past *to, const void *record, u32 bytes, u32 *word)
{
	u8 *at = room(f, RECORD);

	memcpy(at, record, bytes);
	memcpy(to->record, record, bytes);
	to->bytes = bytes;
	f->hot = word ? (u32 *)(at + ((u8 *)word - (const u8 *)record))
		      : (u32 *)at + below(f, bytes / 4);
	return (u64)at;
}

static u32 fresh(struct fuzzer *f)
{
	u32 frame = find_frame(f, sides[f->side].first + PAGES, POOL - PAGES, ARIL_FRAME_NORMAL);

	return frame ? frame : sides[f->side].first + PAGES + below(f, POOL - PAGES);
}

static int bindings(struct fuzzer *f, struct past *to, u32 call, u32 kind, u32 count)
{
	struct plan *p = &f->plan;
	struct aril_space_op op[4];
	u32 n = 1 + below(f, 4);

	for (u32 i = 0; i < n; i++)
		op[i] = (struct aril_space_op){.va = p->va + ((u64)below(f, 16) << 12),
					       .frame = kind == ARIL_BIND ? fresh(f) : 0,
					       .count = count,
					       .kind = (u16)kind,
					       .flags = (u16)below(f, 4),
					       .auth = f->auth};
	for (u32 i = 0; i < n && call == ARIL_CALL_SPACE_UPDATE_INDEX && kind == ARIL_BIND; i++)
		op[i].flags |= (u16)(ARIL_BIND_MAY_WRITE * below(f, 2));
	if (kind == ARIL_BIND)
		p->bound = op[n - 1].va;
	u64 at = put_record(f, to, op, n * sizeof(op[0]), &op[below(f, n)].frame);
	return PUT(call, f->auth, p->space, at, n);
}

static int unbind(struct fuzzer *f, struct past *to, u32 call)
{
	return bindings(f, to, call, ARIL_UNBIND, 1 + below(f, 16));
}

/* A space with tables down to `level`; then `step` counts from 0 again. */
static int space(struct fuzzer *f, struct past *to, u32 step, u32 level)
{
	struct plan *p = &f->plan;

	if (!step) {
		p->va = (VA + ((u64)below(f, 4) << 39) + ((u64)below(f, 4) << 30)) |
			(u64)below(f, 2) << 21;
		p->space = fresh(f);
		return PUT(ARIL_CALL_SPACE_CREATE_INDEX, f->auth, p->space, fresh(f));
	}
	p->frame[step] = fresh(f);
	p->level = level;
	return PUT(ARIL_CALL_SPACE_TABLE_INDEX, f->auth, p->space, p->va, 4 - step, p->frame[step],
		   fresh(f));
}

static int plan_bind(struct fuzzer *f, struct past *to, u32 step)
{
	struct plan *p = &f->plan;

	if (step < 4)
		return space(f, to, step, 1);
	switch (step) {
	case 4:
	case 5:
		return bindings(f, to, ARIL_CALL_SPACE_UPDATE_INDEX, ARIL_BIND, 1);
	case 6: /* the page that was bound last; without the second flag it cannot be written again */
		return PUT(ARIL_CALL_PAGE_PROTECT_INDEX, f->auth, p->space, p->bound,
			   ARIL_PAGE_MAY_WRITE * (below(f, 4) != 0) |
				   ARIL_PAGE_WRITE * below(f, 2));
	case 10:
		return bindings(f, to, ARIL_CALL_SPACE_UPDATE_INDEX, ARIL_PROTECT, 1 + below(f, 8));
	case 7:
		if (below(f, 2))
			return PUT(ARIL_CALL_PAGE_UNBIND_INDEX, f->auth, p->space, p->bound);
		return unbind(f, to, ARIL_CALL_SPACE_UPDATE_INDEX);
	case 9:
		return PUT(ARIL_CALL_PAGE_BIND_INDEX, f->auth, p->space, p->bound, fresh(f),
			   below(f, 4) | ARIL_BIND_MAY_WRITE * below(f, 2), f->auth);
	case 8: /* the lowest table, at another place too */
		p->level = 1 + below(f, 2);
		return PUT(ARIL_CALL_SPACE_LINK_INDEX, f->auth, p->space,
			   p->va ^ 1ul << (12 + 9 * p->level), p->level, p->frame[4 - p->level]);
	case 11:
		return PUT(ARIL_CALL_SPACE_UNLINK_INDEX, f->auth, p->space,
			   p->va ^ 1ul << (12 + 9 * p->level), p->level);
	case 12: /* what it is of, or what is above it */
		return PUT(ARIL_CALL_FRAME_RESET_INDEX, f->auth,
			   below(f, 2) ? p->frame[1 + below(f, 3)] : p->space);
	case 13:
		return PUT(ARIL_CALL_FRAME_RESET_INDEX, f->auth, p->space);
	default:
		return 0;
	}
}

static int plan_cache(struct fuzzer *f, struct past *to, u32 step)
{
	struct plan *p = &f->plan;
	struct aril_cache_desc d = {.va = p->va & ~(ARIL_CACHE_BYTES - 1)};

	if (step < 3)
		return space(f, to, step, 2);
	if (step == 3) {
		p->frame[0] = d.frame = fresh(f);
		d.ntables = 2 + below(f, 2);
		d.nstlb = 1u << below(f, 2);
		d.table_first = pick_run(f, d.ntables + 2 * d.nstlb);
		d.stlb_first = d.table_first + d.ntables;
		u64 at = put_record(f, to, &d, sizeof(d), &d.frame);
		return PUT(ARIL_CALL_CACHE_CREATE_INDEX, f->auth, p->space, at);
	}
	if (step < 12) {
		u32 kind = step % 4 == 2 ? ARIL_PROTECT : step % 4 == 3 ? ARIL_UNBIND : ARIL_BIND;
		return bindings(f, to, ARIL_CALL_CACHE_UPDATE_INDEX, kind, 1);
	}
	if (step == 12) /* its state, the table that it took the place of, or the whole */
		return PUT(ARIL_CALL_FRAME_RESET_INDEX, f->auth,
			   below(f, 2)	 ? p->frame[0]
			   : below(f, 2) ? p->frame[2]
					 : p->space);
	return step == 13 ? PUT(ARIL_CALL_FRAME_RESET_INDEX, f->auth, p->space) : 0;
}

static int plan_region(struct fuzzer *f, struct past *to, u32 step)
{
	struct plan *p = &f->plan;
	struct aril_region_field field[3];
	u64 data[4] = {step, 2, 3, 4}, at;

	switch (step) {
	case 0:
		memset(field, 0, sizeof(field));
		for (u32 i = 0; i < 3; i++) {
			field[i].offset = i * 64;
			field[i].bytes = 32;
			field[i].guard = sides[f->side].guard;
		}
		p->frame[0] = fresh(f);
		at = put_record(f, to, field, sizeof(field), &field[1].offset);
		return PUT(ARIL_CALL_REGION_CREATE_INDEX, f->auth, p->frame[0], fresh(f), at, 3);
	case 1:
	case 4:
		at = put_record(f, to, data, sizeof(data), 0);
		return PUT(ARIL_CALL_REGION_WRITE_INDEX, f->auth, p->frame[0], 64 * (step / 4), at,
			   8 + 8 * below(f, 4));
	case 2:
	case 3:
		return PUT(ARIL_CALL_REGION_SWAP_INDEX, f->auth, p->frame[0], 128, step - 2,
			   step - 1);
	case 5:
		return PUT(ARIL_CALL_WAKE_INDEX, f->auth, p->frame[0], 8 * below(f, 8),
			   1 + below(f, 3));
	case 6:
		at = put_record(f, to, &sides[f->side].guard, sizeof(struct aril_guard), 0);
		return PUT(ARIL_CALL_REGION_GUARD_INDEX, f->auth, p->frame[0], 64 * below(f, 3),
			   at);
	case 7:
		return PUT(ARIL_CALL_FRAME_RESET_INDEX, f->auth, p->frame[0]);
	default:
		return 0;
	}
}

static int plan_env(struct fuzzer *f, struct past *to, u32 step)
{
	struct plan *p = &f->plan;
	const struct side *s = &sides[f->side];
	struct aril_env_desc d = {.space = s->space,
				  .entry = (u64)fuzz_leaf_entry,
				  .gate = (u64)fuzz_leaf_gate,
				  .account = s->account};
	u32 page = below(f, PAGES);
	u64 at;

	switch (step) {
	case 0:
		p->frame[0] = fresh(f);
		at = put_record(f, to, &d, sizeof(d), below(f, 2) ? &d.space : &d.account);
		return PUT(ARIL_CALL_ENV_CREATE_INDEX, f->auth, p->frame[0], at);
	case 1:
	case 6:
		for (u32 i = 0; i < PAGES && (frame_info(s->first + page)->pins ||
					      frame_info(s->first + page)->state);
		     i++)
			page = (page + 1) % PAGES;
		return PUT(ARIL_CALL_ENV_CONTEXT_INDEX, f->auth, p->env,
			   step == 1 ? f->on_cpu : below(f, ARIL_INFO->ncpus), s->first + page,
			   (u64)s->window + page * ARIL_PAGE_SIZE);
	case 2:
		return PUT(ARIL_CALL_SLICE_SET_INDEX, f->auth, f->on_cpu,
			   own_position(f, f->on_cpu), p->env, 0);
	case 3:
		return PUT(ARIL_CALL_WAKE_INDEX, f->auth, s->first + below(f, PAGES),
			   4 * below(f, 2), 1 + below(f, 3));
	case 4:
		return f->leaf ? 0 : PUT(ARIL_CALL_YIELD_INDEX, f->auth, p->env);
	case 5:
		return PUT(ARIL_CALL_GATE_INDEX, f->auth, pick_env(f),
			   below(f, 2) | ARIL_GATE_CPU(below(f, ARIL_INFO->ncpus)));
	case 7:
		return PUT(ARIL_CALL_SLICE_SET_INDEX, f->auth, f->on_cpu,
			   own_position(f, f->on_cpu), f->env, 0);
	case 8:
		return PUT(ARIL_CALL_ENV_CONTEXT_INDEX, f->auth, p->env, f->on_cpu, 0, 0);
	case 9:
		return PUT(ARIL_CALL_FRAME_RESET_INDEX, f->auth, p->frame[0]);
	default:
		return 0;
	}
}

static int plan_account(struct fuzzer *f, struct past *to, u32 step)
{
	struct plan *p = &f->plan;
	const struct side *s = &sides[f->side];
	struct aril_account_desc d = {
		.guard = s->guard, .limit = {8, below(f, 2), 0, 0, 0, 0, 4096, 4096}, .reserve = 1};
	struct aril_frame_op op = {
		.first = p->frame[0], .count = 1, .kind = ARIL_FRAME_CHARGE, .tag = p->account};
	struct aril_revocation want = {.kind = below(f, 2) ? ARIL_REVOKE_FRAMES
							   : ARIL_REVOKE_SLICES,
				       .count = 1 + below(f, 2),
				       .last = ~0u,
				       .lower = one_in(f, 4),
				       .deadline = core_now() + below(f, 3000000)};
	u64 at;

	switch (step) {
	case 0:
		at = put_record(f, to, &d, sizeof(d), &d.limit[below(f, 8)]);
		return PUT(ARIL_CALL_ACCOUNT_CREATE_INDEX, f->auth, s->account, at);
	case 1:
		return PUT(ARIL_CALL_ACCOUNT_SET_INDEX, f->auth, p->account, below(f, 4),
			   8 + below(f, 4));
	case 2:
	case 3:
	case 4:
		p->frame[0] = op.first = fresh(f);
		if (step == 3) {
			op.kind = ARIL_FRAME_MARK_KEEP;
			op.tag = below(f, 2);
		}
		at = put_record(f, to, &op, sizeof(op), &op.first);
		return PUT(ARIL_CALL_FRAME_UPDATE_INDEX, f->auth, at, 1);
	case 5:
		return PUT(ARIL_CALL_ACCOUNT_HANDLER_INDEX, f->auth, p->account, f->env, f->on_cpu,
			   fresh(f));
	case 6:
		at = put_record(f, to, &want, sizeof(want), &want.count);
		return PUT(ARIL_CALL_REVOKE_INDEX, f->auth, p->account, at);
	case 7:
		return PUT(ARIL_CALL_ACCOUNT_HANDLER_INDEX, f->auth, p->account, 0, 0, 0);
	case 8: /* what is charged there goes back to the side's, else it stays until it is taken */
		op.first = s->first;
		op.count = POOL;
		op.tag = s->account;
		at = put_record(f, to, &op, sizeof(op), 0);
		return PUT(ARIL_CALL_FRAME_UPDATE_INDEX, f->auth, at, 1);
	case 9:
		at = put_record(f, to, &s->guard, sizeof(s->guard), 0);
		return PUT(ARIL_CALL_ACCOUNT_GUARD_INDEX, f->auth, p->account, at);
	case 10:
		return PUT(ARIL_CALL_ACCOUNT_DESTROY_INDEX, f->auth, p->account);
	default:
		return 0;
	}
}

static int plan_slice(struct fuzzer *f, struct past *to, u32 step)
{
	struct plan *p = &f->plan;
	const volatile struct aril_slice *slices =
		(const volatile struct aril_slice *)ARIL_INFO->slices_va;
	u64 at;

	switch (step) {
	case 0:
		p->cpu = below(f, ARIL_INFO->ncpus);
		p->position = own_position(f, p->cpu);
		return PUT(ARIL_CALL_SLICE_SET_INDEX, f->auth, p->cpu, p->position, pick_env(f), 0);
	case 1:
		return PUT(ARIL_CALL_SLICE_FREE_INDEX, f->auth, p->cpu, p->position);
	case 2: /* that one, or any free one */
		for (u32 i = 0;
		     i < ARIL_SLICES && slices[p->cpu * ARIL_SLICES + p->position].account; i++)
			p->position = (p->position + 1) % ARIL_SLICES;
		at = put_record(f, to, &sides[f->side].guard, sizeof(struct aril_guard), 0);
		return PUT(ARIL_CALL_SLICE_ALLOC_INDEX, f->auth, sides[f->side].account, p->cpu,
			   p->position, at);
	case 3:
		return PUT(ARIL_CALL_SLICE_SET_INDEX, f->auth, p->cpu, p->position, f->env, 0);
	default:
		return 0;
	}
}

/* Frames freed and allocated, guarded and not, joined and split. */
static int plan_frame(struct fuzzer *f, struct past *to, u32 step)
{
	struct plan *p = &f->plan;
	const struct side *s = &sides[f->side];
	struct aril_frame_op op = {
		.first = p->frame[0], .count = 1, .kind = ARIL_FRAME_GUARD, .slot = 1};
	u64 at;

	switch (step) {
	case 0:
		p->frame[0] = fresh(f);
		op.first = p->frame[0];
		op.guard = s->guard;
		op.guard.name[op.guard.len++] = 7;
		break;
	case 1:
		break; /* none again: what was bound under it is not */
	case 2:
		op = (struct aril_frame_op){
			.first = p->frame[0], .count = 1, .kind = ARIL_FRAME_TAG, .tag = step};
		break;
	case 3:
		return PUT(ARIL_CALL_FRAME_FREE_INDEX, f->auth, p->frame[0], 1 + one_in(f, 3));
	case 4:
		at = put_record(f, to, &s->guard, sizeof(s->guard), 0);
		return PUT(ARIL_CALL_FRAME_ALLOC_INDEX, f->auth, s->account, p->frame[0], 1, at);
	case 5:
	case 6:
		if (below(f, 4))
			return 0;
		op = (struct aril_frame_op){.first = big_first,
					    .count = BIG,
					    .kind = step == 5 ? ARIL_FRAME_JOIN : ARIL_FRAME_SPLIT};
		break;
	default:
		return 0;
	}
	at = put_record(f, to, &op, sizeof(op), below(f, 2) ? &op.first : (u32 *)&op.kind);
	return PUT(ARIL_CALL_FRAME_UPDATE_INDEX, f->auth, at, 1);
}

/* Bindings that may be written by a frame's second guard alone, as the first lets it be read only. The first's rights come back,
 * and what the second had granted goes with it. */
static int plan_second(struct fuzzer *f, struct past *to, u32 step)
{
	struct plan *p = &f->plan;
	struct aril_frame_op op = {.first = p->frame[4],
				   .count = 1,
				   .kind = ARIL_FRAME_GUARD,
				   .slot = step == 4 || step == 10,
				   .guard = sides[f->side].guard};
	struct aril_space_op bind = {.va = p->va + ((u64)(step == 7) << 12),
				     .frame = p->frame[4],
				     .count = 1,
				     .kind = step < 8 ? ARIL_BIND : ARIL_PROTECT,
				     .flags = ARIL_BIND_WRITE | ARIL_BIND_EXEC * below(f, 2),
				     .auth = below(f, 2) ? f->auth : f->weak};
	u64 at;

	if (step < 4)
		return space(f, to, step, 1);
	switch (step) {
	case 4: /* the second: a longer name */
		p->frame[4] = op.first = fresh(f);
		op.guard.name[op.guard.len++] = 7;
		break;
	case 5: /* the first */
		op.guard.rights = ARIL_READ;
		break;
	case 6:
	case 7:
	case 8:
		at = put_record(f, to, &bind, sizeof(bind), &bind.frame);
		return PUT(ARIL_CALL_SPACE_UPDATE_INDEX, f->auth, p->space, at, 1);
	case 9: /* the first, opened by the second */
		break;
	case 10:
		op.guard = (struct aril_guard){0};
		break;
	default:
		return 0;
	}
	at = put_record(f, to, &op, sizeof(op), &op.first);
	return PUT(ARIL_CALL_FRAME_UPDATE_INDEX, f->auth, at, 1);
}

/* A grant that the supervisor made out to the side: who has it may use it, and who opens its guard move it. */
static int plan_grant(struct fuzzer *f, struct past *to, u32 step)
{
	u32 grant = sides[f->side].grant[below(f, GRANTS)];
	u64 at;

	switch (step) {
	case 0:
		return PUT(ARIL_CALL_GRANT_MOVE_INDEX, f->auth, grant, f->env, f->on_cpu);
	case 1:
		return PUT(ARIL_CALL_LINE_UNMASK_INDEX, sides[f->side].grant[0]);
	case 2:
		at = put_record(f, to, &sides[f->side].guard, sizeof(struct aril_guard), 0);
		return PUT(ARIL_CALL_GRANT_GUARD_INDEX, f->auth, grant, at);
	case 3:
		return PUT(ARIL_CALL_GRANT_MOVE_INDEX, f->auth, grant, pick_env(f),
			   below(f, ARIL_INFO->ncpus));
	case 4:
		return below(f, 4) ? 0 : PUT(ARIL_CALL_GRANT_DESTROY_INDEX, f->auth, grant);
	default:
		return 0;
	}
}

/* Frames that were freed, allocated again. */
static int plan_take(struct fuzzer *f, struct past *to, u32 step)
{
	const struct side *s = &sides[f->side];
	u32 start = below(f, POOL);

	for (u32 i = 0; i < POOL && step < 6; i++) {
		u32 frame = s->first + (start + i) % POOL;

		if (!frame_info(frame)->account && !frame_info(frame)->state) {
			u64 at = put_record(f, to, &s->guard, sizeof(s->guard), 0);
			return PUT(ARIL_CALL_FRAME_ALLOC_INDEX, f->auth, s->account, frame, 1, at);
		}
	}
	return 0;
}

/* What a sequence built is memory again, in most cases: else there is none left soon. */
static int plan_clear(struct fuzzer *f, struct past *to)
{
	struct plan *p = &f->plan;

	while (p->step < 9) {
		u32 frame = p->step < 8 ? p->frame[p->step] : p->space;

		p->step++;
		if (frame && frame_info(frame)->state && below(f, 16))
			return PUT(ARIL_CALL_FRAME_RESET_INDEX, f->auth, frame);
	}
	return 0;
}

int plan_next(struct fuzzer *f, struct past *to)
{
	static int (*const plans[])(struct fuzzer *, struct past *, u32) = {
		plan_bind, plan_cache, plan_region, plan_env,  plan_account, plan_slice, plan_frame,
		plan_bind, plan_cache, plan_grant,  plan_take, plan_frame,   plan_second};
	struct plan *p = &f->plan;

	to->bytes = 0;
	for (u32 tries = 0; tries < 6; tries++) {
		if (!p->going) {
			memset(p, 0, sizeof(*p));
			p->going = 1;
			p->kind = below(f, sizeof(plans) / sizeof(plans[0]));
		}
		if (p->going == 1 ? plans[p->kind](f, to, p->step) : plan_clear(f, to))
			return !(f->leaf && aril_call_desc[to->call].kind == 2);
		p->going = p->going == 1 ? 2 : 0;
		p->step = 0;
	}
	return 0;
}

void plan_made(struct fuzzer *f, const struct past *call, s64 result)
{
	struct plan *p = &f->plan;
	u32 number = aril_call_desc[call->call].number;

	if (p->going != 1 || result == -ARIL_E_AGAIN)
		return;
	if (result < 0 && ++p->failed > 1) { /* it may have been changed: one is let pass */
		p->going = 2;
		p->step = 0;
		return;
	}
	p->step++;
	if (result < 0)
		return;
	if (number == ARIL_CALL_ENV_CREATE_INDEX)
		p->env = (u32)result;
	if (number == ARIL_CALL_ACCOUNT_CREATE_INDEX)
		p->account = (u32)result;
}

/* SPDX-License-Identifier: MIT
 * Loops, by guess and check. At a loop's head stands a symbol n: how often control went back so far. A guess says of every
 * variable that it is as at the entry, or so much more for each time round, or within a num; of n that it is at most N;
 * and facts between them. The body is walked once from that state. The guess holds if the entry's state is within it for
 * n = 0, and every way back is within it for n + 1, with n + 1 <= N: then, by induction, it holds each time, and control
 * goes back N times at most. Only this check is trusted; how guesses come about is in verify_guess.c.
 * No round depends on how large N is.
 *
 * Kinds of values may change after the first times round (a pointer that begins as null): a way back whose registers are
 * of other kinds is the entry of a further phase; there are at most PHASES_MOST. */
#include "mem.h"
#include <refusal.h>
#include <verify.h>

#define ROUNDS_MOST 16u
#define PHASES_MOST 5u
#define OPEN_MOST 16u

static struct loop_run *run_of(struct verify *ver, u32 loop)
{
	if (!ver->loop[loop])
		ver->loop[loop] = ext_alloc(ver->arena, sizeof(struct loop_run));
	if (!ver->loop[loop]) {
		ver->stop = ver->failed = 1;
		ext_refuse_memory(ver->why);
	}
	return ver->loop[loop];
}

static void free_list(struct verify *ver, struct state **list)
{
	while (*list) {
		struct state *next = (*list)->next;

		state_free(ver, *list);
		*list = next;
	}
}

static void forget_round(struct verify *ver, struct loop_run *r)
{
	free_list(ver, &r->back);
	for (struct exit_list *x = r->exits; x; x = x->next)
		free_list(ver, &x->states);
	if (r->head)
		state_free(ver, r->head);
	r->head = 0;
}

/* A round that is not accepted claims nothing. */
static int watch_save(struct verify *ver, struct loop_run *r, int back)
{
	u64 bytes = ver->p->insns * sizeof(r->watched[0]);

	if (verify_notes(ver, r, back))
		return -1;
	if (!ver->out->watched)
		return 0;
	if (!r->watched)
		r->watched = ext_alloc(ver->arena, bytes);
	if (!r->watched) {
		ver->stop = ver->failed = 1;
		return ext_refuse_memory(ver->why);
	}
	if (back)
		memcpy(ver->out->watched->at, r->watched, bytes);
	else
		memcpy(r->watched, ver->out->watched->at, bytes);
	return 0;
}

/* One walk over the body. 0, -1. */
static int round_walk(struct verify *ver, struct loop_run *r)
{
	struct flow_loop *loop = &ver->flow.loop[r->loop];
	struct loop_run *run = ver->run;
	struct state *first;
	int error;

	r->head = loop_head(ver, r);
	if (!r->head)
		return -1;
	first = state_keep(ver, r->head);
	if (!first)
		return -1;
	ver->run = r;
	ver->failed = 0;
	ver->pending[loop->head] = first;
	error = verify_scope(ver, loop->block, loop->blocks, r->loop);
	ver->run = run;
	return error || ver->stop ? -1 : 0;
}

/* The loop ends: its ways out, with what all its rounds cost. */
static int leave(struct verify *ver, struct loop_run *r, u64 trips, u64 before, u64 *turns)
{
	struct flow_loop *loop = &ver->flow.loop[r->loop];
	u64 body = 0, cost;
	int error = 0;

	for (struct state *s = r->back; s; s = s->next)
		body = s->cost > body ? s->cost : body;
	cost = cost_add(before, cost_mul(trips, body));
	*turns = cost_add(*turns, trips);
	for (struct state *s = r->back; s; s = s->next)
		s->cost = cost_add(s->cost, cost);
	for (struct exit_list *x = r->exits; x; x = x->next)
		for (struct state *s = x->states; s && !error; s = s->next) {
			s->cost = cost_add(s->cost, cost);
			error = verify_emit(ver, s, loop->head, x->block);
		}
	return error;
}

static void say_unbounded(struct verify *ver, struct loop_run *r)
{
	struct loop_run *runs = ver->runs;
	u32 affine = 0, other = 0;

	for (u32 k = 0; k < r->vars; k++) {
		affine += r->var[k].class == VAR_AFFINE;
		other += r->var[k].class == VAR_OTHER;
	}
	ver->failed = 0;
	verify_refuse(ver, EXT_WHY_LOOP, ver->flow.block[ver->flow.loop[r->loop].head].first, -1,
		      "no bound was proved for how often this loop goes round");
	verify_needed(ver, "a test that ends it; of what it changes, %u steady, %u other",
		      (u64)affine, (u64)other);
	ver->runs = runs;
}

static int is_unbounded(const struct verify *ver, int holds)
{
	return !holds || (holds < 0 && !ver->failed);
}

/* Rounds until a guess holds: *holds 1; below 0: nothing more to try. again: it is not the first attempt. 0, -1. */
static int attempt(struct verify *ver, struct loop_run *r, int again, int *holds)
{
	int error = loop_prepare(ver, r);

	*holds = 0;
	for (u32 round = 0; round < ROUNDS_MOST && !error && !*holds; round++) {
		if (round || again)
			forget_round(ver, r);
		error = watch_save(ver, r, round || again) ? -1 : round_walk(ver, r);
		if (!error)
			*holds = loop_check(ver, r);
	}
	return error;
}

/* One entry state: attempts until a guess holds. more: entries of further phases. */
static int phase(struct verify *ver, struct loop_run *r, struct state **more, u64 *turns)
{
	struct ext_refusal saved = *ver->why;
	int saved_failed = ver->failed, error = 0, holds = 0;
	u64 trips = 0;
	struct num n;

	r->outer = ver->runs;
	ver->runs = r;
	error = attempt(ver, r, 0, &holds);
	if (!error && is_unbounded(ver, holds) && ver->flow.loop[r->loop].shrinks) {
		r->shrinking = !r->shrinking; /* the next entry begins with what this one needed */
		error = attempt(ver, r, 1, &holds);
		r->shrinking &= holds > 0;
	}
	if (!error && is_unbounded(ver, holds))
		say_unbounded(ver, r);
	ver->runs = r->outer;
	if (error)
		return -1;
	if (holds <= 0) {
		if (saved_failed)
			*ver->why = saved;
		if (!ver->runs) {
			ver->stop = 1;
			return -1;
		}
	} else {
		ver->failed = saved_failed;
		*ver->why = saved;
	}
	n = state_sym(ver, r->head, r->n);
	trips = r->back ? n.umax : 0;
	error = leave(ver, r, trips, r->entry->cost, turns);
	for (struct state *s = r->back, *next; s; s = next) {
		next = s->next;
		s->next = 0;
		if (holds > 0 && loop_is_phase(ver, r, s)) {
			s->next = *more;
			*more = s;
		} else {
			state_free(ver, s);
		}
	}
	r->back = 0;
	forget_round(ver, r);
	return error;
}

int verify_loop(struct verify *ver, u32 loop, struct state *entry)
{
	struct loop_run *r = run_of(ver, loop);
	struct flow_loop *l = &ver->flow.loop[loop];
	u64 turns = 0;
	int error = 0;

	if (!r)
		return -1;
	if (ver->open == OPEN_MOST) {
		ver->runs = 0; /* no guess changes it: final */
		ver->failed = 0;
		return verify_refuse(ver, EXT_WHY_LOOP, ver->flow.block[l->head].first, -1,
				     "loops nested too deep, through calls");
	}
	ver->open++;
	entry->next = 0;
	for (u32 phases = 0; entry && !error; phases++) {
		struct state *now = entry;

		if (phases == PHASES_MOST) {
			error = verify_refuse(ver, EXT_WHY_LOOP, ver->flow.block[l->head].first, -1,
					      "the kinds of values change too often in this loop");
			break;
		}
		entry = entry->next;
		now->next = 0;
		r->loop = loop;
		r->entry = now;
		turns = cost_add(turns, phases != 0);
		error = phase(ver, r, &entry, &turns);
		state_free(ver, now);
	}
	free_list(ver, &entry);
	ver->open--;
	if (turns > l->trips)
		l->trips = turns;
	return error;
}

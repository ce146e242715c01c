/* SPDX-License-Identifier: MIT
 * Stride scheduling: see core/stride.h. */
#include <aril/error.h>
#include <core/stride.h>
#include <core/time.h>
#include <core/upcall.h>

#define STRIDE_ONE (1ul << 32)

static s32 find(const struct core_stride *s, u32 env)
{
	for (u32 i = 0; i < s->n; i++)
		if (s->client[i].env == env)
			return (s32)i;
	return -1;
}

s64 core_stride_set(struct core_stride *s, u32 env, u32 tickets)
{
	s32 i = find(s, env);

	if (!tickets || tickets > CORE_TICKETS_MAX)
		return -ARIL_E_RANGE;
	if (i < 0 && s->n == CORE_STRIDE_CLIENTS)
		return -ARIL_E_QUOTA;
	if (i < 0) {
		i = (s32)s->n++;
		s->client[i] = (struct core_stride_client){.env = env, .pass = s->pass};
		s->client[i].pass += STRIDE_ONE / tickets / 2;
	}
	s->client[i].tickets = tickets;
	return 0;
}

void core_stride_remove(struct core_stride *s, u32 env)
{
	s32 i = find(s, env);

	if (i >= 0)
		s->client[i] = s->client[--s->n];
}

s32 core_stride_next(const struct core_stride *s)
{
	s32 best = -1;

	for (u32 i = 0; i < s->n; i++)
		if (best < 0 || s->client[i].pass < s->client[best].pass)
			best = (s32)i;
	return best;
}

void core_stride_charge(struct core_stride *s, s32 i)
{
	struct core_stride_client *c = &s->client[i];

	s->pass = c->pass;
	c->pass += STRIDE_ONE / c->tickets;
	c->slices++;
}

void core_stride_skip(struct core_stride *s, s32 i)
{
	u64 last = 0;

	for (u32 k = 0; k < s->n; k++)
		if (s->client[k].pass > last)
			last = s->client[k].pass;
	s->client[i].pass = last + 1;
}

u64 core_stride_run(struct core_stride *s, u64 slices)
{
	u64 given = 0;

	for (; slices; slices--) {
		for (u32 tries = 0;; tries++) {
			s32 i = core_stride_next(s);

			if (i < 0 || tries == s->n) { /* nobody can run */
				core_yield(0, 0);
				break;
			}
			u64 now = core_now();
			u32 env = s->client[i].env;
			if (core_yield(s->auth, env) < 0) {
				core_stride_skip(s, i);
				continue;
			}
			core_stride_charge(s, i);
			if (s->trace)
				s->trace(env, now);
			given++;
			break;
		}
	}
	return given;
}

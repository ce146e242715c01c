/* SPDX-License-Identifier: MIT
 * Lottery scheduling: see core/lottery.h. */
#include <aril/error.h>
#include <core/lottery.h>
#include <core/time.h>
#include <core/upcall.h>

/* Xorshift (Marsaglia 2003), the upper half: good enough to draw by. */
static u32 random_below(struct core_lottery *l, u32 n)
{
	l->seed ^= l->seed << 13;
	l->seed ^= l->seed >> 7;
	l->seed ^= l->seed << 17;
	return (u32)((l->seed >> 32) * n >> 32);
}

static u32 common_divisor(u32 a, u32 b)
{
	while (b) {
		u32 rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

/* Fills the deck in order; 0 where it does not fit. */
static u32 deal(struct core_lottery *l)
{
	u32 divisor = 0, n = 0;

	for (u32 i = 0; i < l->n; i++)
		divisor = common_divisor(l->client[i].tickets, divisor);
	for (u32 i = 0; i < l->n; i++) {
		u32 tickets = l->client[i].tickets / divisor;

		if (tickets > CORE_LOTTERY_DECK - n)
			return 0;
		for (u32 k = 0; k < tickets; k++)
			l->deck[n++] = (u8)i;
	}
	return n;
}

s64 core_lottery_set(struct core_lottery *l, u32 env, u32 tickets)
{
	u32 i = 0, before;

	if (!tickets)
		return -ARIL_E_RANGE;
	while (i < l->n && l->client[i].env != env)
		i++;
	if (i == CORE_LOTTERY_CLIENTS)
		return -ARIL_E_QUOTA;
	if (i == l->n)
		l->client[l->n++] = (struct core_lottery_client){.env = env};
	before = l->client[i].tickets;
	l->client[i].tickets = tickets;
	l->left = 0;
	if (deal(l))
		return 0;
	l->client[i].tickets = before;
	l->n -= !before;
	return -ARIL_E_QUOTA;
}

void core_lottery_remove(struct core_lottery *l, u32 env)
{
	for (u32 i = 0; i < l->n; i++)
		if (l->client[i].env == env)
			l->client[i] = l->client[--l->n];
	l->left = 0;
}

s32 core_lottery_draw(struct core_lottery *l)
{
	if (!l->left)
		l->left = deal(l);
	if (!l->left)
		return -1;
	u32 at = random_below(l, l->left--);
	u8 drawn = l->deck[at];

	l->deck[at] = l->deck[l->left];
	return drawn;
}

u64 core_lottery_run(struct core_lottery *l, u64 slices)
{
	u64 given = 0;

	for (; slices; slices--) {
		u32 tries = CORE_LOTTERY_DECK;

		while (tries--) {
			s32 i = core_lottery_draw(l);
			u64 now = core_now();

			if (i < 0)
				break;
			u32 env = l->client[i].env;
			if (core_yield(l->auth, env) < 0)
				continue; /* it cannot run: its ticket is spent */
			l->client[i].slices++;
			if (l->trace)
				l->trace(env, now);
			given++;
			break;
		}
		if (tries + 1 == 0 || !l->n)
			core_yield(0, 0);
	}
	return given;
}

/* SPDX-License-Identifier: MIT
 * Lottery scheduling (Waldspurger and Weihl 1994): as core/stride.h, but who goes next is drawn, so that nobody can
 * foresee it from what the others do.
 *
 * Independent draws would leave each share a standard deviation of sqrt(n p (1 - p)) slices: 15.8 of 1,000 for half of
 * the tickets, more than one percent. So tickets are drawn without putting them back, from a shuffled deck that holds
 * each client's tickets once: after every whole deck the shares are exact, in between no client is further from its due
 * than its tickets in one deck. The price: who counts the deck knows more towards its end. Tickets are reduced to
 * lowest terms when the deck is made. */
#ifndef CORE_LOTTERY_H
#define CORE_LOTTERY_H

#include <aril/types.h>

#define CORE_LOTTERY_CLIENTS 64
#define CORE_LOTTERY_DECK 1024 /* tickets of all clients together, in lowest terms */

struct core_lottery_client {
	u32 env;
	u32 tickets;
	u64 slices;
};

struct core_lottery {
	u32 n;
	u32 auth; /* opens the clients for RUN */
	u64 seed; /* not 0 */
	u32 left; /* tickets of the deck not drawn yet; 0: shuffle anew */
	struct core_lottery_client client[CORE_LOTTERY_CLIENTS];
	u8 deck[CORE_LOTTERY_DECK]; /* indices of clients */
	void (*trace)(u32 env, u64 ns);
};

/* A client more, or a known one's tickets changed; a new deck. 0, or -ARIL_E_RANGE, -ARIL_E_QUOTA: too many clients, or
 * tickets beyond a deck. */
s64 core_lottery_set(struct core_lottery *l, u32 env, u32 tickets);
void core_lottery_remove(struct core_lottery *l, u32 env);
/* Draws: an index, or -1 without clients. */
s32 core_lottery_draw(struct core_lottery *l);
/* Gives so many slices, the rest of this one first, each to who is drawn and can run; returns how many found one. */
u64 core_lottery_run(struct core_lottery *l, u64 slices);

#endif

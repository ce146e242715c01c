/* SPDX-License-Identifier: MIT
 * Stride scheduling (Waldspurger and Weihl 1995): an env that owns slices of a CPU gives each of them, by a directed
 * yield, to one of its clients, in proportion to their tickets. Of every client's slices the number differs by less
 * than one from its due, over any stretch in which the clients stay the same and can run.
 *
 * One struct per CPU, used by one env there. A client that cannot run (blocked, not on this CPU, dead) is passed over
 * and, when it can again, has no claim to what it missed. */
#ifndef CORE_STRIDE_H
#define CORE_STRIDE_H

#include <aril/types.h>

#define CORE_STRIDE_CLIENTS 64
#define CORE_TICKETS_MAX (1u << 16)

struct core_stride_client {
	u32 env;
	u32 tickets;
	u64 pass;   /* virtual time: the least goes next; grows by 1 / tickets with each slice */
	u64 slices; /* given, in its life here */
};

struct core_stride {
	u32 n;
	u32 auth; /* opens the clients for RUN */
	u64 pass; /* of the client that went last */
	struct core_stride_client client[CORE_STRIDE_CLIENTS];
	/* told of every slice that was given, with its START's time: for traces; NULL: nobody */
	void (*trace)(u32 env, u64 ns);
};

/* A client more, with 1..CORE_TICKETS_MAX tickets, or a known one's tickets changed. 0, or -ARIL_E_RANGE,
 * -ARIL_E_QUOTA. */
s64 core_stride_set(struct core_stride *s, u32 env, u32 tickets);
/* A client less. */
void core_stride_remove(struct core_stride *s, u32 env);
/* Whose turn it is: an index, or -1 without clients. Pure; linear in clients. */
s32 core_stride_next(const struct core_stride *s);
/* It had a slice. */
void core_stride_charge(struct core_stride *s, s32 i);
/* It could not run: its next turn comes after everybody's. */
void core_stride_skip(struct core_stride *s, s32 i);
/* Gives so many slices, the rest of this one first; returns how many found somebody to run. Events of the calling env
 * pend while it does not run. */
u64 core_stride_run(struct core_stride *s, u64 slices);

#endif

/* SPDX-License-Identifier: MIT
 * aril-top: who has what of the machine, read from the kernel's books, which every program can see. */
#ifndef TOP_H
#define TOP_H

#include <aril/info.h>
#include <stdio.h>

#define STATES (ARIL_FRAME_DATA + 1)

/* What an account's frames are. Account 0: nobody's. */
struct held {
	u64 frames[STATES];
	u64 total;
	u64 bound; /* frames with a binding */
	u64 refs;  /* bindings of its frames */
	u64 pinned;
};

/* A copy of the books. They change while they are copied: each number is true at some moment, not all at the same. */
struct snapshot {
	u64 now_ns;
	u32 ncpus, nframes, nenvs, ngrants;
	u64 present; /* frames that are memory */
	struct aril_info info;
	struct held held[ARIL_MAX_ACCOUNTS], all;
	struct aril_account account[ARIL_MAX_ACCOUNTS];
	struct aril_env_info env[ARIL_MAX_ENVS];
	struct aril_slice slice[ARIL_MAX_CPUS][ARIL_SLICES];
	struct aril_grant grant[ARIL_MAX_GRANTS];
};

/* Reads the books; 0, or -1 where there are none (not run on Aril, or another version of it). */
int snapshot_take(struct snapshot *s);
/* Names for people. The text stays until the fourth call after this one. */
const char *state_name(u32 state);
const char *env_state_name(u32 state);
const char *grant_kind_name(u32 kind);
const char *
guard_name(const struct aril_guard *guard); /* bytes of the name, dotted; "-": the root's */
char account_letter(u32 slot);
u64 account_owed(
	const struct aril_account *account); /* things asked back and not yet given or taken */
/* Idle time of a CPU in thousandths, since before (NULL: since it started). */
u32 idle_permille(const struct snapshot *s, const struct snapshot *before, u32 cpu);

void print_text(FILE *to, const struct snapshot *s, const struct snapshot *before);
void print_json(FILE *to, const struct snapshot *s);
/* Shows it anew every so many seconds until q, Ctrl-C or a signal. */
int live(double seconds);

#endif

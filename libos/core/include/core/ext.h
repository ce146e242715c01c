/* SPDX-License-Identifier: MIT
 * Loading code into the kernel: what a program asks of the code authority (docs/66-authority.md), and what it does with
 * the code that it gets.
 *
 * A request is a page with the capability, the guards and the entry's name, and behind it the object, in consecutive
 * frames of the loader. The loader gives back to the machine as many frames as the work takes, and the authority takes
 * them, charged to the loader's account: they hold the instance that serves this request and nothing else, and the code
 * when it is done. The instance runs in the loader's time, when the loader yields to it. */
#ifndef CORE_EXT_H
#define CORE_EXT_H

#include <aril/cap.h>
#include <aril/code.h>
#include <core/domain.h>

/* --- the protocol: three words through the authority's gate (core/rpc.h), and three back */
enum core_ext_op {
	/* word[0]: op, and in its upper half the frames for code and data; word[1]: the first frame, and in its upper
	 * half how many; word[2]: the request's frame. Answer: word[0] enum core_ext_state; word[1]: BUILT: the instance,
	 * an env that the caller may yield to; REFUSED: an aril_error. BUILDING: call again. */
	CORE_EXT_BEGIN = 1,
	/* Ends the instance; word[1]: the first frame. All frames that are not sealed are free then. */
	CORE_EXT_END = 2,
	CORE_EXT_FAULT = 3, /* where it was started to be tested: the authority itself dies */
	CORE_EXT_SLOW = 4,  /* ... takes word[1] nanoseconds, and refuses */
};
enum core_ext_state {
	CORE_EXT_BUSY = 0, /* serves another CPU: call again */
	CORE_EXT_BUILDING = 1,
	CORE_EXT_BUILT = 2,
	CORE_EXT_ENDED = 3,
	CORE_EXT_REFUSED = 4,
};

#define CORE_EXT_OBJECT_MOST (16ul << 20)
struct core_ext_request {
	/* the loader writes */
	struct aril_cap
		cap; /* WRITE on its account, READ on these frames; its name dominates the guards' */
	struct aril_guard guard
		[2];	/* of the code: OWN, who takes it back and attaches it; EXEC, who uses it */
	u64 bytes;	/* of the object */
	u64 steps;	/* most that the verifier walks; 0: 10,000,000 */
	char entry[64]; /* function or section; "": the only one */
	char name[32];	/* what it is called where code is listed; "": the entry's name */
	/* the instance writes, `done` last */
	u32 done;			 /* 1: sealed; 2: not, and refusal says why */
	u32 more;			 /* frames that were missing for code and data; 0: others */
	u32 missing;			 /* memory was missing for the work */
	u32 code, text, constants, data; /* sealed: frames */
	u32 point;
	u64 worst, verified; /* instructions: of a run, walked by the verifier */
	u32 insns, room;     /* of the program; bytes of code */
	char refusal[640];
};
_Static_assert(sizeof(struct core_ext_request) <= ARIL_PAGE_SIZE, "a request is a page");

/* --- for loaders */
struct core_ext {
	/* given */
	u32 auth;		    /* the loader's own */
	struct aril_cap cap;	    /* presented to the authority */
	struct aril_guard guard[2]; /* guard[0] unused: all rights for cap's name */
	const char *entry, *name;   /* 0: as "" */
	u64 steps;
	u32 frames; /* for code and data; 0: 16, and more where more are needed */
	u32 memory; /* for the work; 0: 1024, and more where more are needed */
	/* got */
	u32 code, text, constants, data; /* first frame; how many of each kind behind it */
	u32 point, insns, bytes;
	u64 worst, verified;
	char refusal[640]; /* one line; "" where it was not the program's fault */
};

/* The authority's env, by the exposed tables; 0: there is none. */
u32 core_ext_authority(void);
/* Whether an env is there, by the exposed table. */
int core_env_alive(u32 env);
/* ... and has a gate. */
int core_env_serves(u32 env);
/* One request over frames that are prepared: request, whose page is request_frame and the object behind it, and
 * run, free frames that are the authority's to take: at least `room` and 64. Afterwards what was not sealed of run is free
 * again. 0: sealed; -ARIL_E_RANGE: refused; -ARIL_E_CLOSED: there is no authority, or its instance died; others: the
 * kernel's. Not from a core_handlers function; needs a thread that may yield. */
s64 core_ext_ask(u32 auth, struct core_ext_request *request, u32 request_frame, struct core_run run,
		 u32 room);
/* All of it, for a native program: the object's bytes are copied, frames come from the program's pool and go back there.
 * Results as above; -ARIL_E_QUOTA: the pool has not so many frames in a row. */
s64 core_ext_load(struct core_ext *e, const void *object, u64 bytes);
/* Uses loaded code at its point: FAULT, target an env, whose capabilities `space` and `frames` (indices of its own) open
 * its space and the frames that the handler binds; VICTIM, target an account. What was there is replaced. An env's handlers
 * are asked by rising order (below ARIL_CODE_ENTRIES; without _at: 0), each where its guard, loaded code for GUARD or NULL,
 * says yes. */
s64 core_ext_attach(const struct core_ext *e, u32 target, u32 space, u32 frames);
s64 core_ext_attach_at(const struct core_ext *e, u32 target, u32 space, u32 frames, u32 order,
		       const struct core_ext *guard);
s64 core_ext_detach(const struct core_ext *e, u32 target);
s64 core_ext_detach_at(const struct core_ext *e, u32 target, u32 order);
/* How often code has run, by its book: those runs included that predicates made for who sleeps still, and guards that
 * are in use. */
static inline u64 core_ext_runs(const volatile struct aril_code *book)
{
	u64 n = 0;

	for (u32 i = 0; i < ARIL_MAX_CPUS; i++)
		n += book->cpu[i].runs;
	for (u32 i = 0; i < ARIL_CODE_SLOTS; i++)
		if (book->slot[i].point == ARIL_POINT_PREDICATE)
			n += (u64)(s64)(book->slot[i].given - book->slot[i].left);
		else if (book->slot[i].point == ARIL_POINT_GUARD)
			n += book->slot[i].count[0] + book->slot[i].count[1];
	return n;
}
/* Takes the code back, and ends all its uses. Its frames are memory of the loader's again, and cleared. */
s64 core_ext_unload(const struct core_ext *e);

#endif

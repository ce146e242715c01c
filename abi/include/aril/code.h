/* SPDX-License-Identifier: MIT
 * Downloaded code in the kernel: how it is sealed, attached, waited with, and what is shown of it. */
#ifndef ARIL_CODE_H
#define ARIL_CODE_H

#include <aril/cap.h>
#include <aril/layout.h>
#include <aril/types.h>

#define ARIL_CODE_FRAMES 512 /* most frames of one piece of code, its first included */
#define ARIL_CODE_SLOTS 28   /* uses of one piece of code at a time */
#define ARIL_CODE_PAGES 3    /* that a predicate looks at */
#define ARIL_CODE_ENTRIES 8  /* handlers of one env's exceptions */
#define ARIL_CODE_STACK 4096
#define ARIL_CODE_WORST 1000   /* most instructions of a pure program */
#define ARIL_CODE_BUDGET 10000 /* most instructions of a handler */

/* Where it runs. */
enum aril_point {
	ARIL_POINT_PREDICATE = 1, /* code_wait: whether a blocked context goes on (pure) */
	ARIL_POINT_FAULT = 2,	  /* an env's exceptions, before its upcall (handler) */
	ARIL_POINT_VICTIM = 3,	  /* which frame an account gives (handler) */
	ARIL_POINT_GUARD = 4,	  /* whether a handler of faults is asked (pure) */
	ARIL_POINTS = 5,
};

/* code_seal */
struct aril_code_desc {
	/* consecutive frames: one for the kernel's book of it, then its instructions, its constants, its data */
	u32 first;
	u32 text, constants, data;
	u32 point;	/* enum aril_point */
	u32 entry;	/* bytes, in the instructions */
	u32 worst;	/* pure: most instructions of a run */
	u32 budget;	/* handler: instructions that a run may take */
	u32 entry_cost; /* handler: most of them before the first checkpoint */
	u32 stack;	/* bytes */
	u32 loader;	/* an index: the loader's capability */
	u32 account;	/* charged with the frames; WRITE by loader */
	u32 keeps; /* 1: it leaves rdi, rsi and r9 as they were: the kernel need not load them again */
	u32 zero;
	char name[32]; /* ends with 0 */
	/* of all its frames; names that loader dominates. EXEC: attach it, wait with it */
	struct aril_guard guard[2];
};
ARIL_ASSERT_SIZE(struct aril_code_desc, 184);

/* code_attach */
struct aril_code_attach {
	u32 code;   /* its first frame */
	u32 point;  /* FAULT, VICTIM */
	u32 target; /* FAULT: the env; VICTIM: the account */
	u32 space; /* FAULT: index of target's: opens its space for WRITE (aril_bind, aril_unprotect) */
	u32 frames; /* FAULT: index of target's: opens the frames that are bound */
	u32 order;  /* FAULT: below ARIL_CODE_ENTRIES; who has a lower one is asked before */
	u32 guard; /* FAULT: code for GUARD, which says whether this one is asked; 0: it always is */
	u32 zero;
};
ARIL_ASSERT_SIZE(struct aril_code_attach, 32);

/* code_wait: the predicate sees up to three pages and two values. A page 0 is not given: the predicate sees the first
 * again. A wake on any of the words makes it run; page[0] and its word are needed, others must be of a page that is given,
 * and no word may be named twice. */
#define ARIL_CODE_NO_WORD 0xffffu
struct aril_code_wait {
	u32 code;
	u32 auth;		   /* opens the pages for READ */
	u32 page[ARIL_CODE_PAGES]; /* frames */
	u16 word[ARIL_CODE_PAGES]; /* offsets in them, multiples of 4, or NO_WORD */
	u16 zero[3];
	u64 value[2];
	u64 deadline; /* ns of the exposed clock; 0: none */
};
ARIL_ASSERT_SIZE(struct aril_code_wait, 56);

/* --- what is shown: its first frame, which may be bound readable */
struct aril_code_counts { /* of one CPU */
	u64 runs;  /* of a guard: those of uses that are over; the others' are in their slots */
	u64 stops; /* of them: the budget was spent; of a guard: it said no */
	u64 left; /* handlers: instructions of the budget that were left, so budget * runs - left were taken */
};
/* The kernel's queue of those who wait for the same word. */
struct aril_code_word {
	u32 next, prev; /* physical addresses / 8; 0: none */
	u64 at; /* the kernel's address of the word; 0: no word of this page is waited for */
};
/* A use. Those at an env's exceptions are nodes of a list, by kernel addresses: a guard, if there is one, and behind it
 * the handler. */
struct aril_code_slot {
	u16 point;  /* 0: free */
	u16 cpu;    /* PREDICATE: of the context; FAULT, GUARD: the order */
	u32 target; /* env or account */
	u32 frames; /* an index of the target's: opens frames (FAULT), the pages (PREDICATE) */
	union {
		u32 space; /* FAULT: an index of the target's */
		u32 worst; /* PREDICATE: most instructions of a run */
	};
	/* PREDICATE: runs that may be made without the account being asked: as many as were given, less those made. The
	 * difference is not yet in the counts of the CPUs */
	s32 given, left;
	u64 run; /* but of VICTIM: as the book's */
	union {
		struct { /* PREDICATE */
			u64 value[2];
			u64 epoch; /* the kernel's, when it was last seen that the context may read the pages */
			u64 page[ARIL_CODE_PAGES]; /* the kernel's addresses of the pages */
			struct aril_code_word word[ARIL_CODE_PAGES];
		};
		struct { /* FAULT, GUARD */
			u64 next[2]; /* GUARD: where no leads, where yes; FAULT: what is behind it, its entry's first node */
			u64 count[2];  /* GUARD: how often it said no, yes */
			u64 allowance; /* FAULT: as the book's */
			u64 enter;     /* how the kernel goes on here */
		};
	};
};
ARIL_ASSERT_SIZE(struct aril_code_slot, 128);
struct aril_code {
	u32 text, constants, data; /* frames */
	u32 point, entry, worst, budget, entry_cost, stack;
	u32 uses; /* slots taken */
	char name[32];
	u64 run;       /* the kernel's address of its entry */
	u64 allowance; /* handlers: the budget behind the first checkpoint */
	struct aril_code_counts cpu[ARIL_MAX_CPUS];
	u32 keeps, zero; /* as in its description */
	u64 pad[4];
	struct aril_code_slot slot[ARIL_CODE_SLOTS];
};
ARIL_ASSERT_SIZE(struct aril_code, 4096);
ARIL_ASSERT_OFFSET(struct aril_code, slot, 512);

#endif

/* SPDX-License-Identifier: MIT
 * Downloaded code: sealing it, attaching it, running it, taking it back.
 *
 * A piece of code is a run of frames: CODE (the kernel's book of it, struct aril_code), TEXT (instructions), CONSTANT,
 * DATA; partner of all but the first is the first. Its uses are the book's slots: an env's handler or the guard before it,
 * an account's, a context that is blocked until a predicate holds. A use is named by a reference: its slot's physical
 * address / 64.
 *
 * Predicates run with object_lock and wait_lock held, choosers of frames with object_lock: so what they run on stays.
 * Handlers of faults and their guards run without a lock, on a CPU that acknowledges no quiesce meanwhile: who takes
 * code back, replaces or detaches it unlinks it, quiesces, and finds nobody in it. */
#ifndef KERNEL_CODE_H
#define KERNEL_CODE_H

#include "env.h"
#include "frame.h"
#include <aril/code.h>

#define CODE_REF_SHIFT 6
#define CODE_SLOT_BYTES 128u
_Static_assert(sizeof(struct aril_code_slot) == CODE_SLOT_BYTES, "slots lie at multiples of it");
_Static_assert((u64)ARIL_MAX_FRAMES << (ARIL_PAGE_SHIFT - CODE_REF_SHIFT) <= 1ul << 32,
	       "a reference is 32 bits");

/* In context.gate_to: it waits by code_wait, and context.wait_auth is the reference. No env's id. */
#define WAIT_CODE (~0u)

static inline struct aril_code *code_book(u32 first)
{
	return frame_memory(first);
}
static inline u32 code_first(u32 ref)
{
	return ref >> (ARIL_PAGE_SHIFT - CODE_REF_SHIFT);
}
static inline struct aril_code_slot *code_slot(u32 ref)
{
	return phys((u64)ref << CODE_REF_SHIFT);
}
/* The first frame of a book, the number of a use. */
static inline u32 code_frame_of(const struct aril_code *c)
{
	return (u32)(((u64)c - (u64)phys(0)) >> ARIL_PAGE_SHIFT);
}
/* The book in which a slot is. */
static inline struct aril_code *code_book_of(const struct aril_code_slot *s)
{
	return (struct aril_code *)((u64)s & ~(ARIL_PAGE_SIZE - 1));
}
static inline u32 code_ref(u32 first, u32 slot)
{
	return (u32)((((u64)first << ARIL_PAGE_SHIFT) +
		      __builtin_offsetof(struct aril_code, slot)) >>
		     CODE_REF_SHIFT) +
	       slot * (CODE_SLOT_BYTES >> CODE_REF_SHIFT);
}
static inline u32 code_frames(const struct aril_code *c)
{
	return 1 + c->text + c->constants + c->data;
}

/* --- seal (code.c) */
s64 call_code_guard(u32 auth, const struct aril_guard *guard);
s64 call_code_seal(u32 auth, const struct aril_code_desc *desc);
/* Takes back the code that a frame is part of: its uses end, its frames are NORMAL and cleared. Within the budget,
 * counted down; 1 when done. Nobody runs it when this returns 1. object_lock held. */
int code_destroy(u32 frame, u32 *budget, int *stale);

/* --- uses (code_attach.c) */
/* Decoding: first is code for this point, and a may use it (EXEC): 0 or -E_FRAME, -E_RIGHTS, -E_STATE, -E_RANGE. */
s64 code_check(u32 first, const struct auth *a, u32 point);
/* A free slot's reference, 0: none. */
u32 code_slot_find(u32 first);
void code_slot_take(u32 ref, const struct aril_code_slot *as);
void code_slot_free(u32 ref);
s64 call_code_attach(u32 auth, const struct aril_code_attach *desc);
s64 call_code_detach(u32 auth, u32 point, u32 target, u32 order);
/* Ends all uses of a piece of code; nobody runs it when this returns. object_lock held; takes wait_lock, may quiesce. */
void code_uses_end(u32 first);
/* The env, in which no CPU is any more, or the account is going. object_lock held. */
void code_env_gone(struct env *env);
void code_account_gone(u32 slot);

/* --- events (code_event.c): a list of entries, NULL where it is empty. Changed with object_lock held. */
extern const struct aril_code_slot code_event_end; /* behind the last */
/* The first node of the entry of that order, or NULL. */
struct aril_code_slot *code_event_at(struct aril_code_slot **event, u32 order);
/* The handler of an entry, by its first node. */
struct aril_code_slot *code_event_handler(struct aril_code_slot *node);
/* Puts an entry in, by its first node, or takes it out (NULL). One that has its order is unlinked: freed after a quiesce. */
void code_event_set(struct aril_code_slot **event, u32 order, struct aril_code_slot *node);
/* Who is asked where this handler did not end it. */
const struct aril_code_slot *code_event_next(const struct aril_code_slot *handler);

/* --- run (code_run.c) */
struct trap_frame;
/* An exception of the current env: 1 if a handler of its dealt with it, 0: it is the library's. */
int code_fault(const struct trap_frame *frame, u64 address);
/* The frame that an account's policy names, of first..last; 0: none, or it has no policy. object_lock held. */
u32 code_victim(u32 slot, u32 first, u32 last, u32 wanted);
/* Most instructions of a run of it; 0: it has none. */
u32 code_victim_cost(u32 slot);
/* The name of the code in which a kernel address lies, or NULL. */
const char *code_name_at(u64 rip);

/* --- wait: code_wait.h */

#endif

/* SPDX-License-Identifier: MIT
 * Envs and their contexts.
 *
 * struct env lies in a frame its creator gave. A context is the env's presence on one CPU; its page is the
 * library's, pinned. Run states of a context, and who makes the transition:
 *   CTX_NONE    -> CTX_READY    env_context
 *   CTX_READY   -> CTX_RUNNING  slice_enter (by slice, yield, gate; this CPU only)
 *   CTX_RUNNING -> CTX_READY    slice_leave (yield, end of slice, gate out; this CPU only)
 *   CTX_RUNNING -> CTX_BLOCKED  wait (this CPU only, under wait_lock)
 *   CTX_RUNNING -> CTX_BLOCKED  a synchronous gate to another CPU (this CPU only, under wait_lock)
 *   CTX_BLOCKED -> CTX_READY    wake, deadline, event, the gate's answer or end (any CPU, under wait_lock)
 *   CTX_READY   -> CTX_BLOCKED -> CTX_READY   a gate from another CPU leaves registers, all under one hold of
 *                               wait_lock: so nobody else sees it BLOCKED and in no queue
 *   any         -> CTX_NONE     env_destroy, after smp_quiesce
 */
#ifndef KERNEL_ENV_H
#define KERNEL_ENV_H

#include "cap.h"
#include "util.h"
#include <aril/code.h>
#include <aril/info.h>
#include <aril/ops.h>
#include <aril/upcall.h>

enum ctx_state { CTX_NONE = 0, CTX_READY, CTX_RUNNING, CTX_BLOCKED };

/* What was allowed last, so that to do it again needs a comparison: `auth`, an index of this context's env, opened the
 * env `id` for the right in question, and `to` is that env's context on this CPU; true as long as authority_epoch is what
 * it was before that was checked. Written and read by the context's own CPU alone. Zero: nothing. */
struct permit {
	u32 auth, id;
	u64 epoch;
	struct context *to;
};

struct context {
	struct aril_context *page; /* kernel alias of the library's page */
	u64 va;			   /* where the library sees it */
	struct env *env;
	u32 state; /* enum ctx_state */
	u32 donee; /* env that gets this context's slices while a synchronous gate is out; 0: none */
	struct permit gate, yield;
	u32 start_cause;
	s32 spare;     /* units of work that may be done without being asked (account.c) */
	u64 top, save; /* the library's addresses of the stack's end and of the first save area */
	u16 strikes;   /* overruns in a row; known to entry.S, down to here */
	u16 cpu;
	u32 frame;
	u32 start_from;
	s32 ahead;	   /* what `spare` was when it was given */
	u64 counted_slice; /* the end of the slice to which work and flushes belong (account.c) */
	u32 work, flushes;
	/* under wait_lock */
	u64 wait_key;  /* physical address of the word; 0: not queued */
	u32 wait_auth; /* the env's index under which it waits; WAIT_CODE: the use of code */
	u32 gate_to; /* env whose answer to a synchronous gate it waits for (gate.c); 0: none; or WAIT_CODE (code.h) */
	struct context *wait_next, *wait_prev;
	u64 deadline; /* ns; 0: none */
	struct context *time_next,
		*time_prev; /* this CPU's blocked contexts with a deadline, earliest first */
};

struct env {
	u64 entry; /* known to entry.S */
	u64 gate;
	struct aril_env_info *info; /* exposed; info->state is the authority on life */
	struct aril_frame *root;    /* the space's */
	u64 cr3;
	u32 id;
	u32 frame;
	struct aril_code_slot *fault; /* who sees its exceptions first: an event (code.h). So far */
	u32 space;		      /* root frame */
	u32 parent;
	u32 flags;
	u32 account; /* slot */
	u32 handles; /* accounts that it answers for (revoke.c) */
	u32 nports;  /* grants of ports: the CPU's bitmap is filled when it runs */
	u16 port_first[8];
	u32 port_count[8];
	struct auth auths[ARIL_AUTHS];
	struct context ctx[ARIL_MAX_CPUS];
};
_Static_assert(sizeof(struct env) <= ARIL_PAGE_SIZE, "an env fits its frame");

/* Where the library sees a context's page. */
static inline void context_place(struct context *ctx, u64 va)
{
	ctx->va = va;
	ctx->top = va + ARIL_CTX_STACK_TOP;
	ctx->save = ctx->top - ARIL_SAVE_BYTES;
}

extern struct aril_env_info *env_infos;

/* The living env with this id, or NULL. Valid until this CPU next polls (see lock.h), or while
 * object_lock is held. */
struct env *env_get(u32 id);
/* For object code: env exists and a opens its frame for rights: 0 or -E_ENV, -E_RIGHTS. */
s64 env_check(u32 id, const struct auth *a, u32 rights);

/* Marks env dying with its cause, makes every CPU leave it, takes its contexts, grants and rings away,
 * frees its table slot for reuse after the parent has seen it dead, and releases its frame. object_lock
 * held. Does not return early: bounded by the env's own fixed tables. */
void env_destroy(struct env *env, u32 end, s64 status);
/* The env that runs on this CPU is to be left for good. If it was interrupted, its registers go into its context's page, as
 * those of who is stopped by force: so that another env in its place can go on there. */
void context_keep(void);
/* Ends the current env because of a fault or exit, then runs something else. Takes object_lock. */
_Noreturn void env_end_current(u32 end, s64 status);
/* Says where gates enter it (0: nowhere), and shows whether: which is what decides. The address stays when it closes:
 * a call on another CPU that has just found it open enters there. Only closing makes what was allowed untrue: the address is
 * read by each call. */
static inline void env_gate_set(struct env *env, u64 gate)
{
	int closes = !gate && env->info->gate;

	if (gate)
		write_once(env->gate, gate);
	write_once(env->info->gate, gate != 0);
	if (closes)
		authority_changed();
}
static inline int env_gate_open(const struct env *env)
{
	return read_once(env->info->gate) != 0;
}
/* The physical address of an exposed env entry's state word: what its waiters wait on. */
u64 env_info_key(const struct aril_env_info *info);
/* Builds the first env, charged to the root account (object code at boot). */
struct env *env_boot(u32 frame, u32 space, u64 entry);

s64 call_env_create(u32 auth, u32 frame, const struct aril_env_desc *desc);
s64 call_env_context(u32 auth, u32 env, u32 cpu, u32 frame, u64 va);
s64 call_env_exit(s64 status);
s64 call_env_destroy(u32 auth, u32 env);
s64 call_env_entry(u64 entry, u64 gate);
s64 call_env_space(u32 auth, u32 space);

#endif

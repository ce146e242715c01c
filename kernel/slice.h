/* SPDX-License-Identifier: MIT
 * Processor time: each CPU's vector of slices, entering and leaving envs, upcalls. */
#ifndef KERNEL_SLICE_H
#define KERNEL_SLICE_H

#include "env.h"

extern struct aril_slice *slices; /* [ncpus][ARIL_SLICES]; object_lock for writing */

struct aril_info;
/* Publishes the lengths of slice and grace. */
void slice_expose(struct aril_info *i);
/* Gives the CPU to whoever is next: the next position whose env can run here, or idles until an interrupt
 * makes one runnable. The current context (if any) must already be left. */
_Noreturn void slice_next(void);
/* Enters ctx (READY, this CPU's): START upcall, or the forced state. Clears or loads all user-readable
 * registers. */
_Noreturn void slice_enter(struct context *ctx, u32 cause, u64 from);
/* READY -> RUNNING on this CPU, for slice_enter; 0 if it is not READY (any more). */
int ctx_claim(struct context *ctx);
/* Installs a claimed context: space, ports, books; enters nothing. */
void slice_install(struct context *ctx);
/* Leaves the current context, making it READY. */
void slice_leave(void);
/* The timer went off on this CPU, in user mode (frame != NULL) or idle. */
struct trap_frame;
void slice_timer(struct trap_frame *frame);
/* Sets this CPU's timer to whatever comes first: slice end, end of grace, or a deadline. */
void slice_timer_set(void);
/* An asynchronous upcall for ctx: sets pend; delivered at once if it is this CPU's running one, unmasked,
 * interrupted in user mode. */
void upcall_post(struct context *ctx, u32 pend);
/* Whether the current context has something pending that it can take now; delivers by editing the trap
 * frame so that the return goes to its entry. Called on the way back to user mode. */
void upcall_deliver_pending(struct trap_frame *frame);
/* A synchronous upcall (exception). Edits the frame; ends the env where the context masks all or its
 * stack has no room. */
void upcall_exception(struct trap_frame *frame, u64 addr);

/* A position becomes nobody's, free, and no longer charged. object_lock held. */
void slice_release(struct aril_slice *slice);
s64 call_slice_set(u32 auth, u32 cpu, u32 position, u32 env, const struct aril_guard *guard);
s64 call_slice_alloc(u32 auth, u32 account, u32 cpu, u32 position, const struct aril_guard *guard);
s64 call_slice_free(u32 auth, u32 cpu, u32 position);
s64 call_yield(u32 auth, u32 env);
s64 call_gate(u32 auth, u32 env, u32 mode);
/* The gate call with all registers: on success edits frame and the caller returns by it. */
s64 call_gate_frame(struct trap_frame *frame);
/* The same to another CPU, or to a caller there or here that is blocked until its answer. Changes the frame to
 * what the caller goes on with; does not return where that is blocked. Takes wait_lock. */
s64 gate_far(struct trap_frame *frame, u32 cpu);
/* The env's gate is closed for good: those who wait for answers hear of it. object_lock held. */
void gate_close(struct env *env);
/* The same by force: those on this CPU or another who gave it their slices until it answers have them back. */
void gate_abort(struct env *env);
s64 call_wait(u32 auth, u32 frame, u32 offset, u32 expected, u64 deadline);
s64 call_wake(u32 auth, u32 frame, u32 offset, u32 n);

/* wait.c, for the others: */
/* Makes a blocked context READY with this START cause; under wait_lock; kicks its CPU. */
void wait_unblock(struct context *ctx, u32 cause);
/* Takes a context out of every queue: it is about to cease. Whether it was in its CPU's list of deadlines: that
 * CPU may be looking at it until the next quiesce. Takes wait_lock. */
int wait_forget(struct context *ctx);
/* Wakes up to n waiters on a physical address, and those on the way whose right to it is gone, which do not
 * count. object_lock held; takes wait_lock. */
u32 wait_wake(u64 key, u32 n);
/* The current context leaves, blocked until callee answers (wait_unblock), or is gone. Under wait_lock. */
void wait_for_gate(struct context *ctx, const struct env *callee, u32 cpu);
/* ctx, which runs here, blocks until the predicate of a use of code holds. Under wait_lock. */
void wait_block_code(struct context *ctx, u32 ref, u64 deadline);
/* Who waits for an answer from callee's context on that CPU gets none: START, cause CLOSED. Takes wait_lock. */
void wait_gate_gone(const struct env *callee, u32 cpu);
/* Unblocks this CPU's contexts whose deadline is at or before now. */
void wait_expire(u64 now);

#endif

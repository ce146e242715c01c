/* SPDX-License-Identifier: MIT
 * Calls of another env through its gate: three words go, three words come back.
 *
 * core_rpc trusts nobody: all registers are saved before and loaded after, nothing but the message is shown, the answer
 * is taken from the callee alone, and its death is a refusal. core_rpc_trusting saves only what a C call does not keep:
 * the callee must bring the rest back (core_gate does), and if it dies, the caller ends too.
 *
 * The program's env has core_gate as its gate entry: aril_env_entry((u64)core_upcall, (u64)core_gate). A server answers
 * in core_handlers.gate. It keeps its gate open and stays READY with core_serve_forever; such an env best owns no
 * slices on a CPU where its callers are: it runs in theirs. */
#ifndef CORE_RPC_H
#define CORE_RPC_H

#include <aril/types.h>

struct core_message {
	u64 word[3];
};

struct core_server {
	u32 env;
	u32 auth; /* opens it for CALL */
	u32 mode; /* 0: on this CPU; ARIL_GATE_CPU(cpu): its context there, in its own time */
};

/* Calls, waits, and takes the answer into message: 0; or the gate's refusal (-ARIL_E_CLOSED also: the server ended, or
 * closed its gate, before it answered; -ARIL_E_CLOSED while another call is in it: try again after a yield). Everything
 * asynchronous pends meanwhile. Not from a core_handlers function. */
s64 core_rpc(const struct core_server *server, struct core_message *message);
s64 core_rpc_trusting(const struct core_server *server, struct core_message *message);

/* The env's gate entry. A request calls core_handlers.gate(caller, message) on the context's stack (2 KiB), END and
 * EVENT masked; it changes the message into the answer and returns the auth that opens the caller for CALL, or a
 * negative number: no answer. It must not wait, yield or call. */
void core_gate(void);
/* Opens the gate of this CPU and serves. */
_Noreturn void core_serve_forever(void);

#endif

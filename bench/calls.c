// SPDX-License-Identifier: MIT
// Calls of a server in another space through libos/core's rpc: one that trusts nobody and saves all registers (the literature's lrpc), and
// one that trusts the server to bring them back (tlrpc). Each adds two numbers, and the sum is looked at.
#include "../tests/native/member.h"
#include "bench.h"
#include "space_copy.h"
#include <core/rpc.h>

#define CALLS 64

static struct member server;

static s64 serve(u32 caller, struct core_message *m)
{
	(void)caller;
	m->word[0] += m->word[1];
	return member_self()->auth;
}

static void server_run(void)
{
	member_begin();
	core_serve_forever();
}

static s64 calls(u64 n, s64 (*how)(const struct core_server *, struct core_message *))
{
	const struct core_server to = {.env = server.env, .auth = core_auth};
	s64 error = 0;
	u64 took = BENCH_LOOP(n, {
		struct core_message m = {{i, 3, 0}};
		error |= how(&to, &m);
		error |= m.word[0] != i + 3;
	});

	return error ? -ARIL_E_STATE : bench_net(took, n);
}

static s64 untrusting(u64 n)
{
	return calls(n, core_rpc);
}

static s64 trusting(u64 n)
{
	return calls(n, core_rpc_trusting);
}

int main(int argc, char **argv, char **envp)
{
	u32 root;

	(void)envp;
	bench_start(argc, argv);
	core_handlers.gate = serve;
	aril_env_entry((u64)core_upcall, (u64)core_gate);
	s64 error = space_copy(&root);
	if (!error)
		error = member_make(&server, 0, root, server_run, core_gate);
	for (u32 i = 0; !error && i < 1000 && !(server.context->gate_open && server.auth); i++)
		core_yield(core_auth, server.env);
	if (error)
		core_print("bench lrpc refused %ld\n", -error);
	else {
		bench_run("lrpc", untrusting, CALLS);
		bench_run("tlrpc", trusting, CALLS);
	}
	return 0;
}

/* SPDX-License-Identifier: MIT
 * Calls through gates: see core/rpc.h. */
#include <aril/error.h>
#include <aril/info.h>
#include <aril/ops.h>
#include <aril_stubs.h>
#include <core/rpc.h>
#include <core/upcall.h>

s64 core_switch_gate(u32 auth, u32 env, u32 mode, const struct core_message *message);
s64 core_trusting_gate(u32 auth, u32 env, u32 mode, struct core_message *message);
s64 core_switch_yield(u32 auth, u32 env);
s64 core_serve(u64 caller, struct core_message *message);
void core_trusting_started(void);

static struct core_cpu *this_cpu(void)
{
	return (struct core_cpu *)core_context()->cookie;
}

static int alive(u32 env)
{
	const volatile struct aril_env_info *i =
		(const volatile struct aril_env_info *)ARIL_INFO->envs_va + (env & 0xffff);

	return i->id == env && i->state == ARIL_ENV_ALIVE;
}

s64 core_rpc(const struct core_server *server, struct core_message *message)
{
	struct aril_context *context = core_context();
	struct core_cpu *cpu = this_cpu();
	u32 open = context->gate_open;
	s64 result =
		core_switch_gate(server->auth, server->env, server->mode | ARIL_GATE_SYNC, message);

	/* Somebody gave us the CPU: our slices are the server's until it answers, so they go on to it. */
	while (result > 0 && result != CORE_GATE_ANSWER && result != ARIL_START_CLOSED &&
	       alive(server->env))
		result = core_switch_yield(0, 0);
	cpu->peer = 0;
	context->gate_open = open;
	if (result == CORE_GATE_ANSWER)
		for (u32 i = 0; i < 3; i++)
			message->word[i] = cpu->words[i];
	core_poll();
	if (result == CORE_GATE_ANSWER)
		return 0;
	return result < 0 ? result : -ARIL_E_CLOSED;
}

s64 core_rpc_trusting(const struct core_server *server, struct core_message *message)
{
	struct aril_context *context = core_context();
	u32 open = context->gate_open;
	s64 result = core_trusting_gate(server->auth, server->env, server->mode | ARIL_GATE_SYNC,
					message);

	context->gate_open = open;
	core_poll();
	return result == CORE_GATE_ANSWER ? 0 : result;
}

/* A START while a trusting call is out, on the context's stack: its registers are with the server. */
void core_trusting_started(void)
{
	if (!alive(this_cpu()->peer))
		aril_env_exit(-ARIL_E_CLOSED);
	aril_yield(0, 0);
}

s64 core_serve(u64 caller, struct core_message *message)
{
	core_context()->mask = ARIL_MASK_ASYNC;
	return core_handlers.gate ? core_handlers.gate((u32)caller, message) : -1;
}

_Noreturn void core_serve_forever(void)
{
	core_context()->gate_open = 1;
	for (;;)
		core_yield(0, 0);
}

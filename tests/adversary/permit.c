/* SPDX-License-Identifier: MIT
 * What was allowed a thousand times and then is not: a gate and a yield after the callee's guard changed, after the index
 * was closed, after the callee died, after its gate closed, and under an index that never opened it. */
// expect: permit: refused a yield after the guard changed
// expect: permit: refused a gate after the guard changed
// expect: permit: refused a yield by a closed index
// expect: permit: refused a gate by a closed index
// expect: permit: refused a yield to the dead
// expect: permit: refused a gate to the dead
// expect: permit: done
// forbid: permit: WRONG
// smp: 1
#include "adversary.h"

/* Goes back to whoever gave it the CPU: by a yield at START, by a gate at its gate. Its own env's index is at hand. */
extern u32 child_auth, parent_env;
u32 child_auth, parent_env;
CHILD(peer,
      "movl child_auth(%rip), %edi\n\tmovl parent_env(%rip), %esi\n\ttestl %edi, %edi\n\tjnz 1f\n\t"
      "movq %rsp, %rdi\n\tandq $-4096, %rdi\n\tcall peer_start\n\t"
      "1:\tmovl $0x80000029, %eax\n\tsyscall");
void peer_start(struct aril_context *context);

void peer_start(struct aril_context *context)
{
	child_auth = (u32)aril_cap_open(&CORE_DOMAIN->cap);
	context->mask = ARIL_MASK_NONE;
	context->gate_open = 1;
	aril_yield(child_auth, parent_env);
}

static void guard(u32 frame, u32 last)
{
	struct aril_frame_op op = {.first = frame, .count = 1, .kind = ARIL_FRAME_GUARD};

	memcpy(op.guard.name, CORE_DOMAIN->cap.name, sizeof(op.guard.name));
	op.guard.len = CORE_DOMAIN->cap.len;
	op.guard.rights = last;
	op.guard.generation = CORE_DOMAIN->cap.generation;
	allowed("a guard", aril_frame_update(core_auth, &op, 1) == 1 ? 0 : -1);
}

static s64 gate(u32 auth, u32 env)
{
	return aril_gate(auth, env, 0);
}

int main(int argc, char **argv, char **envp)
{
	static struct child c;

	(void)argc, (void)argv, (void)envp;
	parent_env = CORE_DOMAIN->env;
	allowed("a child", child_make(&c, peer, peer));
	s64 second = aril_cap_open(&CORE_DOMAIN->cap);
	for (u32 i = 0; i < 1000; i++)
		if (core_yield(core_auth, c.env) != ARIL_START_YIELD)
			wrong("a yield", i);
	/* OWN is left, to give it back; RUN and CALL are not */
	guard(c.frame, ARIL_OWN);
	refused("a yield after the guard changed", aril_yield(core_auth, c.env), ARIL_E_RIGHTS);
	refused("a gate after the guard changed", gate(core_auth, c.env), ARIL_E_RIGHTS);
	guard(c.frame, ARIL_ALL);
	for (u32 i = 0; i < 1000; i++)
		if (core_yield((u32)second, c.env) != ARIL_START_YIELD)
			wrong("a yield by the second index", i);
	refused("a yield by an index that is none", aril_yield((u32)second + 1, c.env), ARIL_E_CAP);
	refused("a yield to an env that is none", aril_yield((u32)second, c.env + 1), ARIL_E_ENV);
	allowed("closing", aril_cap_close((u32)second));
	refused("a yield by a closed index", aril_yield((u32)second, c.env), ARIL_E_CAP);
	refused("a gate by a closed index", gate((u32)second, c.env), ARIL_E_CAP);
	if (core_yield(core_auth, c.env) != ARIL_START_YIELD)
		wrong("a yield", 0);
	allowed("the end", aril_frame_reset(core_auth, c.frame));
	refused("a yield to the dead", aril_yield(core_auth, c.env), ARIL_E_ENV);
	refused("a gate to the dead", gate(core_auth, c.env), ARIL_E_ENV);
	return done();
}

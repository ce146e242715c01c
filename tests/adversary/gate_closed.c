/* SPDX-License-Identifier: MIT
 * Enters gates that are closed, masked, somebody else's, or nobody's. */
// expect: gate_closed: refused a gate that is closed
// expect: gate_closed: done
// forbid: gate_closed: WRONG
#include "adversary.h"

CHILD(g_entry, EXIT(1));
/* The gate's own code: says who came, by ending with it. */
CHILD(g_gate, "movq %rax, %rdi\n\tmovl $0x80000020, %eax\n\tsyscall\n\t");

int main(int argc, char **argv, char **envp)
{
	static struct child c, none;

	(void)argc;
	(void)argv;
	(void)envp;
	u32 neighbour = victim_env(), parent = env_info(CORE_DOMAIN->env)->parent;
	refused("the neighbour's gate", aril_gate(core_auth, neighbour, 0), ARIL_E_RIGHTS);
	refused("the neighbour's gate, for good", aril_gate(core_auth, neighbour, 1),
		ARIL_E_RIGHTS);
	refused("init's gate", aril_gate(core_auth, parent, 0), ARIL_E_RIGHTS);
	refused("nobody's gate", aril_gate(core_auth, 0, 0), ARIL_E_ENV);
	refused("a gate far away", aril_gate(core_auth, 0xffffffff, 0), ARIL_E_ENV);
	refused("a gate of an older generation",
		aril_gate(core_auth, CORE_DOMAIN->env + 0x10000, 0), ARIL_E_ENV);
	refused("a gate with no authority", aril_gate(0xffff, neighbour, 0), ARIL_E_CAP);
	allowed("a child", child_make(&c, g_entry, g_gate));
	refused("a gate that is closed", aril_gate(core_auth, c.env, 0), ARIL_E_CLOSED);
	c.context->gate_open = 1;
	refused("a mode that is none", aril_gate(core_auth, c.env, 2), ARIL_E_RANGE);
	c.context->forced = 1;
	refused("a gate into what was stopped by force", aril_gate(core_auth, c.env, 0),
		ARIL_E_CLOSED);
	c.context->forced = 0;
	allowed("a child without a gate", child_make(&none, g_entry, 0));
	none.context->gate_open = 1;
	refused("a gate that is not there", aril_gate(core_auth, none.env, 0), 0);
	struct aril_cap weak;
	allowed("a child capability",
		aril_cap_derive(&CORE_DOMAIN->cap, NULL, 0, ARIL_RUN, 0, &weak));
	refused("a gate by RUN", aril_gate((u32)aril_cap_open(&weak), c.env, 0), ARIL_E_RIGHTS);
	aril_frame_reset(core_auth, c.frame);
	aril_frame_reset(core_auth, none.frame);
	refused("a gate of the dead", aril_gate(core_auth, c.env, 0), ARIL_E_ENV);
	return done();
}

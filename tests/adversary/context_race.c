/* SPDX-License-Identifier: MIT
 * Takes an env's context away, and gives it back with its gate closed, while another CPU enters that gate and
 * yields to it. */
// expect: context_race: done
// forbid: context_race: WRONG
// smp: 2
// timeout: 120
#include "adversary.h"

#define ROUNDS 60000u

static struct child target;
static volatile u32 stage, taken;

CHILD(race_entry,
      "1:\txorl %edi, %edi\n\txorl %esi, %esi\n\tmovl $0x80000029, %eax\n\tsyscall\n\tjmp 1b\n\t");
/* Nobody may get here: the gate is open on no page that is in place. */
CHILD(race_gate, EXIT(77));

/* The other CPU: the context comes and goes. */
void core_secondary(u32 cpu)
{
	(void)cpu;
	while (stage == 0)
		core_sleep(1000000);
	for (u32 i = 0; i < ROUNDS; i++) {
		if (!aril_env_context(core_auth, target.env, 0, 0, 0))
			taken++;
		aril_env_context(core_auth, target.env, 0, target.context_frame,
				 (u64)target.context);
	}
	stage = 2;
}

int main(int argc, char **argv, char **envp)
{
	u64 until = core_now() + 60000000000ul;
	u32 refusals = 0;

	(void)argc;
	(void)argv;
	(void)envp;
	core_async_off();
	allowed("a target", child_make(&target, race_entry, race_gate));
	core_async_on();
	stage = 1;
	while (stage == 1 && core_now() < until) {
		core_async_off();
		s64 error = aril_gate(core_auth, target.env, 0);
		core_async_on();
		refusals += error == -ARIL_E_CLOSED || error == -ARIL_E_CPU;
		if (error >= 0 || (error != -ARIL_E_CLOSED && error != -ARIL_E_CPU))
			wrong("a closed gate", error);
	}
	if (stage != 2 || !taken || !refusals || env_info(target.env)->state != ARIL_ENV_ALIVE)
		wrong("the race", taken);
	return done();
}

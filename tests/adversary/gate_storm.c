/* SPDX-License-Identifier: MIT
 * Two envs on two CPUs storm a third with gates of every mode and with yields, while it opens and closes, loses its
 * contexts and is ended, in every moment. Nobody is entered who should not be, and nobody is left waiting. */
// expect: gate_storm: done
// forbid: gate_storm: WRONG
// smp: 2
// slice: 2000
#include "adversary.h"

#define ROUNDS 200u

static struct child target, storm[2];
static struct aril_context *far_page;
static u32 far_frame;
static volatile u32 target_env, entered, refusals[2], calls[2], odd;

void storm_entry(void), target_entry(void), target_gate(void);
void storm_start(struct aril_context *context);
/* The target never answers, and gives the CPU back. */
__asm__(".text\nstorm_entry:\n\tmov %rsp, %rdi\n\tand $-4096, %rdi\n\tcall storm_start\n\tud2\n"
	"target_gate:\n\tlock incl entered(%rip)\n"
	"target_entry:\n\txor %edi, %edi\n\txor %esi, %esi\n\tmov $0x80000029, "
	"%eax\n\tsyscall\n\tud2\n");

/* At every START again: what got through does not come back. cookie: which CPU's, and the opened capability. */
void storm_start(struct aril_context *context)
{
	static volatile u32 turn[2];
	u32 cpu = context->cpu;

	if (!context->cookie)
		context->cookie = (u64)aril_cap_open(&CORE_DOMAIN->cap) + 1;
	u32 auth = (u32)context->cookie - 1;
	for (u32 i = 0; i < 64; i++) {
		static const u32 modes[5] = {0, ARIL_GATE_SYNC, ARIL_GATE_CPU(0), ARIL_GATE_CPU(1),
					     ARIL_GATE_SYNC | 3u << 8};
		u32 n = turn[cpu]++ % 6;

		calls[cpu]++;
		u32 mode = n == 4 ? ARIL_GATE_SYNC | ARIL_GATE_CPU(!cpu) : modes[n % 5];
		s64 result =
			n == 5 ? aril_yield(auth, target_env) : aril_gate(auth, target_env, mode);
		if (!result)
			continue; /* left on the other CPU */
		refusals[cpu]++;
		if (result != -ARIL_E_CLOSED && result != -ARIL_E_ENV && result != -ARIL_E_CPU &&
		    result != -ARIL_E_STATE)
			odd++;
	}
	aril_yield(0, 0);
}

static s64 target_make(u32 round)
{
	s64 error = child_make(&target, target_entry, target_gate);

	memset(far_page, 0, sizeof(*far_page));
	far_page->gate_open = target.context->gate_open = 1;
	if (!error)
		error = aril_env_context(core_auth, target.env, 1, far_frame, (u64)far_page);
	target_env = target.env;
	core_sleep(round % 7 * 300000);
	return error;
}

/* What befalls it before its end. */
static void harm(u32 round)
{
	switch (round % 4) {
	case 0:
		far_page->gate_open = target.context->gate_open = 0;
		break;
	case 1:
		aril_env_context(core_auth, target.env, 1, 0, 0); /* STATE while it runs there */
		break;
	case 2:
		aril_env_context(core_auth, target.env, 0, 0, 0);
		break;
	}
	core_sleep(200000);
}

/* Every other position of ours there is its. */
static s64 storm_make(u32 cpu)
{
	u32 ours = 0;
	s64 error = child_make(&storm[cpu], storm_entry, 0);

	if (!error && cpu) {
		aril_env_context(core_auth, storm[1].env, 0, 0, 0);
		error = aril_env_context(core_auth, storm[1].env, 1, storm[1].context_frame,
					 (u64)storm[1].context);
	}
	for (u32 i = 0; !error && i < ARIL_SLICES; i++)
		if (!aril_slice_set(core_auth, cpu, i, ours & 1 ? storm[cpu].env : CORE_DOMAIN->env,
				    0))
			ours++;
	return error;
}

int main(int argc, char **argv, char **envp)
{
	(void)argc;
	(void)argv;
	(void)envp;
	far_page = core_pages(1, &far_frame);
	for (u32 cpu = 0; cpu < 2; cpu++)
		allowed("a storm", storm_make(cpu));
	for (u32 round = 0; round < ROUNDS; round++) {
		allowed("a target", target_make(round));
		harm(round);
		while (aril_frame_reset(core_auth, target.frame) == -ARIL_E_AGAIN)
			;
	}
	for (u32 cpu = 0; cpu < 2; cpu++) { /* both still go on */
		u32 before = calls[cpu];
		u64 until = core_now() + 20000000000ul;

		while (calls[cpu] - before < 100 && core_now() < until)
			core_sleep(1000000);
		if (calls[cpu] - before < 100 || env_info(storm[cpu].env)->state != ARIL_ENV_ALIVE)
			wrong("a caller left behind", cpu);
		if (!refusals[cpu])
			wrong("nothing was refused", cpu);
		aril_frame_reset(core_auth, storm[cpu].frame);
	}
	if (odd || !entered)
		wrong("the storm", odd ? odd : entered);
	return done();
}

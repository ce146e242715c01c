/* SPDX-License-Identifier: MIT
 * What the fake machine has in the place of kernel/code*.c, where those are not linked. A part of fake.c. */
#ifndef HOST_CODE_STUBS_H
#define HOST_CODE_STUBS_H

/* Without kernel/code*.c there is none. */
struct ext_run;
WEAK u64 code_bind(u64 va, u64 frame, u64 flags, u64 d, u64 e, struct ext_run *run)
{
	(void)va, (void)frame, (void)flags, (void)d, (void)e, (void)run;
	abort();
}

WEAK int code_destroy(u32 frame, u32 *budget, int *stale)
{
	printf("code %u without code (%u %d)\n", frame, *budget, *stale);
	abort();
}

WEAK void code_account_gone(u32 slot)
{
	(void)slot;
}

WEAK void code_env_gone(struct env *env)
{
	(void)env;
}

WEAK u32 code_victim(u32 slot, u32 first, u32 last, u32 wanted)
{
	(void)slot, (void)first, (void)last, (void)wanted;
	return 0;
}

WEAK u32 code_victim_cost(u32 slot)
{
	(void)slot;
	return 0;
}

#endif

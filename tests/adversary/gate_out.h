/* SPDX-License-Identifier: MIT
 * Gates by hand, with no library in between. Who calls one has no place to go on at a START; and one comes, where the
 * callee's slice was over and it was stopped by force before it answered, as on a host that is busy elsewhere. Then the
 * rest of the way is still the callee's: it gets the CPU again, and answers. */
#ifndef GATE_OUT_H
#define GATE_OUT_H

#include "adversary.h"

extern u64 gate_out[3]; /* what is out: the caller's context, 0: nothing; auth; env */
u64 gate_out[3];

/* The env's entry instead of core_upcall. */
void gate_out_entry(void);
__asm__(".text\ngate_out_entry:\n"
	"\tcmpq $257, (%rsp)\n\tjne core_upcall\n"
	"\tmovq %rsp, %rax\n\tandq $-4096, %rax\n\tcmpq gate_out(%rip), %rax\n"
	"\tmovl $0, %eax\n\tjne core_upcall\n"
	"\tmovq gate_out+8(%rip), %rdi\n\tmovq gate_out+16(%rip), %rsi\n"
	"\tmovl $0x80000029, %eax\n\tsyscall\n\tud2\n");

static inline void gate_out_begin(u32 auth, u32 env)
{
	gate_out[1] = auth;
	gate_out[2] = env;
	__atomic_store_n(&gate_out[0], (u64)core_context(), __ATOMIC_SEQ_CST);
}

static inline void gate_out_end(void)
{
	__atomic_store_n(&gate_out[0], 0, __ATOMIC_SEQ_CST);
}

/* How often either of us was stopped by force. Where that grew, what is about one slice was disturbed. */
static inline u64 forced_stops(u32 env)
{
	return env_info(CORE_DOMAIN->env)->overruns + env_info(env)->overruns;
}

/* Gives it the CPU until it has opened its gate and given the CPU back. */
static inline void gate_out_opened(u32 auth, u32 env, const volatile struct aril_context *callee)
{
	u64 until = core_now() + 20000000000ul;

	while ((!callee->gate_open || callee->forced) && core_now() < until)
		core_yield(auth, env);
}

#endif

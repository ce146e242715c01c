// SPDX-License-Identifier: MIT
// Gates carry every register into another env and back; a synchronous one lends the caller's later slices.
// with:
// smp: 1
// expect: gates: registers ok
// expect: gates: lent slices ok
// expect: gates: stopped by force ok
// expect: gates: closed ok
// expect: gates: done
// forbid: gates: WRONG
#include "../adversary/gate_out.h"
#include <aril/error.h>

struct registers {
	u64 rbx, rbp, r8, r9, r10, r12, r13, r14, r15;
};

s64 gate_call(u32 auth, u32 env, u32 mode, struct registers *both_ways);
void gate_reply(void), callee_entry(void), callee_gate(void);
extern u64 spin_until;
u64 spin_until, caller_rsp, callee_auth, caller_registers;

/* gate_call loads the registers, enters the gate, and continues at gate_reply with what came back. The callee adds
 * one to each and answers, after spinning until spin_until. */
__asm__(".text\n"
	"gate_call:\n push %rbx\n push %rbp\n push %r12\n push %r13\n push %r14\n push %r15\n"
	"mov %rcx, caller_registers(%rip)\n mov %rsp, caller_rsp(%rip)\n"
	"mov 0(%rcx), %rbx\n mov 8(%rcx), %rbp\n mov 16(%rcx), %r8\n mov 24(%rcx), %r9\n mov "
	"32(%rcx), %r10\n"
	"mov 40(%rcx), %r12\n mov 48(%rcx), %r13\n mov 56(%rcx), %r14\n mov 64(%rcx), %r15\n"
	"mov $0x80000032, %eax\n syscall\n"
	"1: mov caller_rsp(%rip), %rsp\n pop %r15\n pop %r14\n pop %r13\n pop %r12\n pop %rbp\n "
	"pop %rbx\n ret\n"
	"gate_reply:\n mov caller_registers(%rip), %rcx\n"
	"mov %rbx, 0(%rcx)\n mov %rbp, 8(%rcx)\n mov %r8, 16(%rcx)\n mov %r9, 24(%rcx)\n mov %r10, "
	"32(%rcx)\n"
	"mov %r12, 40(%rcx)\n mov %r13, 48(%rcx)\n mov %r14, 56(%rcx)\n mov %r15, 64(%rcx)\n jmp "
	"1b\n"
	"callee_gate:\n mov %rax, %rsi\n mov %rdx, %rdi\n"
	"2: rdtsc\n shl $32, %rdx\n or %rdx, %rax\n cmp spin_until(%rip), %rax\n jb 2b\n"
	"inc %rbx\n inc %rbp\n inc %r8\n inc %r9\n inc %r10\n inc %r12\n inc %r13\n inc %r14\n inc "
	"%r15\n"
	"mov callee_auth(%rip), %rdi\n xor %edx, %edx\n mov $0x80000032, %eax\n syscall\n ud2\n"
	"callee_entry:\n mov %rsp, %rdi\n and $-4096, %rdi\n call callee_start\n ud2\n");

void callee_start(struct aril_context *context);
/* The callee's first START: opens the capability in its own table, opens its gate, goes back. */
void callee_start(struct aril_context *context)
{
	callee_auth = (u64)aril_cap_open(&CORE_DOMAIN->cap);
	context->mask = ARIL_MASK_NONE;
	context->gate_open = 1;
	aril_yield((u32)callee_auth, CORE_DOMAIN->env);
}

static u32 callee_make(struct aril_context **context)
{
	struct aril_env_desc desc = {
		.space = CORE_DOMAIN->space, .entry = (u64)callee_entry, .gate = (u64)callee_gate};
	u32 env_frame = core_pool_take(&core_pool, 1), page_frame;

	*context = core_pages(1, &page_frame);
	s64 env = aril_env_create(core_auth, env_frame, &desc);
	s64 error = aril_env_context(core_auth, (u32)env, 0, page_frame, (u64)*context);
	if (env < 0 || error)
		core_log("gates: WRONG create %ld context %ld", env, error);
	return (u32)env;
}

static int round_trip(u32 env, u32 mode)
{
	struct registers r = {1, 2, 3, 4, 5, 6, 7, 8, 9};
	u64 *word = &r.rbx;
	int wrong = 0;

	core_async_off();
	core_context()->gate_open = 1;
	gate_out_begin(core_auth, env);
	s64 from = gate_call(core_auth, env, mode, &r);
	gate_out_end();
	core_context()->mask = ARIL_MASK_ASYNC;
	core_async_on();
	if (from != env)
		return 1;
	for (u64 i = 0; i < 9; i++)
		wrong += word[i] != i + 2;
	return wrong;
}

/* The callee spins for so many slices from now on. */
static void spin(u64 slices)
{
	spin_until = __builtin_ia32_rdtsc() +
		     ARIL_INFO->clock.tsc_hz / 1000000000 * ARIL_INFO->slice_ns * slices;
}

int main(int argc, char **argv, char **envp)
{
	struct aril_context *context;
	int wrong = 0;

	(void)argc, (void)argv, (void)envp;
	u32 env = callee_make(&context);
	gate_out_opened(core_auth, env, context);
	aril_env_entry((u64)gate_out_entry, (u64)gate_reply);
	for (int i = 0; i < 1000; i++)
		wrong += round_trip(env, i & 1);
	core_log("gates: registers %s", wrong ? "WRONG" : "ok");
	/* three slices' worth of spinning in the callee, which owns no slice */
	spin(3);
	wrong = round_trip(env, 1);
	core_log("gates: lent slices %s", wrong ? "WRONG" : "ok");
	/* and where it was lent none it is stopped by force, our own slices come, and we give it those one by one */
	u64 forced = forced_stops(env);
	wrong = 0;
	for (u64 n = 3; n < 1000 && forced_stops(env) == forced; n *= 2) {
		spin(n);
		wrong += round_trip(env, 0);
	}
	wrong += forced_stops(env) == forced;
	core_log("gates: stopped by force %s", wrong ? "WRONG" : "ok");
	context->gate_open = 0;
	struct registers r = {0};
	core_async_off();
	s64 refused = gate_call(core_auth, env, 0, &r);
	core_async_on();
	wrong = refused != -ARIL_E_CLOSED;
	context->gate_open = 1;
	wrong += round_trip(env, 0);
	core_log("gates: closed %s", wrong ? "WRONG" : "ok");
	core_log("gates: done");
	return 0;
}

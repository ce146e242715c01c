// SPDX-License-Identifier: MIT
// From one env to another: gates, yields, slices, wakes. The other env, the peer, runs the same image in a space of
// its own whose lower tables are ours too.
#include "bench.h"
#include "space_copy.h"

#define LOOPS 32
#define ROUNDS 256 /* the first of a batch goes the long way: the gate was closed, or is another */

#define TEXT2(x) #x
#define TEXT(x) TEXT2(x)

/* What the assembly below uses. */
extern u64 left, resume_rsp, began, ended;
u64 left, resume_rsp, began, ended;
extern u32 peer_auth, peer_env, own_auth, own_env, word_frame;
u32 peer_auth, peer_env, own_auth, own_env, word_frame;
extern void (*peer_role)(void);
void (*peer_role)(void);
void peer_first(void), peer_yields(void), peer_waits(void), peer_gate(void);
void own_gate(void), own_yielded(void), own_woke(void), own_start(void), own_end(void);
void gate_rounds(u64 rounds), yield_rounds(u64 rounds), wake_rounds(u64 rounds),
	next_slice(u64 unused), spin_to_end(void);
void peer_start(struct aril_context *context);

#define CALL(index) "movl $0x80000000+" #index ", %eax\n\tsyscall\n\t"
#define GATE CALL(50) "ud2\n"
#define YIELD CALL(41) "ud2\n"
#define ENTER                                                                                  \
	"pushq %rbx\n\tpushq %rbp\n\tpushq %r12\n\tpushq %r13\n\tpushq %r14\n\tpushq %r15\n\t" \
	"rdgsbase %rax\n\tpushq %rax\n\tmovq %rsp, resume_rsp(%rip)\n\tmovq %rdi, left(%rip)\n\t"
#define LEAVE                                                                               \
	"movq resume_rsp(%rip), %rsp\n\tpopq %rax\n\twrgsbase %rax\n\tmovl $" TEXT(         \
		ARIL_MASK_ASYNC) ", (%rax)\n\tpopq %r15\n\tpopq %r14\n\tpopq %r13\n\tpopq " \
				 "%r12\n\tpopq %rbp\n\tpopq %rbx\n"                         \
				 "\tret\n"
#define TO_PEER "movl own_auth(%rip), %edi\n\tmovl peer_env(%rip), %esi\n\t"
#define TO_US "movl peer_auth(%rip), %edi\n\tmovl own_env(%rip), %esi\n\t"

__asm__(".text\n"
	"peer_first:\n\tmov %rsp, %rdi\n\tand $-4096, %rdi\n\tcall peer_start\n\tud2\n"
	"peer_yields:\n\t" TO_US YIELD
	"peer_waits:\n\tmovl peer_auth(%rip), %edi\n\tmovl word_frame(%rip), %esi\n\t" CALL(
		60) "ud2\n"
		    "peer_gate:\n\tmovl peer_auth(%rip), %edi\n\tmovl %eax, %esi\n\txorl %edx, "
		    "%edx\n\t" GATE

		    "gate_rounds:\n\t" ENTER "1:\t" TO_PEER "xorl %edx, %edx\n\t" GATE
		    "own_gate:\n\tdecq left(%rip)\n\tjnz 1b\n\t" LEAVE

		    "yield_rounds:\n\t" ENTER "2:\t" TO_PEER YIELD
		    "own_yielded:\n\tdecq left(%rip)\n\tjnz 2b\n\t" LEAVE

		    "wake_rounds:\n\t" ENTER "3:\tmovl own_auth(%rip), %edi\n\tmovl "
		    "word_frame(%rip), %esi\n\txorl %edx, %edx\n\t"
		    "movl $1, %r10d\n\t" CALL(61) TO_PEER YIELD
	"own_woke:\n\tdecq left(%rip)\n\tjnz 3b\n\t" LEAVE

	"next_slice:\n\t" ENTER "rdtsc\n\tmovl %eax, began(%rip)\n\txorl %esi, %esi\n\t" YIELD
	"own_start:\n\trdtsc\n\tmovl %eax, ended(%rip)\n\t" LEAVE

	"spin_to_end:\n\txorl %edi, %edi\n\t" ENTER "movl $0, (%rax)\n"
	"4:\trdtsc\n\tmovl %eax, began(%rip)\n\tjmp 4b\n"
	"own_end:\n\trdtsc\n\tmovl %eax, ended(%rip)\n\t" LEAVE);

/* In the peer, once: what it needs to answer; then it plays its role at each START. */
void peer_start(struct aril_context *context)
{
	peer_auth = (u32)aril_cap_open(&CORE_DOMAIN->cap);
	aril_env_entry((u64)peer_role, (u64)peer_gate);
	context->mask = ARIL_MASK_NONE;
	context->gate_open = 1;
	aril_yield(peer_auth, own_env);
}

static s64 peer_make(void (*role)(void))
{
	struct aril_env_desc desc = {.entry = (u64)peer_first};
	u32 frame = core_pool_take(&core_pool, 1), page;
	struct aril_context *context = core_pages(1, &page);
	s64 error = space_copy(&desc.space);

	if (error < 0)
		return error;
	s64 env = aril_env_create(core_auth, frame, &desc);
	if (env < 0)
		return env;
	peer_env = (u32)env;
	peer_role = role;
	own_env = CORE_DOMAIN->env;
	own_auth = core_auth;
	error = aril_env_context(core_auth, peer_env, core_context()->cpu, page, (u64)context);
	if (error < 0)
		return error;
	core_async_off();
	s64 cause = core_yield(core_auth, peer_env);
	core_async_on();
	return cause < 0 ? cause : 0;
}

/* Runs with another entry, for START or gates. */
static s64 run_with(void (*entry)(void), void (*gate)(void), void (*f)(u64 n), u64 n)
{
	aril_env_entry((u64)entry, (u64)gate);
	u64 a = bench_now();
	f(n);
	u64 b = bench_now();
	aril_env_entry((u64)core_upcall, 0);
	return (s64)(b - a - bench_read);
}

static s64 gate_round(u64 n)
{
	core_context()->gate_open = 1;
	return run_with(core_upcall, own_gate, gate_rounds, n);
}

/* n is of switches: two a round. */
static s64 yield_switch(u64 n)
{
	return run_with(own_yielded, NULL, yield_rounds, n / 2);
}

static s64 wake_wait(u64 n)
{
	return run_with(own_woke, NULL, wake_rounds, n);
}

/* From giving up the slice to the START in the next position of the vector, which is ours too. */
static s64 slice_next(u64 n)
{
	s64 took = 0;

	for (u64 i = 0; i < n; i++) {
		run_with(own_start, NULL, next_slice, 0);
		took += (u32)ended - (u32)began - 2;
	}
	return took;
}

static void spin(u64 n)
{
	(void)n;
	spin_to_end();
}

/* From the instruction that the end of the slice interrupts to the END handler; up to 2 too many. */
static s64 slice_end(u64 n)
{
	(void)n;
	run_with(own_end, NULL, spin, 0);
	core_context()->pending = 0;
	core_yield(core_auth, 0);
	return (u32)ended - (u32)began - 2;
}

#define WITH_PEER(role, name, f, n)                                          \
	do {                                                                 \
		s64 error_ = bench_wanted(name) ? peer_make(role) : 0;       \
		if (error_)                                                  \
			core_print("bench %s refused %ld\n", name, -error_); \
		else                                                         \
			bench_run(name, f, n);                               \
	} while (0)

int main(int argc, char **argv, char **envp)
{
	(void)envp;
	bench_start(argc, argv);
	core_pages(1, &word_frame);
	WITH_PEER(peer_yields, "gate_round", gate_round, ROUNDS);
	WITH_PEER(peer_yields, "yield_switch", yield_switch, ROUNDS);
	WITH_PEER(peer_waits, "wake_wait", wake_wait, LOOPS);
	bench_run("slice_next", slice_next, LOOPS);
	bench_batches("slice_end", slice_end, 1, 5);
	return 0;
}

// SPDX-License-Identifier: MIT
// Gates, on one CPU and to another, with every register followed: all twelve general ones arrive, and vector state with
// a local gate, initial vector state with a far one; answers bring all back; refused in every state but idle and open;
// the callee that closes its gate, or loses its context, lets its callers go.
// with:
// smp: 2
// expect: gates_cpu: local registers ok
// expect: gates_cpu: far registers ok
// expect: gates_cpu: far asynchronous ok
// expect: gates_cpu: refusals ok
// expect: gates_cpu: callee closes ok
// expect: gates_cpu: context goes ok
// expect: gates_cpu: done
// forbid: gates_cpu: WRONG
#include "../adversary/gate_out.h"
#include "member.h"
#include <core/rpc.h>

/* What a gate was entered with, in the order of the assembly below. */
struct seen {
	u64 rdi, rsi, rdx, rbx, rbp, r8, r9, r10, r12, r13, r14, r15, rax, rcx, r11, rsp;
	u64 xmm[32], mxcsr;
};
static struct member callee[2]; /* by CPU */
static struct member idler, sleeper, spinner;
extern struct seen seen_call, seen_reply;
struct seen seen_call, seen_reply;
extern u64 keep_rsp, keep_gs, answers, arrivals, callee_auth[2];
u64 keep_rsp, keep_gs, answers, arrivals, callee_auth[2];
static u32 word_frame;
static volatile u32 *volatile word;

s64 send(u32 auth, u32 env, u32 mode);
void send_reply(void), callee_gate(void);

/* send: loads marks into every register that is not an argument, calls, and comes back at send_reply, or with what the
 * call returned. callee_gate: notes all, changes all to other marks, answers if it shall, else gives the CPU back. */
__asm__(".text\n"
	".macro note to\n"
	" mov %rdi, \\to(%rip)\n mov %rsi, \\to+8(%rip)\n mov %rdx, \\to+16(%rip)\n mov %rbx, "
	"\\to+24(%rip)\n"
	" mov %rbp, \\to+32(%rip)\n mov %r8, \\to+40(%rip)\n mov %r9, \\to+48(%rip)\n mov %r10, "
	"\\to+56(%rip)\n"
	" mov %r12, \\to+64(%rip)\n mov %r13, \\to+72(%rip)\n mov %r14, \\to+80(%rip)\n mov %r15, "
	"\\to+88(%rip)\n"
	" mov %rax, \\to+96(%rip)\n mov %rcx, \\to+104(%rip)\n mov %r11, \\to+112(%rip)\n mov "
	"%rsp, \\to+120(%rip)\n"
	" movups %xmm0, \\to+128(%rip)\n movups %xmm7, \\to+240(%rip)\n movups %xmm15, "
	"\\to+368(%rip)\n"
	" stmxcsr \\to+384(%rip)\n"
	".endm\n"
	".macro mark from\n"
	" mov $\\from+4, %rbx\n mov $\\from+5, %rbp\n mov $\\from+6, %r8\n mov $\\from+7, %r9\n "
	"mov $\\from+8, %r10\n"
	" mov $\\from+9, %r12\n mov $\\from+10, %r13\n mov $\\from+11, %r14\n mov $\\from+12, "
	"%r15\n"
	" movq %rbx, %xmm0\n movq %rbp, %xmm7\n movq %r8, %xmm15\n"
	".endm\n"
	"send:\n push %rbx\n push %rbp\n push %r12\n push %r13\n push %r14\n push %r15\n"
	" mov %rsp, keep_rsp(%rip)\n rdgsbase %rax\n mov %rax, keep_gs(%rip)\n"
	" mark 100\n mov $0x80000032, %eax\n syscall\n"
	"1: mov keep_rsp(%rip), %rsp\n mov keep_gs(%rip), %rcx\n wrgsbase %rcx\n"
	" pop %r15\n pop %r14\n pop %r13\n pop %r12\n pop %rbp\n pop %rbx\n ret\n"
	"send_reply:\n note seen_reply\n jmp 1b\n"
	"callee_gate:\n note seen_call\n lock incq arrivals(%rip)\n cmpq $0, answers(%rip)\n je "
	"2f\n"
	" mov %rax, %rsi\n mov %rax, %rdx\n shr $32, %rdx\n mov %esi, %esi\n"
	" xor %edi, %edi\n cmp $0, %edx\n setne %dil\n" /* by a mode that names a CPU: we are on 1 */
	" lea callee_auth(%rip), %rcx\n mov (%rcx, %rdi, 8), %rdi\n"
	" mark 200\n mov $0x80000032, %eax\n syscall\n"
	"2: xor %edi, %edi\n xor %esi, %esi\n mov $0x80000029, %eax\n syscall\n ud2\n");

static void say(const char *what, u64 bad)
{
	core_log("gates_cpu: %s %s (%lu)", what, bad ? "WRONG" : "ok", bad);
}

static void callee_run(void)
{
	struct member *self = member_self();

	member_begin();
	callee_auth[self->on_cpu] = self->auth;
	core_serve_forever();
}

static s64 call(u32 env, u32 mode)
{
	s64 result;

	core_async_off();
	core_context()->gate_open = 1;
	if (mode <= ARIL_GATE_SYNC)
		gate_out_begin(core_auth, env);
	result = send(core_auth, env, mode);
	gate_out_end();
	core_context()->gate_open = 0;
	core_context()->mask = ARIL_MASK_ASYNC;
	core_async_on();
	return result;
}

/* Until the callee on the other CPU, which serves and yields by turns, is not just running. */
static s64 call_far(u32 mode)
{
	u64 until = core_now() + 20000000000ul;
	s64 result;

	while ((result = call(callee[1].env, mode | ARIL_GATE_CPU(1))) == -ARIL_E_CLOSED &&
	       core_now() < until)
		core_yield(0, 0);
	return result;
}

/* How many registers are not the marks from `from` on; xmm: whether those travelled, else they are zero. */
static u64 marks_wrong(const struct seen *s, u64 from, int xmm)
{
	const u64 *general = &s->rbx;
	u64 bad = 0;

	for (u64 i = 0; i < 9; i++)
		bad += general[i] != from + 4 + i;
	bad += s->xmm[0] != (xmm ? from + 4 : 0);
	bad += s->xmm[14] != (xmm ? from + 5 : 0);
	bad += s->xmm[30] != (xmm ? from + 6 : 0);
	bad += s->xmm[1] | s->xmm[15] | s->xmm[31];
	return bad + (s->mxcsr != 0x1f80);
}

/* One call and its answer, both seen. */
static u64 exchange(u32 on, u32 mode, int xmm)
{
	u32 me = CORE_DOMAIN->env, to = callee[on].env;
	u32 sent = mode | (on ? ARIL_GATE_CPU(1) : 0);
	u64 back = on ? (u64)ARIL_GATE_CPU(1) << 32 : 0;
	u64 there = on ? (u64)ARIL_GATE_CPU(0) << 32 : 0;

	memset(&seen_call, 0xee, sizeof(seen_call));
	memset(&seen_reply, 0xee, sizeof(seen_reply));
	seen_call.mxcsr = seen_reply.mxcsr = 0;
	s64 result = on ? call_far(mode) : call(to, sent);
	u64 bad = result != (s64)(back | to);
	bad += seen_call.rdi != core_auth || seen_call.rsi != to || seen_call.rdx != sent;
	bad += seen_call.rax != (there | me);
	/* lost, but nothing of anybody's: zero, or the callee's own entry and flags, as SYSRET leaves them */
	bad += seen_call.rcx && seen_call.rcx != (u64)callee_gate;
	bad += seen_call.r11 && seen_call.r11 != 0x202;
	bad += seen_call.rsp != (u64)callee[on].context + 4096;
	bad += callee[on].context->gate_caller != (there | me);
	bad += marks_wrong(&seen_call, 100, xmm) + marks_wrong(&seen_reply, 200, xmm);
	return bad + (seen_reply.rsp != (u64)core_context() + 4096);
}

static void asynchronous(void)
{
	u64 bad = 0, until = core_now() + 20000000000ul;

	answers = 0;
	for (u64 i = 0; i < 200; i++) {
		u64 before = arrivals;

		bad += call_far(0) != 0; /* we go on */
		while (*(volatile u64 *)&arrivals == before && core_now() < until)
			core_yield(0, 0);
		bad += arrivals != before + 1 || marks_wrong(&seen_call, 100, 0);
	}
	answers = 1;
	say("far asynchronous", bad);
}

static void idler_run(void)
{
	member_begin();
	core_yield(0, 0);
}

static void sleeper_run(void)
{
	member_begin();
	core_context()->gate_open = 1;
	core_wait(member_self()->auth, word_frame, 0, 0, 0);
}

static void spinner_run(void)
{
	member_begin();
	core_context()->gate_open = 1;
	core_context()->cookie = 0; /* ready */
	for (u64 until = core_now() + 300000000; core_now() < until;)
		;
	aril_env_exit(1);
}

/* In no state but idle and open is it entered, in either mode, and nothing changes. */
static u64 all_refused(u32 env, u32 cpu)
{
	u64 bad = 0;

	for (u32 mode = 0; mode < 2; mode++)
		bad += call(env, mode | (cpu ? ARIL_GATE_CPU(1) : 0)) != -ARIL_E_CLOSED;
	return bad;
}

static void refusals(void)
{
	u64 bad = 0;

	for (u32 cpu = 0; cpu < 2; cpu++) {
		u64 before = arrivals;

		allowed("an idler", member_make(&idler, cpu, 0, idler_run, callee_gate));
		bad += all_refused(idler.env, cpu); /* closed */
		idler.context->gate_open = 1;
		idler.context->forced = 1;
		bad += all_refused(idler.env, cpu); /* stopped by force, it looks like */
		allowed("its end", member_end(&idler));
		allowed("an idler", member_make(&idler, cpu, 0, idler_run, 0));
		idler.context->gate_open = 1;
		bad += all_refused(idler.env, cpu); /* no gate */
		allowed("its end", member_end(&idler));
		bad += call(idler.env, cpu ? ARIL_GATE_CPU(1) : 0) != -ARIL_E_ENV;

		allowed("a sleeper", member_make(&sleeper, cpu, 0, sleeper_run, callee_gate));
		u32 given = member_slices(cpu, sleeper.env, 40, 8);
		for (u32 i = 0; i < 1000 && !sleeper.context->gate_open; i++)
			core_sleep(1000000);
		core_sleep(20000000);
		bad += !given || all_refused(sleeper.env, cpu); /* blocked */
		bad += call(sleeper.env, cpu ? 0 : ARIL_GATE_CPU(1)) != -ARIL_E_CPU;
		allowed("its end", member_end(&sleeper));
		bad += arrivals != before;
	}
	bad += call(CORE_DOMAIN->env, 0) != -ARIL_E_CLOSED; /* itself */
	allowed("a spinner", member_make(&spinner, 1, 0, spinner_run, callee_gate));
	member_slices(1, spinner.env, 41, 2);
	while (spinner.context->cookie)
		core_sleep(1000000);
	while (member_alive(
		&spinner)) { /* running or stopped by force, by turns; the last may find it gone */
		s64 result = call(spinner.env, ARIL_GATE_CPU(1));

		bad += result != -ARIL_E_CLOSED && result != -ARIL_E_ENV;
		core_sleep(5000000);
	}
	say("refusals", bad);
}

/* The callee's program: takes no call, and closes its gate when it was called. */
static void closing_run(void)
{
	member_begin();
	core_context()->gate_open = 1;
	while (!arrivals)
		core_yield(0, 0);
	aril_env_entry((u64)core_upcall, 0);
	for (;;)
		core_sleep(1000000000);
}

static void staying_run(void)
{
	member_begin();
	core_serve_forever();
}

/* Calls by core_rpc, which hears of a callee that will not answer. */
static s64 rpc_to(struct member *m)
{
	struct core_server to = {.env = m->env, .auth = core_auth, .mode = ARIL_GATE_CPU(1)};
	struct core_message message = {{1, 2, 3}};
	s64 result;
	u64 before = arrivals;

	aril_env_entry((u64)core_upcall, (u64)core_gate);
	while ((result = core_rpc(&to, &message)) == -ARIL_E_CLOSED && arrivals == before)
		core_yield(0, 0);
	aril_env_entry((u64)gate_out_entry, (u64)send_reply);
	return result;
}

/* Takes the context of `callee[1]` away when a call is in it. */
void core_secondary(u32 cpu)
{
	(void)cpu;
	while (!word || *word != 1)
		core_sleep(1000000);
	while (!arrivals)
		core_sleep(100000);
	s64 result;
	while ((result = aril_env_context(core_auth, callee[1].env, 1, 0, 0)) == -ARIL_E_STATE)
		core_yield(0, 0);
	*word = result ? 3 : 2;
}

int main(int argc, char **argv, char **envp)
{
	u64 bad = 0;

	(void)argc, (void)argv, (void)envp;
	word = core_pages(1, &word_frame);
	aril_env_entry((u64)gate_out_entry, (u64)send_reply);
	allowed("a callee", member_make(&callee[0], 0, 0, callee_run, callee_gate));
	gate_out_opened(core_auth, callee[0].env, callee[0].context);
	allowed("a callee", member_make(&callee[1], 1, 0, callee_run, callee_gate));
	member_slices(1, callee[1].env, 0, 2);
	while (!*(volatile u64 *)&callee_auth[1])
		core_sleep(1000000);
	answers = 1;
	for (u32 i = 0; i < 200; i++)
		bad += exchange(0, i & 1, 1);
	say("local registers", bad);
	bad = 0;
	for (u32 i = 0; i < 200; i++)
		bad += exchange(1, ARIL_GATE_SYNC, 0);
	say("far registers", bad);
	asynchronous();
	refusals();
	answers = arrivals = 0;
	allowed("its end", member_end(&callee[1]));
	allowed("a callee", member_make(&callee[1], 1, 0, closing_run, callee_gate));
	member_slices(1, callee[1].env, 0, 2);
	say("callee closes", rpc_to(&callee[1]) != -ARIL_E_CLOSED || !member_alive(&callee[1]));
	arrivals = 0;
	allowed("its end", member_end(&callee[1]));
	allowed("a callee", member_make(&callee[1], 1, 0, staying_run, callee_gate));
	member_slices(1, callee[1].env, 0, 2);
	*word = 1;
	s64 result = rpc_to(&callee[1]);
	while (*word == 1) /* who took it says so a little later than the caller hears of it */
		core_sleep(1000000);
	say("context goes", result != -ARIL_E_CLOSED || *word != 2);
	core_log("gates_cpu: done");
	return 0;
}

/* SPDX-License-Identifier: MIT
 * What was allowed a thousand times and then is not: a gate and a yield, each the short way until then, after the callee's
 * guard changed, after the index was closed, after the callee died, while it is blocked or closed; under another index, to
 * another env, with another mode. And what the short way leaves to the long one: a slice that is over, an END of an earlier one. */
// expect: permit: refused a yield after the guard changed
// expect: permit: refused a gate after the guard changed
// expect: permit: refused a yield by a closed index
// expect: permit: refused a gate by a closed index
// expect: permit: refused a gate to the closed
// expect: permit: refused a gate to one resumed by force
// expect: permit: refused a gate that its env closed
// expect: permit: refused a gate of no mode
// expect: permit: refused a gate to another CPU
// expect: permit: refused a gate to the blocked
// expect: permit: refused a yield to the blocked
// expect: permit: slices lent
// expect: permit: END told by a yield
// expect: permit: END told by a gate
// expect: permit: refused a yield to the dead
// expect: permit: refused a gate to the dead
// expect: permit: done
// expect: permit: refused a gate to an env that is none
// forbid: permit: WRONG
// smp: 1
#include "gate_out.h"

/* The peer goes back to whoever gave it the CPU: by a yield at START, by a gate at its gate; or it waits on a word. */
extern u32 child_auth, parent_env, role, word_frame;
u32 child_auth, parent_env, role, word_frame;
void own_gate(void);
s64 gate_round(u64 auth, u64 env, u64 mode);
CHILD(peer,
      "movl child_auth(%rip), %edi\n\tmovl parent_env(%rip), %esi\n\ttestl %edi, %edi\n\tjnz 1f\n\t"
      "movq %rsp, %rdi\n\tandq $-4096, %rdi\n\tcall peer_start\n\t"
      "1:\ttestl %eax, %eax\n\tjnz 2f\n\tcmpl $1, role(%rip)\n\tje 3f\n\tja 4f\n\t"
      "movl $0x80000029, %eax\n\tsyscall\n\tud2\n"
      "2:\tcmpl $2, role(%rip)\n\tje 5f\n"
      "4:\tcmpl $3, role(%rip)\n\tjae 6f\n\txorl %edx, %edx\n\tmovl $0x80000032, "
      "%eax\n\tsyscall\n\tud2\n"
      "3:\tmovl word_frame(%rip), %esi\n\tmovl $0x8000003c, %eax\n\tsyscall\n\tud2\n"
      "6:\tleaq peer(%rip), %rdi\n\txorl %esi, %esi\n\tcmpl $3, role(%rip)\n\tje 7f\n\tmovq %rdi, "
      "%rsi\n7:\tmovl $0x80000021, %eax\n\tsyscall\n\t"
      "movl child_auth(%rip), %edi\n\tmovl parent_env(%rip), %esi\n\tmovl $0x80000029, "
      "%eax\n\tsyscall\n\tud2\n"
      "5:\txorl %esi, %esi\n\tmovl $0x80000029, %eax\n\tsyscall");
void peer_start(struct aril_context *context);

void peer_start(struct aril_context *context)
{
	child_auth = (u32)aril_cap_open(&CORE_DOMAIN->cap);
	context->mask = ARIL_MASK_NONE;
	context->gate_open = 1;
	aril_yield(child_auth, parent_env);
}

/* There and back: 0, or the refusal. */
extern u64 gate_rsp;
u64 gate_rsp;
__asm__(".text\n"
	"gate_round:\n\tpushq %rbx\n\tpushq %rbp\n\tpushq %r12\n\tpushq %r13\n\tpushq "
	"%r14\n\tpushq %r15\n\t"
	"rdgsbase %rax\n\tpushq %rax\n\trdfsbase %rax\n\tpushq %rax\n\t"
	"movq %rsp, gate_rsp(%rip)\n\tmovl $0x80000032, %eax\n\tsyscall\n\tjmp 1f\n"
	"own_gate:\n\tmovq gate_rsp(%rip), %rsp\n\txorl %eax, %eax\n"
	"1:\tpopq %rcx\n\twrfsbase %rcx\n\tpopq %rcx\n\twrgsbase %rcx\n\t"
	"popq %r15\n\tpopq %r14\n\tpopq %r13\n\tpopq %r12\n\tpopq %rbp\n\tpopq %rbx\n\tret\n");

static s64 gate(u32 auth, u32 env, u64 mode)
{
	struct aril_context *own = core_context();

	core_async_off();
	own->gate_open = 1;
	gate_out_begin(auth, env);
	s64 result = gate_round(auth, env, mode);
	gate_out_end();
	own->gate_open = 0;
	own->mask = ARIL_MASK_ASYNC;
	core_async_on();
	return result;
}

static void gates_warm(u32 auth, u32 env)
{
	for (u32 i = 0; i < 100; i++)
		if (gate(auth, env, i & 1))
			wrong("a gate", i);
}

static void yields_warm(u32 auth, u32 env)
{
	for (u32 i = 0; i < 1000; i++) {
		u64 before = forced_stops(env);

		while (core_yield(auth, env) != ARIL_START_YIELD)
			if (forced_stops(env) == before) {
				wrong("a yield", i);
				return;
			}
	}
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

/* It closes its gate by the call, and is otherwise as before. */
static void gate_closes(struct child *c)
{
	gates_warm(core_auth, c->env);
	role = 3;
	if (core_yield(core_auth, c->env) != ARIL_START_YIELD)
		wrong("a yield to who closes", 0);
	role = 0;
	refused("a gate that its env closed", gate(core_auth, c->env, 0), ARIL_E_CLOSED);
	role = 4; /* and opens it */
	core_yield(core_auth, c->env);
	role = 0;
	gates_warm(core_auth, c->env);
}

/* Nobody's entries change meanwhile: the short way decides by the callee's state. */
static void callee_not_there(struct child *c)
{
	volatile u32 *word = core_pages(1, &word_frame);

	gates_warm(core_auth, c->env);
	c->context->gate_open = 0;
	refused("a gate to the closed", gate(core_auth, c->env, 0), ARIL_E_CLOSED);
	c->context->gate_open = 1;
	c->context->forced = 1;
	refused("a gate to one resumed by force", gate(core_auth, c->env, 0), ARIL_E_CLOSED);
	c->context->forced = 0;
	refused("a gate of no mode", gate(core_auth, c->env, 2), ARIL_E_RANGE);
	refused("a gate to another CPU", gate(core_auth, c->env, ARIL_GATE_CPU(1)), ARIL_E_CPU);
	yields_warm(core_auth, c->env);
	role = 1;
	s64 cause = core_yield(core_auth, c->env);
	if (cause != ARIL_START_SLICE)
		wrong("a callee that waits", cause);
	refused("a gate to the blocked", gate(core_auth, c->env, 0), ARIL_E_CLOSED);
	refused("a yield to the blocked", aril_yield(core_auth, c->env), ARIL_E_STATE);
	role = 0;
	*word = 1;
	if (aril_wake(core_auth, word_frame, 0, 1) != 1)
		wrong("waking it", 0);
	yields_warm(core_auth, c->env);
}

/* A synchronous call lends its caller's slices: the callee gives up the one it runs on, and answers in the next; no START
 * comes to the caller, where none is waited for. */
static void lent(struct child *c)
{
	gates_warm(core_auth, c->env);
	u64 upcalls = env_info(CORE_DOMAIN->env)->upcalls;
	role = 2;
	core_async_off();
	core_context()->gate_open = 1;
	gate_out_begin(core_auth, c->env);
	s64 result = gate_round(core_auth, c->env, ARIL_GATE_SYNC);
	gate_out_end();
	core_context()->gate_open = 0;
	core_context()->mask = ARIL_MASK_ASYNC;
	upcalls = env_info(CORE_DOMAIN->env)->upcalls - upcalls;
	role = 0;
	core_async_on();
	if (result || upcalls)
		core_log("%s: WRONG slices lent, %ld, %lu upcalls", NAME, result, upcalls);
	else
		core_log("%s: slices lent", NAME);
}

/* Until the slice is over, which is not heard: the grace runs. */
static void overrun(void)
{
	u64 until = core_now() + 5000000000ul;

	core_async_off();
	while (!(core_context()->pending & ARIL_PEND_END) && core_now() < until)
		;
}

/* There and back, with END and EVENT masked. 0, or what went wrong. */
static s64 there(struct child *c, int by_gate)
{
	if (!by_gate)
		return core_yield(core_auth, c->env) - ARIL_START_YIELD;
	core_context()->gate_open = 1;
	gate_out_begin(core_auth, c->env);
	s64 result = gate_round(core_auth, c->env, 0);
	gate_out_end();
	core_context()->gate_open = 0;
	core_context()->mask = ARIL_MASK_ASYNC;
	return result;
}

/* In the grace; then in a slice that has hardly begun: told[0], told[1], what the callee's context says each time. */
static s64 over_once(struct child *c, int by_gate, u32 told[2])
{
	volatile u32 *pending = &c->context->pending;

	overrun();
	s64 result = there(c, by_gate);
	told[0] = *pending & ARIL_PEND_END;
	core_yield(0, 0);
	result |= there(c, by_gate);
	told[1] = *pending & ARIL_PEND_END;
	return result;
}

/* Who gets the rest of a slice that is over hears so; and who gets the CPU in the next one does not. Again, where one of
 * us was stopped in between, or the next was over too. */
static void over(struct child *c, int by_gate)
{
	const char *how = by_gate ? "a gate" : "a yield";
	u32 told[2];
	s64 result;

	gates_warm(core_auth, c->env);
	yields_warm(core_auth, c->env);
	for (u32 tries = 0; tries < 100; tries++) {
		u64 before = forced_stops(c->env);

		result = over_once(c, by_gate, told);
		int late = told[1] && *(volatile u32 *)&core_context()->pending & ARIL_PEND_END;
		core_async_on();
		if (forced_stops(c->env) == before && !late)
			break;
	}
	if (result || !told[0] || told[1])
		core_log("%s: WRONG %s %ld at the end of a slice told %#x, then %#x", NAME, how,
			 result, told[0], told[1]);
	else
		core_log("%s: END told by %s", NAME, how);
}

int main(int argc, char **argv, char **envp)
{
	static struct child c;

	(void)argc, (void)argv, (void)envp;
	parent_env = CORE_DOMAIN->env;
	allowed("its own gate", aril_env_entry((u64)gate_out_entry, (u64)own_gate));
	allowed("a child", child_make(&c, peer, peer));
	gate_out_opened(core_auth, c.env, c.context);
	s64 second = aril_cap_open(&CORE_DOMAIN->cap);
	yields_warm(core_auth, c.env);
	gates_warm(core_auth, c.env);
	/* OWN is left, to give it back; RUN and CALL are not */
	guard(c.frame, ARIL_OWN);
	refused("a yield after the guard changed", aril_yield(core_auth, c.env), ARIL_E_RIGHTS);
	refused("a gate after the guard changed", gate(core_auth, c.env, 0), ARIL_E_RIGHTS);
	guard(c.frame, ARIL_ALL);
	yields_warm((u32)second, c.env);
	gates_warm((u32)second, c.env);
	refused("a gate by an index that is none", gate((u32)second + 1, c.env, 0), ARIL_E_CAP);
	refused("a gate to an env that is none", gate((u32)second, c.env + 1, 0), ARIL_E_ENV);
	refused("a yield by an index that is none", aril_yield((u32)second + 1, c.env), ARIL_E_CAP);
	refused("a yield to an env that is none", aril_yield((u32)second, c.env + 1), ARIL_E_ENV);
	allowed("closing", aril_cap_close((u32)second));
	refused("a yield by a closed index", aril_yield((u32)second, c.env), ARIL_E_CAP);
	refused("a gate by a closed index", gate((u32)second, c.env, 0), ARIL_E_CAP);
	callee_not_there(&c);
	lent(&c);
	over(&c, 0);
	over(&c, 1);
	gate_closes(&c);
	yields_warm(core_auth, c.env);
	gates_warm(core_auth, c.env);
	allowed("the end", aril_frame_reset(core_auth, c.frame));
	refused("a yield to the dead", aril_yield(core_auth, c.env), ARIL_E_ENV);
	refused("a gate to the dead", gate(core_auth, c.env, 0), ARIL_E_ENV);
	return done();
}

// SPDX-License-Identifier: MIT
// Calls through gates between spaces, trusting and not, on one CPU and to another: a server with several clients, a
// server that dies in a call, somebody else who answers, one who calls while another call is in.
// with:
// smp: 2
// expect: rpc: untrusting ok
// expect: rpc: trusting keeps registers ok
// expect: rpc: clients ok
// expect: rpc: other CPU ok
// expect: rpc: wrong answer ok
// expect: rpc: dying server ok
// expect: rpc: dying server on the other CPU ok
// expect: rpc: caller that trusted ok
// expect: rpc: done
// forbid: rpc: WRONG
// forbid: panic
#include "member.h"
#include <core/rpc.h>

#define CALLS 500u
#define CLIENTS 3u

enum request { ADD, DIE, NO_ANSWER, SHOW, PASS };

static struct member server, far_server, other, client[CLIENTS];
static volatile u32 passed, client_done[CLIENTS], client_wrong, other_entered;
static u32 second_space;

static void say(const char *what, u64 wrong_count)
{
	core_log("rpc: %s %s (%lu)", what, wrong_count ? "WRONG" : "ok", wrong_count);
}

/* A space of its own for servers: another root with the same tables below. */
static u32 space_make(void)
{
	u32 root = core_pool_take(&core_pool, 2);

	allowed("a space", aril_space_create(core_auth, root, root + 1));
	for (u64 i = 0; i < 256; i++) {
		u64 word = ARIL_SELF_VA +
			   (i << 30); /* the level 4 entry of i, through the map of itself thrice */

		for (int level = 0; level < 3; level++)
			word = ARIL_SELF_VA + ((word & 0xffffffffffff) >> 12) * 8;
		u64 entry = *(const volatile u64 *)word;
		if (entry & ARIL_PTE_PRESENT)
			allowed("a shared table", aril_space_link(core_auth, root, i << 39, 3,
								  ARIL_PTE_FRAME(entry)));
	}
	return root;
}

/* The servers' function: answers with what it may open the caller by. */
static s64 serve(u32 caller, struct core_message *m)
{
	u64 what = m->word[0];

	switch (what) {
	case ADD:
		m->word[0] = m->word[1] + m->word[2];
		m->word[1] = caller;
		m->word[2] = core_context()->env;
		break;
	case SHOW: { /* what came beside the message */
		__asm__ volatile("movups %%xmm7, %0" : "=m"(*(u8(*)[16]) & m->word[1]));
		break;
	}
	case PASS: { /* somebody else enters the caller's gate instead */
		struct member *self = member_self();

		passed = 1;
		aril_yield(self->auth, other.env);
		break;
	}
	case DIE:
		aril_env_exit(7);
		break;
	case NO_ANSWER:
		return -1;
	}
	return member_self()->auth;
}

/* As core_serve_forever. */
static void server_run(void)
{
	member_begin();
	core_context()->gate_open = 1;
	while (!passed)
		core_yield(0, 0);
	aril_env_exit(99); /* it has the caller's slices, and does not answer */
}

/* Until it serves, with its gate open, and has given the CPU back by itself. */
static void server_make(void)
{
	u64 until = core_now() + 20000000000ul;

	allowed("a server", member_make(&server, 0, second_space, server_run, core_gate));
	while ((!server.context->gate_open || *(volatile u32 *)&server.context->forced) &&
	       core_now() < until)
		core_yield(core_auth, server.env);
}

/* Answers a call that was not its own. */
static void other_run(void)
{
	member_begin();
	for (;;) {
		other_entered++;
		aril_gate(member_self()->auth, CORE_DOMAIN->env, 0);
		core_yield(0, 0);
	}
}

static u64 call_add(const struct core_server *to, u64 a, u64 b,
		    s64 (*how)(const struct core_server *, struct core_message *))
{
	struct core_message m = {{ADD, a, b}};
	s64 result;

	while ((result = how(to, &m)) == -ARIL_E_CLOSED &&
	       env_info(to->env)->state == ARIL_ENV_ALIVE)
		core_yield(0, 0);
	if (result)
		core_log("rpc: WRONG a call gave %ld", result);
	return result || m.word[0] != a + b || m.word[1] != core_context()->env ||
	       m.word[2] != to->env;
}

static void far_server_run(void)
{
	member_begin();
	core_serve_forever();
}

static void client_run(void)
{
	struct member *self = member_self();

	member_begin();
	struct core_server to = {.env = server.env, .auth = self->auth};
	core_async_on();
	for (u32 i = 0; i < CALLS; i++)
		client_wrong +=
			(u32)call_add(&to, i, self->number, i & 1 ? core_rpc : core_rpc_trusting);
	client_done[self->number] = 1;
	aril_env_exit(0);
}

/* A trusting call, with what C keeps set to marks before it, and their sum after. */
static u64 marks_kept(const struct core_server *to)
{
	u64 sum;
	struct core_message m = {{ADD, 40, 2}};

	__asm__ volatile(
		"push %%rbx\n\tpush %%rbp\n\tpush %%r12\n\tpush %%r13\n\tpush %%r14\n\tpush "
		"%%r15\n\t"
		"mov $0x1111, %%rbx\n\tmov $0x2222, %%rbp\n\tmov $0x4444, %%r12\n\t"
		"mov $0x8888, %%r13\n\tmov $0x11110, %%r14\n\tmov $0x22220, %%r15\n\t"
		"call core_rpc_trusting\n\t"
		"add %%rbx, %%rax\n\tadd %%rbp, %%rax\n\tadd %%r12, %%rax\n\tadd %%r13, %%rax\n\t"
		"add %%r14, %%rax\n\tadd %%r15, %%rax\n\t"
		"pop %%r15\n\tpop %%r14\n\tpop %%r13\n\tpop %%r12\n\tpop %%rbp\n\tpop %%rbx"
		: "=a"(sum), "+D"(to)
		: "S"(&m)
		: "rcx", "rdx", "r8", "r9", "r10", "r11", "memory", "cc");
	return sum != 0x1111 + 0x2222 + 0x4444 + 0x8888 + 0x11110 + 0x22220 || m.word[0] != 42;
}

static void on_this_cpu(struct core_server *to)
{
	struct core_message m = {{SHOW, 1, 1}};
	u64 mark[2] = {0x5ec2e7, 0x5ec2e7}, bad = 0;

	for (u32 i = 0; i < CALLS; i++)
		bad += call_add(to, i, 1000, core_rpc);
	__asm__ volatile("movups %0, %%xmm7" ::"m"(mark));
	bad += core_rpc(to, &m) != 0 || m.word[1] || m.word[2];
	say("untrusting", bad);
	bad = 0;
	for (u32 i = 0; i < CALLS; i++)
		bad += call_add(to, i, 5, core_rpc_trusting);
	say("trusting keeps registers", bad + marks_kept(to));
}

static void many_clients(void)
{
	u64 until = core_now() + 20000000000ul;
	u32 n = 0;

	for (u32 i = 0; i < CLIENTS; i++) {
		client[i].number = i;
		allowed("a client", member_make(&client[i], 0, 0, client_run, core_gate));
		member_slices(0, client[i].env, i * 2 + 1, 8);
	}
	while (n < CLIENTS && core_now() < until) {
		core_yield(0, 0);
		for (u32 i = n = 0; i < CLIENTS; i++)
			n += client_done[i];
	}
	say("clients", client_wrong + (n != CLIENTS));
	for (u32 i = 0; i < CLIENTS; i++)
		member_slices(0, CORE_DOMAIN->env, i * 2 + 1, 8);
}

/* To another CPU: the server there owns the slices. */
static void other_cpu(void)
{
	struct core_server to = {
		.env = far_server.env, .auth = core_auth, .mode = ARIL_GATE_CPU(1)};
	u64 bad = 0;

	for (u32 i = 0; i < CALLS; i++)
		bad += call_add(&to, i, 3, i & 1 ? core_rpc : core_rpc_trusting);
	say("other CPU", bad);
}

static void dying(void)
{
	struct core_server to = {.env = server.env, .auth = core_auth};
	struct core_message m = {{PASS, 0, 0}};

	/* the server gives its time to another, who enters our gate; we wait on; our slices are the server's, who ends */
	s64 result = core_rpc(&to, &m);
	say("wrong answer",
	    result != -ARIL_E_CLOSED || other_entered != 1 || env_info(to.env)->status != 99);
	passed = 0;
	server_make();
	to.env = server.env;
	m.word[0] = DIE;
	result = core_rpc(&to, &m);
	say("dying server", result != -ARIL_E_CLOSED || env_info(to.env)->status != 7);
	to = (struct core_server){far_server.env, core_auth, ARIL_GATE_CPU(1)};
	m.word[0] = DIE;
	while ((result = core_rpc(&to, &m)) == -ARIL_E_CLOSED && member_alive(&far_server))
		core_yield(0, 0);
	say("dying server on the other CPU",
	    result != -ARIL_E_CLOSED || env_info(to.env)->status != 7);
}

static void trusting_run(void)
{
	struct core_message m = {{DIE, 0, 0}};

	member_begin();
	struct core_server to = {.env = server.env, .auth = member_self()->auth};
	core_rpc_trusting(&to, &m);
	aril_env_exit(1);
}

int main(int argc, char **argv, char **envp)
{
	(void)argc, (void)argv, (void)envp;
	core_handlers.gate = serve;
	second_space = space_make();
	aril_env_entry((u64)core_upcall, (u64)core_gate);
	server_make();
	struct core_server to = {.env = server.env, .auth = core_auth};
	on_this_cpu(&to);
	many_clients();
	allowed("a server", member_make(&far_server, 1, second_space, far_server_run, core_gate));
	member_slices(1, far_server.env, 0, 2);
	while (!far_server.auth)
		core_sleep(1000000);
	other_cpu();
	allowed("another", member_make(&other, 0, 0, other_run, core_gate));
	dying();
	/* who trusted a server that died ends with it */
	server_make();
	allowed("a client", member_make(&client[0], 0, 0, trusting_run, core_gate));
	u64 until = core_now() + 20000000000ul;
	while (member_alive(&client[0]) && core_now() < until)
		core_yield(core_auth, client[0].env);
	say("caller that trusted", env_info(client[0].env)->status != -ARIL_E_CLOSED);
	core_log("rpc: done");
	return 0;
}

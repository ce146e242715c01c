/* SPDX-License-Identifier: MIT
 * Protection keys: what a binding's key and PKRU forbid faults, with the key's bit in the error, on one's own CPU and where it is
 * changed on another; nothing of PKRU reaches another env by a slice, a yield or a gate; with everything closed each way into the kernel
 * and back works as ever, and a kernel call reads no pointer that its caller could not. */
// keys:
// with: neighbour
// smp: 2
// expect: keys: refused a write where the key forbids it
// expect: keys: 40 starts and 20 gates, all open
// expect: keys: stopped by force [0-9]+ times, kept
// expect: keys: done
// forbid: keys: WRONG
#include "../native/member.h"
#include <core/rpc.h>

#define ALL 0xffffffffu
#define OTHERS 0xfffffffcu /* all keys but ours */
#define KEPT 0xabcdef54u

static u32 rdpkru(void)
{
	u32 value;

	__asm__ volatile("rdpkru" : "=a"(value) : "c"(0) : "rdx");
	return value;
}

static void wrpkru(u32 value)
{
	__asm__ volatile("wrpkru" : : "a"(value), "c"(0), "d"(0) : "memory");
}

extern u64 resume_at, resume_rsp;
u64 resume_at, resume_rsp;
static volatile u64 vector, error, keys_was;
static volatile u32 keys_now;

static int on_exception(struct core_frame *frame)
{
	keys_now = rdpkru();
	keys_was = frame->save.keys;
	vector = frame->save.vector;
	error = frame->save.error;
	if (vector == ARIL_VECTOR_SYSCALL)
		frame->rax = 77;
	else
		frame->save.rip = resume_at;
	if (resume_rsp)
		frame->save.rsp = resume_rsp;
	resume_rsp = 0;
	return 1;
}

/* `code` with this PKRU; r8 an address, r9 a word. rax; what a handler saw is in the variables above. */
#define WITH(keys, code)                                                                     \
	({                                                                                   \
		u64 rax_;                                                                    \
		vector = 0;                                                                  \
		register u64 r8_ __asm__("r8") = (u64)page;                                  \
		register u64 r9_ __asm__("r9") = 5;                                          \
		__asm__ volatile("leaq 7f(%%rip), %%rdi\n\tmovq %%rdi, resume_at(%%rip)\n\t" \
				 "wrpkru\n\t" code                                           \
				 "\n7:\tmovq %%rax, %%rsi\n\txorl %%eax, %%eax\n\t"          \
				 "xorl %%ecx, %%ecx\n\txorl %%edx, %%edx\n\twrpkru"          \
				 : "=S"(rax_), "+r"(r8_), "+r"(r9_)                          \
				 : "a"(keys), "c"(0), "d"(0)                                 \
				 : "rdi", "r10", "r11", "memory");                           \
		rax_;                                                                        \
	})

static void faulted(const char *what, u64 want_vector, u64 want_error, u32 keys)
{
	if (vector != want_vector || (want_vector == 14 && error != want_error) ||
	    keys_was != keys || keys_now)
		core_log("%s: WRONG %s: vector %lu, error %lx, PKRU %lx, in the handler %x", NAME,
			 what, vector, error, keys_was, keys_now);
	else if (want_vector == 14)
		core_log("%s: refused %s", NAME, what);
}

static void own(void)
{
	u32 frame;
	volatile u64 *page = core_pages(1, &frame);
	u32 closed = 2u << 2 * 5;

	if (core_map(&core_self, (u64)page, frame, 1, ARIL_BIND_WRITE | ARIL_BIND_KEY(6),
		     core_auth) < 0)
		wrong("a page", 0);
	u64 word = *(const volatile u64 *)(ARIL_SELF_VA +
					   (((u64)page & 0xfffffffffffful) >> 9 & ~7ul));
	if (ARIL_PTE_KEY(word) != 6)
		wrong("the key that core_map gave", (s64)ARIL_PTE_KEY(word));
	s64 r = aril_page_bind(core_auth, CORE_DOMAIN->space, (u64)page, frame,
			       ARIL_BIND_WRITE | ARIL_BIND_KEY(5), core_auth);
	allowed("a key", r);
	WITH(closed, "movq (%%r8), %%rax");
	faulted("reading", 0, 0, (u32)keys_was);
	WITH(closed, "movq %%r9, (%%r8)");
	faulted("a write where the key forbids it", 14, 0x27, closed);
	WITH(closed >> 1, "movq (%%r8), %%rax");
	faulted("a read where the key forbids it", 14, 0x25, closed >> 1);
	if (page[0])
		wrong("what was written", (s64)page[0]);
	WITH(~(3u << 2 * 5),
	     "nop; movl $0, %%eax; movl $0, %%ecx; movl $0, %%edx; wrpkru; movq %%r9, (%%r8)");
	if (vector || page[0] != 5)
		wrong("a write that is allowed", (s64)vector);
	/* each way into the kernel, with all closed */
	WITH(ALL, "ud2");
	faulted("an instruction", 6, 0, ALL);
	WITH(ALL, "movq (%%r8), %%rax");
	faulted("its own data", 14, 0x25, ALL);
	if (WITH(ALL, "movl $39, %%eax\n\tsyscall") != 77)
		wrong("a foreign call", (s64)vector);
	faulted("a foreign call", ARIL_VECTOR_SYSCALL, 0, ALL);
	if (WITH(ALL, "movl $0x80000000, %%eax\n\tsyscall\n\txorl %%ecx, %%ecx\n\trdpkru") != ALL)
		wrong("PKRU behind a call", 0);
	WITH(ALL,
	     "8:\txorl %%ecx, %%ecx\n\trdpkru\n\ttestl %%eax, %%eax\n\tjnz 8b"); /* until its slice has ended */
	/* a kernel call reads what its caller can */
	struct aril_space_op *ops = (struct aril_space_op *)page;
	*ops = (struct aril_space_op){
		.va = (u64)page + (1ul << 30), .count = 1, .kind = ARIL_UNBIND};
	wrpkru(closed >> 1);
	s64 without = aril_space_update(core_auth, CORE_DOMAIN->space, ops, 1);
	wrpkru(0);
	refused("a pointer that is closed to its caller", without, ARIL_E_ADDR);
	allowed("the same, open", aril_space_update(core_auth, CORE_DOMAIN->space, ops, 1));
}

/* With the stack in the context's page: the kernel's long way. */
static void nested(void)
{
	u64 page = (u64)core_context() + 3200;

	WITH(OTHERS, "movq %%rsp, resume_rsp(%%rip)\n\tmovq %%r8, %%rsp\n\tud2");
	faulted("an instruction on the context's stack", 6, 0, OTHERS);
}

/* --- other envs */
extern u32 seen, child_auth, parent_env, looks;
u32 seen, child_auth, parent_env, looks;
CHILD(k_again, "xorl %ecx, %ecx\n\trdpkru\n\torl %eax, seen(%rip)\n\tincl looks(%rip)\n\tmovl "
	       "$0x5555550c, %eax\n\txorl %ecx, "
	       "%ecx\n\twrpkru\n\tmovl child_auth(%rip), %edi\n\tmovl parent_env(%rip), "
	       "%esi\n\tmovl $0x80000029, %eax\n\tsyscall");
void child_open(void);
void child_open(void)
{
	child_auth = (u32)aril_cap_open(&CORE_DOMAIN->cap);
	aril_env_entry((u64)k_again, 0);
	aril_yield(child_auth, parent_env);
}
CHILD(k_first, "xorl %ecx, %ecx\n\trdpkru\n\torl %eax, seen(%rip)\n\tcall child_open");
extern u32 spins;
u32 spins;
/* Takes its START's frame off, keeps all masked, and computes with its PKRU for ever. */
CHILD(k_spin, "xorl %ecx, %ecx\n\txorl %edx, %edx\n\tmovl $0xabcdef54, %eax\n\twrpkru\n1:\tincl "
	      "spins(%rip)\n\txorl %ecx, "
	      "%ecx\n\trdpkru\n\tcmpl $0xabcdef54, %eax\n\tje 1b\n\t" EXIT(9));
CHILD(k_exit, EXIT(5));

static struct child c;

static void starts(void)
{
	u32 after = 0;

	parent_env = CORE_DOMAIN->env;
	allowed("a child", child_make(&c, k_first, 0));
	for (u32 i = 0; i < 41; i++) {
		wrpkru(OTHERS);
		core_yield(core_auth, c.env);
		after |= rdpkru();
		wrpkru(0);
	}
	if (seen || after || looks != 40)
		core_log("%s: WRONG PKRU at a START: %x, behind a yield %x, %u looks", NAME, seen,
			 after, looks);
	aril_frame_reset(core_auth, c.frame);
}

static void stopped(void)
{
	u32 times = 0;

	allowed("one that spins", child_make(&c, k_spin, 0));
	for (; times < 4; times++) {
		u32 before = spins;

		core_yield(core_auth, c.env);
		if (rdpkru() || spins == before || (u32)c.context->state.keys != KEPT ||
		    !c.context->forced)
			core_log("%s: WRONG stopped by force: ours %x, its %lx, forced %u", NAME,
				 rdpkru(), c.context->state.keys, c.context->forced);
	}
	if (env_info(c.env)->state != ARIL_ENV_ALIVE)
		wrong("its PKRU when it went on", env_info(c.env)->status);
	aril_frame_reset(core_auth, c.frame);
	core_log("%s: stopped by force %u times, kept", NAME, times);
	/* any value may stand there */
	allowed("a child", child_make(&c, k_exit, 0));
	memset(c.context->state.xsave, 0, sizeof(c.context->state.xsave));
	*(u32 *)(c.context->state.xsave + 24) = 0x1f80;
	c.context->state.rip = (u64)k_exit;
	c.context->state.keys = ~0ul;
	c.context->forced = 1;
	const volatile struct aril_env_info *e = child_run(&c);
	if (e->state != ARIL_ENV_DEAD || e->end != ARIL_END_EXIT || rdpkru())
		wrong("a forced state with all closed", e->end);
	aril_frame_reset(core_auth, c.frame);
}

static struct member server;
static volatile u32 served, at_gate;

static s64 on_gate(u32 caller, struct core_message *message)
{
	(void)caller, (void)message;
	at_gate |= rdpkru();
	served++;
	wrpkru(OTHERS & ~0xcu);
	return member_self()->auth;
}

static void serve(void)
{
	member_begin();
	core_serve_forever();
}

static void gates(void)
{
	u32 after = 0;

	core_handlers.gate = on_gate;
	core_async_off();
	aril_env_entry((u64)core_upcall, (u64)core_gate);
	allowed("a server", member_make(&server, core_context()->cpu, 0, serve, core_gate));
	core_yield(core_auth, server.env);
	for (u32 i = 0; i < 20; i++) {
		struct core_server at = {.auth = core_auth, .env = server.env};
		struct core_message message = {{i, 0, 0}};

		wrpkru(OTHERS);
		allowed("a call", core_rpc_trusting(&at, &message));
		after |= rdpkru();
		wrpkru(0);
	}
	if (at_gate || after || served != 20)
		core_log("%s: WRONG PKRU at a gate %x, behind it %x, %u calls", NAME, at_gate,
			 after, served);
	core_async_on();
	allowed("ending it", member_end(&server));
	core_log("%s: %u starts and %u gates, all open", NAME, looks, served);
}

int main(int argc, char **argv, char **envp)
{
	(void)argc, (void)argv, (void)envp;
	core_handlers.exception = on_exception;
	if (ARIL_INFO->keys != ARIL_KEYS)
		wrong("the number of keys", ARIL_INFO->keys);
	own();
	nested();
	starts();
	stopped();
	gates();
	return done();
}

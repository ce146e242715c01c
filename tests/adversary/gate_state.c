/* SPDX-License-Identifier: MIT
 * Enters a server's gate with floating-point state that would trip it: control words that trap and round, a full x87
 * stack, an exception that waits to be taken. The server computes as if nobody had been there, and the caller finds its
 * control words again, as after any C function. */
// expect: gate_state: 20 calls, computed as ever
// expect: gate_state: done
// forbid: gate_state: WRONG
// smp: 1
#include "../native/member.h"
#include <core/rpc.h>

#define MXCSR 0xff80u	/* toward zero, small numbers are zero */
#define CONTROL 0x0c40u /* toward zero, all traps on */

static struct member server;
static volatile u32 served, tripped;

static s64 on_gate(u32 caller, struct core_message *message)
{
	u32 mxcsr, control = 0;
	double third, one = 1, three = 3;
	u64 bits;

	(void)caller;
	__asm__ volatile("stmxcsr %0\n\tfnstcw %1" : "=m"(mxcsr), "=m"(control));
	if (mxcsr != 0x1f80 || (u16)control != 0x37f) {
		tripped++;
		return member_self()->auth;
	}
	__asm__ volatile("fldl %1\n\tfdivl %2\n\tfstpl %0\n\tfwait"
			 : "=m"(third)
			 : "m"(one), "m"(three));
	memcpy(&bits, &third, sizeof(bits));
	message->word[0] = bits;
	served++;
	return member_self()->auth;
}

static void serve(void)
{
	member_begin();
	core_serve_forever();
}

/* A full stack, traps on, and one waits; no instruction here takes it. */
static void trip(void)
{
	u32 mxcsr = MXCSR, control = CONTROL;

	__asm__ volatile("ldmxcsr %0\n\tfninit\n\tfld1\n\tfld1\n\tfld1\n\tfld1\n\tfld1\n\tfld1\n\t"
			 "fldz\n\tfld1\n\tfldcw %1\n\tfdiv %%st(1), %%st"
			 :
			 : "m"(mxcsr), "m"(control));
}

int main(int argc, char **argv, char **envp)
{
	u32 calls = 0;

	(void)argc, (void)argv, (void)envp;
	core_handlers.gate = on_gate;
	core_async_off();
	aril_env_entry((u64)core_upcall, (u64)core_gate);
	allowed("a server", member_make(&server, core_context()->cpu, 0, serve, core_gate));
	core_yield(core_auth, server.env);
	for (; calls < 20; calls++) {
		struct core_server at = {.auth = core_auth, .env = server.env};
		struct core_message message = {{calls, 0, 0}};
		u32 mxcsr, control = 0;

		trip();
		s64 result = core_rpc_trusting(&at, &message);
		__asm__ volatile("stmxcsr %0\n\tfnstcw %1\n\tfninit" : "=m"(mxcsr), "=m"(control));
		if (result < 0 || message.word[0] != 0x3fd5555555555555) {
			wrong("the server's sum", result);
			break;
		}
		if ((mxcsr & 0xffc0) != (MXCSR & 0xffc0) || (u16)control != CONTROL) {
			wrong("control words after the call", control);
			break;
		}
	}
	__asm__ volatile("fninit");
	if (tripped || served != calls || !member_alive(&server))
		wrong("the server", tripped);
	core_log("%s: %u calls, computed as ever", NAME, served);
	core_async_on();
	allowed("ending it", member_end(&server));
	return done();
}

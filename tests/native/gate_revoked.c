// SPDX-License-Identifier: MIT
// A gate that is closed by force while its env keeps a caller's slices: the caller has them back.
// smp: 2
// expect: gate_revoked: lent for good
// expect: gate_revoked: the caller runs again ok
// expect: gate_revoked: closed ok
// expect: gate_revoked: done
// forbid: gate_revoked: WRONG
#include <aril/error.h>
#include <aril/info.h>
#include <aril/ops.h>
#include <aril_stubs.h>
#include <core/native.h>
#include <core/print.h>
#include <core/string.h>
#include <core/time.h>
#include <core/upcall.h>

extern volatile u32 entered;
volatile u32 entered; /* the callee was, by its gate */
static volatile u32 lent, asked;
static u32 callee, account;
static volatile struct aril_context *context;

void keeper_entry(void), keeper_gate(void);
/* Opens its gate; entered by it, yields for ever, so that what it was lent it has and uses. */
__asm__(".text\n"
	"keeper_entry:\n mov %rsp, %rdi\n and $-4096, %rdi\n movl $0, 0(%rdi)\n movl $1, 8(%rdi)\n"
	"1: mov $0x80000029, %eax\n xor %edi, %edi\n xor %esi, %esi\n syscall\n jmp 1b\n"
	"keeper_gate: movl $1, entered(%rip)\n1: pause\n jmp 1b\n");

/* The other CPU takes the gate away. */
void core_secondary(u32 cpu)
{
	struct aril_revocation want = {.kind = ARIL_REVOKE_GATES, .count = 1};

	(void)cpu;
	while (!entered)
		core_sleep(1000000);
	core_sleep(100000000); /* several slices, all the callee's */
	core_log("gate_revoked: lent for good");
	want.first = want.last = callee;
	asked = 1;
	s64 error = aril_revoke(core_auth, account, &want);
	if (error)
		core_log("gate_revoked: WRONG revoke %ld", error);
}

static void make(void)
{
	struct aril_guard mine = {.len = CORE_DOMAIN->cap.len, .rights = ARIL_ALL};
	struct aril_account_desc desc = {.limit = {0, 1, 0, 0, 0, 0, ~0u, ~0u}};
	struct aril_env_desc env = {
		.space = CORE_DOMAIN->space, .entry = (u64)keeper_entry, .gate = (u64)keeper_gate};
	u32 page;

	memcpy(mine.name, CORE_DOMAIN->cap.name, sizeof(mine.name));
	desc.guard = mine;
	account = (u32)aril_account_create(core_auth, CORE_DOMAIN->account, &desc);
	env.account = account;
	context = core_pages(1, &page);
	callee = (u32)aril_env_create(core_auth, core_pool_take(&core_pool, 1), &env);
	s64 error = aril_env_context(core_auth, callee, core_context()->cpu, page, (u64)context);
	if (error)
		core_log("gate_revoked: WRONG context %ld", error);
}

/* The call does not come back: a START of this env's own slice begins main anew. */
int main(int argc, char **argv, char **envp)
{
	const volatile struct aril_env_info *info;

	(void)argc, (void)argv, (void)envp;
	if (!lent) {
		make();
		while (!context->gate_open || *(volatile u32 *)&context->forced)
			core_yield(core_auth, callee);
		core_async_off();
		core_context()->cookie = 0; /* as if it never ran */
		lent = 1;
		s64 error = aril_gate(core_auth, callee, ARIL_GATE_SYNC);
		core_log("gate_revoked: WRONG the gate gave %ld", error);
		return 1;
	}
	info = (const volatile struct aril_env_info *)ARIL_INFO->envs_va + (callee & 0xffff);
	core_log("gate_revoked: the caller runs again %s", asked ? "ok" : "WRONG");
	s64 refused = aril_gate(core_auth, callee, ARIL_GATE_SYNC);
	core_log("gate_revoked: closed %s",
		 !info->gate && refused == -ARIL_E_CLOSED ? "ok" : "WRONG");
	core_log("gate_revoked: done");
	return 0;
}

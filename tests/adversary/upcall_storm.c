/* SPDX-License-Identifier: MIT
 * Storms an env on another CPU with revocations, each an upcall and an interrupt, while it raises exceptions and makes foreign
 * calls as fast as it can and its slices end. Each of its own upcalls comes once, in order, with its registers; those of the
 * storm are as many as it takes, however many were sent, and never more than its stack has room for. */
// smp: 2
// slice: 2000
// expect: upcall_storm: [1-9][0-9]* sent, [1-9][0-9]* upcalls, [1-9][0-9]* exceptions and [1-9][0-9]* calls beside them, each once
// expect: upcall_storm: masked: 200 sent, 1 came
// expect: upcall_storm: done
// forbid: upcall_storm: WRONG
#include "../native/member.h"
#include <aril/ops.h>

#define STORM_NS 1500000000ul
#define MASKED 200u

static struct member victim;
static u32 account;
/* of the victim */
static volatile u64 exceptions, calls, upcalls, rounds;
static volatile u32 stage, came;

static int on_exception(struct core_frame *f)
{
	if (f->save.vector == 6) {
		exceptions++;
		f->save.rip += 2;
		return 1;
	}
	if (f->save.vector == ARIL_VECTOR_SYSCALL && f->rax == 39) {
		calls++;
		f->rax = calls;
		return 1;
	}
	return 0;
}

static void on_revoke(struct aril_context *context)
{
	(void)context;
	upcalls++;
}

/* Both, with every register that is not lost in use; what they count must be one more. */
static int round_right(u64 n)
{
	u64 before = exceptions, answer = 39;
	register u64 r8 __asm__("r8") = n + 8;
	register u64 r9 __asm__("r9") = n + 9;
	register u64 r12 __asm__("r12") = n + 12;
	register u64 r13 __asm__("r13") = n + 13;
	register u64 r14 __asm__("r14") = n + 14;
	register u64 r15 __asm__("r15") = n + 15;
	u64 rbx = n, rdi = n + 1, rsi = n + 2, rdx = n + 3;

	__asm__ volatile("ud2\n\tsyscall\n\tud2"
			 : "+a"(answer), "+b"(rbx), "+D"(rdi), "+S"(rsi), "+d"(rdx), "+r"(r8),
			   "+r"(r9), "+r"(r12), "+r"(r13), "+r"(r14), "+r"(r15)
			 :
			 : "rcx", "r11", "memory", "cc");
	if (exceptions - before != 2 || answer != n + 1 || calls != n + 1)
		return 0;
	return rbx == n && rdi == n + 1 && rsi == n + 2 && rdx == n + 3 && r8 == n + 8 &&
	       r9 == n + 9 && r12 == n + 12 && r13 == n + 13 && r14 == n + 14 && r15 == n + 15;
}

static void victim_run(void)
{
	member_begin();
	core_async_on();
	for (; stage == 0; rounds++)
		if (!round_right(rounds)) {
			wrong("the victim's round", (s64)rounds);
			break;
		}
	core_async_off();
	u64 before = upcalls;
	stage = 2;
	while (stage == 2)
		__builtin_ia32_pause();
	if (upcalls != before)
		wrong("an upcall that was masked", (s64)(upcalls - before));
	core_async_on();
	came = (u32)(upcalls - before);
	stage = 4;
	for (;;)
		core_sleep(1000000000);
}

static s64 send(void)
{
	struct aril_revocation want = {
		.kind = ARIL_REVOKE_FRAMES, .count = 1, .last = 7, .deadline = ~0ul >> 1};

	return aril_revoke(core_auth, account, &want);
}

static void until_stage(u32 n)
{
	for (u64 until = core_now() + 10000000000ul; stage != n && core_now() < until;)
		core_sleep(1000000);
	if (stage != n)
		wrong("waiting for the victim", stage);
}

int main(int argc, char **argv, char **envp)
{
	struct aril_account_desc desc = {
		.guard = {.len = CORE_DOMAIN->cap.len, .rights = ARIL_ALL}};
	u32 page, sent = 0;

	(void)argc, (void)argv, (void)envp;
	memcpy(desc.guard.name, CORE_DOMAIN->cap.name, sizeof(desc.guard.name));
	core_handlers.exception = on_exception;
	core_handlers.revoke = on_revoke;
	u32 cpu = !core_context()->cpu;
	s64 got = aril_account_create(core_auth, CORE_DOMAIN->account, &desc);
	allowed("an account", got);
	account = (u32)got;
	core_pages(1, &page);
	allowed("a victim", member_make(&victim, cpu, 0, victim_run, 0));
	if (!member_slices(cpu, victim.env, 0, 1))
		wrong("its slices", 0);
	allowed("who answers", aril_account_handler(core_auth, account, victim.env, cpu, page));
	got = 0;
	while (!rounds)
		core_sleep(1000000);
	for (u64 until = core_now() + STORM_NS; core_now() < until && !got; sent++)
		got = send();
	allowed("a revocation", got);
	u64 seen = upcalls;
	stage = 1;
	until_stage(2);
	if (!seen || seen > sent + 1)
		wrong("upcalls", (s64)seen);
	core_log("%s: %u sent, %lu upcalls, %lu exceptions and %lu calls beside them, each once",
		 NAME, sent, seen, exceptions, calls);
	for (u32 i = 0; i < MASKED; i++)
		allowed("a revocation while masked", send());
	stage = 3;
	until_stage(4);
	core_log("%s: masked: %u sent, %u came", NAME, MASKED, came);
	allowed("ending it", member_end(&victim));
	allowed("ending the account", aril_account_destroy(core_auth, account));
	return done();
}

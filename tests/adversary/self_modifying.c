/* SPDX-License-Identifier: MIT
 * Changes the code that another CPU is running, by binding another frame there, which it wrote just before through a
 * second binding; and takes the frame back. What the other CPU runs is the old or the new until the call has returned,
 * and the new after; once the frame is gone it faults, and nothing of it runs any more.
 *
 * Stores into the page that runs are not tried: QEMU 7.2 with a thread for each CPU loses some, on the CPU that stores
 * too (with one thread for all it does not). */
// expect: self_modifying: [0-9]+ changes, no stale code
// expect: self_modifying: refused running what is gone
// expect: self_modifying: done
// forbid: self_modifying: WRONG
// smp: 2
#include "adversary.h"

#define CODE_VA 0x500000000000ul
#define ROUNDS 150u

/* nop; nop; nop; mov $VALUE, %eax; ret. The value is one aligned word, so it is written at once. */
struct code {
	u8 before[4];
	volatile u32 value;
	u8 after[4];
};

static struct code *code[2];
static u32 frame[2];
/* the value that must come back; 0: about to change */
static volatile u32 stable, calls, faults, stale, foreign, highest, gone;

static int on_exception(struct core_frame *f)
{
	u64 in = f->save.rip - CODE_VA; /* anywhere in it: it may be taken away in the middle */

	if (f->save.vector != 14 || f->save.addr != f->save.rip || in >= sizeof(struct code))
		return 0;
	faults++;
	f->rax = 0;
	f->save.rip = *(u64 *)f->save.rsp; /* as if it had returned */
	f->save.rsp += 8;
	return 1;
}

void core_secondary(u32 cpu)
{
	(void)cpu;
	while (!stable)
		core_sleep(1000000);
	for (;;) {
		u32 before = stable, was_gone = gone, eax = 0, ecx = 0;

		__asm__ volatile("cpuid" : "+a"(eax), "+c"(ecx) : : "ebx", "edx", "memory");
		u32 got = ((u32(*)(void))CODE_VA)();
		if (before && before == stable && got != before && !gone)
			stale++;
		if (got > highest || (was_gone && got))
			foreign++;
		calls++;
	}
}

static int more_calls(volatile u32 *count, u32 n)
{
	u32 from = *count;
	u64 until = core_now() + 20000000000ul;

	while (*count - from < n && core_now() < until)
		core_sleep(50000);
	return *count - from >= n;
}

int main(int argc, char **argv, char **envp)
{
	static const struct code first = {{0x90, 0x90, 0x90, 0xb8}, 1, {0xc3, 0xc3, 0xc3, 0xc3}};
	u32 at = 0;

	(void)argc, (void)argv, (void)envp;
	core_handlers.exception = on_exception;
	for (u32 i = 0; i < 2; i++) {
		code[i] = core_pages(1, &frame[i]);
		memcpy(code[i], &first, sizeof(first));
	}
	allowed("code", core_map(&core_self, CODE_VA, frame[at], 1, ARIL_BIND_EXEC, core_auth));
	highest = stable = 1;
	for (u32 n = 2; n < ROUNDS; n++) {
		if (!more_calls(&calls, 3))
			wrong("waiting for the other CPU", n);
		stable = 0;
		highest = n;
		at = !at;
		code[at]->value = n;
		allowed("other code",
			core_map(&core_self, CODE_VA, frame[at], 1, ARIL_BIND_EXEC, core_auth));
		stable = n;
	}
	if (stale || foreign || faults)
		core_log("%s: WRONG %u stale, %u foreign, %u faults", NAME, stale, foreign, faults);
	else
		core_log("%s: %u changes, no stale code", NAME, ROUNDS - 2);
	stable = 0;
	allowed("taking back", aril_frame_reset(core_auth, frame[at]));
	gone = 1;
	if (more_calls(&faults, 10) && !foreign)
		core_log("%s: refused running what is gone", NAME);
	else
		wrong("running what is gone", foreign);
	return done();
}

// SPDX-License-Identifier: MIT
// wait and wake between CPUs: a ball goes to and fro, nothing is lost; deadlines end waits.
// with:
// smp: 2
// expect: wakes: 4000 passes ok
// expect: wakes: deadline ok
// expect: wakes: value ok
// expect: wakes: done
// forbid: wakes: WRONG
#include <aril/error.h>
#include <aril/info.h>
#include <aril_stubs.h>
#include <core/native.h>
#include <core/print.h>
#include <core/time.h>
#include <core/upcall.h>

#define PASSES 4000u

static volatile u32 *ball;
static u32 ball_frame;
static volatile u32 wrong;

/* Plays the passes of one parity. */
static void play(u32 mine)
{
	for (;;) {
		u32 now = __atomic_load_n(ball, __ATOMIC_SEQ_CST);

		if (now >= PASSES)
			return;
		if (now % 2 == mine) {
			__atomic_store_n(ball, now + 1, __ATOMIC_SEQ_CST);
			aril_wake(core_auth, ball_frame, 0, 1);
			continue;
		}
		s64 cause = core_wait(core_auth, ball_frame, 0, now, core_now() + 20000000000ul);
		if (cause == ARIL_START_TIME)
			wrong++; /* twenty seconds without the ball: a wake was lost */
	}
}

void core_secondary(u32 cpu)
{
	(void)cpu;
	while (!__atomic_load_n(&ball, __ATOMIC_ACQUIRE))
		core_sleep(1000000);
	play(1);
}

int main(int argc, char **argv, char **envp)
{
	(void)argc, (void)argv, (void)envp;
	u32 *word = core_pages(1, &ball_frame);
	__atomic_store_n(&ball, word, __ATOMIC_RELEASE);
	play(0);
	core_log("wakes: %u passes %s", *ball, wrong || *ball != PASSES ? "WRONG" : "ok");
	u64 began = core_now();
	s64 cause = core_wait(core_auth, ball_frame, 64, 0, began + 30000000);
	core_log("wakes: deadline %s",
		 cause == ARIL_START_TIME && core_now() - began >= 30000000 ? "ok" : "WRONG");
	core_log("wakes: value %s",
		 core_wait(core_auth, ball_frame, 64, 1, 0) == -ARIL_E_VALUE ? "ok" : "WRONG");
	core_log("wakes: done");
	return 0;
}

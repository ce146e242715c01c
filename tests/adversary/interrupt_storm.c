/* SPDX-License-Identifier: MIT
 * Has two devices interrupt as fast as they can and lets each next one through at once, beside the neighbour. */
// machine: q35
// device: rtc hpet
// expect: interrupt_storm: [0-9]+ interrupts of the clock
// expect: interrupt_storm: [0-9]+ interrupts of the timer
// expect: interrupt_storm: done
// forbid: interrupt_storm: WRONG
#include "adversary.h"

#include <core/hpet.h>
#include <core/rtc.h>

#define HPET_VA 0x500000000000ul

static struct core_rtc rtc;
static struct core_hpet hpet;
static u32 rtc_line, hpet_line;

static void on_event(struct aril_context *context)
{
	u64 lines = __atomic_exchange_n(&context->lines, 0, __ATOMIC_SEQ_CST);

	if (lines >> rtc_line & 1)
		rtc_event(&rtc);
	if (lines >> hpet_line & 1)
		hpet_event(&hpet);
}

int main(int argc, char **argv, char **envp)
{
	(void)argc;
	(void)argv;
	(void)envp;
	rtc_line = (u32)core_grant(ARIL_GRANT_LINE, RTC_LINE);
	hpet_line = (u32)core_grant(ARIL_GRANT_LINE, HPET_LINE);
	core_async_off();
	allowed("the clock", rtc_open(&rtc, rtc_line));
	allowed("the timer", hpet_open(&hpet, &core_self, HPET_VA, hpet_line));
	rtc_periodic(&rtc, 8192);
	hpet_periodic(&hpet, 20000);
	core_handlers.event = on_event;
	core_async_on();
	/* some time, and on a busy host as long as it takes */
	u64 began = core_now();
	while (core_now() < began + 1500000000 ||
	       ((rtc.count < 20 || hpet.count < 200) && core_now() < began + 20000000000))
		;
	core_handlers.event = NULL; /* a storm that nobody serves any more is over by itself */
	if (rtc.count < 20)
		wrong("the clock's rate", (s64)rtc.count);
	if (hpet.count < 200)
		wrong("the timer's rate", (s64)hpet.count);
	core_log("%s: %lu interrupts of the clock", NAME, rtc.count);
	core_log("%s: %lu interrupts of the timer", NAME, hpet.count);
	core_sleep(300000000);
	return done();
}

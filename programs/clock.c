/* SPDX-License-Identifier: MIT
 * Drives the real-time clock by itself: says the date, then counts its periodic interrupts for some seconds.
 *
 *   ./aril run --primary clock --device clock=rtc */
#include <aril/info.h>
#include <aril/ops.h>
#include <core/native.h>
#include <core/rtc.h>
#include <core/time.h>
#include <core/upcall.h>

#define HZ 64
#define SECONDS 3

static volatile u32 fired;

static void on_event(struct aril_context *context)
{
	__atomic_exchange_n(&context->lines, 0, __ATOMIC_SEQ_CST);
	fired = 1;
}

/* Year, month and day of a count of days from 1970. */
static void date_of(s64 days, u32 date[3])
{
	s64 from_march = days + 719468, era = from_march / 146097;
	u32 of_era = (u32)(from_march % 146097);
	u32 year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	u32 of_year = of_era - (365 * year + year / 4 - year / 100);
	u32 month = (5 * of_year + 2) / 153;

	date[2] = of_year - (153 * month + 2) / 5 + 1;
	date[1] = month < 10 ? month + 3 : month - 9;
	date[0] = (u32)(era * 400) + year + (date[1] <= 2);
}

int main(int argc, char **argv, char **envp)
{
	s64 ports = core_grant(ARIL_GRANT_PORTS, RTC_PORT), line = core_grant(ARIL_GRANT_LINE, ~0u);
	struct core_rtc rtc;
	u32 date[3];

	(void)argc, (void)argv, (void)envp;
	if (ports < 0 || line < 0) {
		core_print("clock: no real-time clock was granted: ./aril run --primary clock "
			   "--device clock=rtc\n");
		return 1;
	}
	core_handlers.event = on_event;
	if (rtc_open(&rtc, (u32)line)) {
		core_print("clock: no real-time clock answers\n");
		return 1;
	}
	s64 now = rtc_seconds();
	date_of(now / 86400, date);
	core_print("%u-%02u-%02u %02u:%02u:%02u UTC\n", date[0], date[1], date[2],
		   (u32)(now % 86400 / 3600), (u32)(now % 3600 / 60), (u32)(now % 60));
	rtc_periodic(&rtc, HZ);
	u64 start = core_now(), shown = 0;
	while (shown < SECONDS) {
		core_sleep(1000000000 / HZ);
		if (fired) {
			fired = 0;
			rtc_event(&rtc);
		}
		if (core_now() - start >= (shown + 1) * 1000000000) {
			shown++;
			core_print("%lu s: %lu interrupts at %u Hz\n", shown, rtc.count, HZ);
		}
	}
	rtc_periodic(&rtc, 0);
	return 0;
}

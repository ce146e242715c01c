// SPDX-License-Identifier: MIT
// Two timers driven from user space, by granted ports, device memory and lines: their rates against the exposed clock.
// with:
// smp: 2
// machine: q35
// device: rtc hpet
// expect: timers: date ok
// expect: timers: 64 Hz ok
// expect: timers: 256 Hz ok
// expect: timers: masked until unmasked ok
// expect: timers: update and alarm ok
// expect: timers: hpet counter ok
// expect: timers: hpet interrupts ok
// expect: timers: moved away ok
// expect: timers: done
// forbid: timers: WRONG
#include <aril/error.h>
#include <aril/info.h>
#include <aril/ops.h>
#include <aril_stubs.h>
#include <core/hpet.h>
#include <core/native.h>
#include <core/print.h>
#include <core/rtc.h>
#include <core/time.h>
#include <core/upcall.h>

#define HPET_VA 0x500000000000ul

static volatile u64 lines; /* that fired since they were looked at */
static struct core_rtc rtc;
static struct core_hpet hpet;
static u32 rtc_line, hpet_line;

static void on_event(struct aril_context *context)
{
	lines |= __atomic_exchange_n(&context->lines, 0, __ATOMIC_SEQ_CST);
}

static void say(const char *what, int ok, s64 got)
{
	if (ok)
		core_log("timers: %s ok (%ld)", what, got);
	else
		core_log("timers: WRONG %s (%ld)", what, got);
}

/* Serves both for so long. */
static void serve(u64 ns)
{
	u64 until = core_now() + ns;

	while (core_now() < until) {
		core_sleep(1000000);
		core_async_off();
		u64 now = lines;
		lines = 0;
		core_async_on();
		if (now >> rtc_line & 1)
			rtc_event(&rtc);
		if (now >> hpet_line & 1)
			hpet_event(&hpet);
	}
}

/* Interrupts in a time, in percent of what hz would give. */
static s64 share(u64 count, u64 ns, u32 hz)
{
	return (s64)(count * 100 * 1000000000 / (ns * hz));
}

/* What share measure() finds, if it is between the two; else measured again, as long as the host may have been busy
 * elsewhere. */
static s64 measured(s64 (*measure)(u32 hz), u32 hz, s64 least, s64 most)
{
	s64 percent = 0;

	for (u32 tries = 0; tries < 10; tries++) {
		percent = measure(hz);
		if (percent > least && percent < most)
			break;
	}
	return percent;
}

static s64 rtc_share(u32 hz)
{
	rtc_periodic(&rtc, hz);
	u64 start = core_now(), before = rtc.count;
	serve(500000000);
	s64 percent = share(rtc.count - before, core_now() - start, hz);
	rtc_periodic(&rtc, 0);
	return percent;
}

static void periodic(u32 hz, const char *what)
{
	s64 percent = measured(rtc_share, hz, 40, 160);

	say(what, percent > 40 && percent < 160, percent);
}

static const volatile struct aril_grant *grant_info(u32 n)
{
	return (const volatile struct aril_grant *)ARIL_INFO->grants_va + n;
}

/* Nobody lets the next one through: there is one at most. */
static void masked(void)
{
	rtc_event(&rtc);
	rtc_periodic(&rtc, 1024);
	u64 before = grant_info(rtc_line)->fired;
	core_sleep(50000000);
	u64 until = core_now() + 100000000;
	while (core_now() < until)
		core_sleep(10000000);
	u64 fired = grant_info(rtc_line)->fired - before, after;
	until = core_now() + 10000000000;
	do {
		serve(100000000);
		after = grant_info(rtc_line)->fired - before;
	} while (after <= fired + 5 && core_now() < until);
	rtc_periodic(&rtc, 0);
	say("masked until unmasked", fired <= 2 && after > fired + 5, (s64)(fired * 1000 + after));
}

static void alarm(void)
{
	u64 until = core_now() + 30000000000;

	serve(10000000);
	rtc.updates = rtc.alarms = 0;
	u64 began = core_now();
	rtc_updates(&rtc, 1);
	rtc_alarm(&rtc, (u32)((rtc_seconds() + 2) % 86400));
	while (!rtc.alarms && core_now() < until)
		serve(10000000);
	rtc_alarm(&rtc, ~0u);
	rtc_updates(&rtc, 0);
	say("update and alarm",
	    rtc.alarms == 1 && rtc.updates >= 1 &&
		    rtc.updates <= (core_now() - began) / 1000000000 + 2,
	    (s64)rtc.updates);
}

static s64 hpet_counted(u32 hz)
{
	u64 start = core_now(), from = hpet_counter(&hpet);

	serve(300000000);
	return share(hpet_counter(&hpet) - from, core_now() - start, hz);
}

static s64 hpet_share(u32 hz)
{
	u64 start = core_now(), before = hpet.count;

	hpet_periodic(&hpet, 1000000000 / hz);
	serve(500000000);
	s64 percent = share(hpet.count - before, core_now() - start, hz);
	hpet_periodic(&hpet, 0);
	return percent;
}

static void precise(void)
{
	s64 error = hpet_open(&hpet, &core_self, HPET_VA, hpet_line);

	if (error) {
		say("hpet", 0, error);
		return;
	}
	s64 percent = measured(hpet_counted, (u32)hpet_hz(&hpet), 80, 120);
	say("hpet counter", percent > 80 && percent < 120, percent);
	percent = measured(hpet_share, 200, 40, 160);
	say("hpet interrupts", percent > 40 && percent < 160, percent);
}

/* The grants are the domain's to take back: after that the memory is unbound and the numbers are nobody's. */
static void moved(s64 memory)
{
	u64 entry = *(volatile u64 *)(ARIL_SELF_VA + (HPET_VA >> 12) * 8);
	s64 moved = aril_grant_move(core_auth, (u32)memory, CORE_DOMAIN->env, 0);
	u64 left = *(volatile u64 *)(ARIL_SELF_VA + (HPET_VA >> 12) * 8);
	s64 destroyed = aril_grant_destroy(core_auth, (u32)memory);
	s64 again = core_map(&core_self, HPET_VA, HPET_FRAME, 1, 0, core_auth);
	s64 line = aril_grant_destroy(core_auth, hpet_line);
	s64 unmask = aril_line_unmask(hpet_line);

	say("moved away",
	    entry & 1 && !moved && !(left & 1) && !destroyed && again == -ARIL_E_FRAME && !line &&
		    unmask == -ARIL_E_RANGE,
	    again);
}

int main(int argc, char **argv, char **envp)
{
	s64 ports = core_grant(ARIL_GRANT_PORTS, RTC_PORT),
	    memory = core_grant(ARIL_GRANT_MEMORY, HPET_FRAME),
	    line = core_grant(ARIL_GRANT_LINE, RTC_LINE),
	    other = core_grant(ARIL_GRANT_LINE, HPET_LINE);

	(void)argc, (void)argv, (void)envp;
	if (ports < 0 || line < 0 || memory < 0 || other < 0) {
		core_log("timers: WRONG grants %ld %ld %ld %ld", ports, line, memory, other);
		return 1;
	}
	rtc_line = (u32)line, hpet_line = (u32)other;
	core_handlers.event = on_event;
	if (rtc_open(&rtc, rtc_line))
		core_log("timers: WRONG no chip");
	s64 ahead = rtc_seconds() - (CORE_DOMAIN->realtime_offset + (s64)core_now()) / 1000000000;
	say("date", ahead > -3 && ahead < 3, ahead);
	periodic(64, "64 Hz");
	periodic(256, "256 Hz");
	masked();
	alarm();
	precise();
	moved(memory);
	core_log("timers: done");
	return 0;
}

/* SPDX-License-Identifier: MIT
 * The real-time clock of a PC (MC146818 and its descendants): two ports and ISA line 8. Port 0x70 is an index register
 * whose bit 7 masks the non-maskable interrupt on some boards: it is always written as 0 here.
 *
 * The line stays up until the cause is read, so it is an edge per interrupt: rtc_event acknowledges, then lets the next
 * one through. */
#ifndef CORE_RTC_H
#define CORE_RTC_H

#include <aril/types.h>

#define RTC_PORT 0x70
#define RTC_PORTS 2
#define RTC_LINE 8 /* ISA, edge */

#define RTC_PERIODIC 0x40u
#define RTC_ALARM 0x20u
#define RTC_UPDATE 0x10u

/* Seconds since 1970, taking the clock as UTC; -1: there is none, or it never comes to rest. The ports are granted to
 * the caller. Reads of a date while the chip changes it are thrown away: at most 10000 are tried. */
s64 rtc_seconds(void);

struct core_rtc {
	u32 grant; /* of the line */
	u64 count; /* periodic interrupts taken */
	u64 updates, alarms;
};

/* Takes the chip over, all its interrupts off. The ports and the line (grant number) are granted to the caller. 0, or
 * -ARIL_E_DEVICE where no chip answers. */
int rtc_open(struct core_rtc *rtc, u32 grant);
/* Periodic interrupts, hz = 2^1..2^13 times a second (others: the next power below); 0: off. */
void rtc_periodic(struct core_rtc *rtc, u32 hz);
/* An interrupt after each second's update: on or off. */
void rtc_updates(struct core_rtc *rtc, int on);
/* An interrupt when the clock shows that time of day (seconds since midnight). ~0u: off. */
void rtc_alarm(struct core_rtc *rtc, u32 time);
/* Its line has fired: counts the causes, lets the next through. RTC_* bits. */
u32 rtc_event(struct core_rtc *rtc);

#endif

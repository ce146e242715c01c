/* SPDX-License-Identifier: MIT
 * The real-time clock. */
#include <aril/error.h>
#include <aril_stubs.h>
#include <core/port.h>
#include <core/rtc.h>
#include <core/string.h>

enum rtc_register {
	REGISTER_SECONDS = 0,
	REGISTER_SECONDS_ALARM = 1,
	REGISTER_MINUTES = 2,
	REGISTER_MINUTES_ALARM = 3,
	REGISTER_HOURS = 4,
	REGISTER_HOURS_ALARM = 5,
	REGISTER_A = 0x0a, /* update in progress, divider, rate */
	REGISTER_B = 0x0b, /* what interrupts, how numbers are written */
	REGISTER_C = 0x0c, /* causes; reading clears them */
};
#define A_UPDATING 0x80u
#define A_DIVIDER 0x20u /* the one that runs */
#define B_BINARY 4u
#define B_24_HOURS 2u
#define B_INTERRUPTS (RTC_PERIODIC | RTC_ALARM | RTC_UPDATE)

static u8 get(u8 index)
{
	port_write8(RTC_PORT, index);
	return port_read8(RTC_PORT + 1);
}

static void put(u8 index, u8 value)
{
	port_write8(RTC_PORT, index);
	port_write8(RTC_PORT + 1, value);
}

static u32 from_chip(u32 value, int binary)
{
	return binary ? value : (value >> 4) * 10 + (value & 15);
}

static u8 to_chip(u32 value, int binary)
{
	return (u8)(binary ? value : value / 10 << 4 | value % 10);
}

/* Days from 1970 to a date of the Gregorian calendar, with years that begin in March. */
static s64 days_from(s64 year, u32 month, u32 day)
{
	if (month <= 2)
		year--;
	s64 era = year / 400, of_era = year % 400;
	u32 of_year = (153 * (month + (month > 2 ? -3u : 9u)) + 2) / 5 + day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

/* Seconds, minutes, hours, day, month, year as the chip holds them. */
static void sample(u8 to[6])
{
	static const u8 index[6] = {0, 2, 4, 7, 8, 9};

	for (int i = 0; i < 6; i++)
		to[i] = get(index[i]);
}

/* Two samples that agree, with no update between; 0 where the chip is absent or never agrees. */
static int stable(u8 now[6])
{
	u8 again[6];

	for (int tries = 0; tries < 10000; tries++) {
		u8 status = get(REGISTER_A);

		if (status == 0xff)
			return 0;
		if (status & A_UPDATING)
			continue;
		sample(now);
		sample(again);
		if (!memcmp(now, again, 6))
			return now[3] && now[4];
	}
	return 0;
}

s64 rtc_seconds(void)
{
	u8 now[6];

	if (!stable(now))
		return -1;
	u8 mode = get(REGISTER_B);
	int binary = mode & B_BINARY, pm = now[2] & 0x80;
	u32 hour = from_chip(now[2] & 0x7f, binary);
	if (!(mode & B_24_HOURS))
		hour = hour % 12 + (pm ? 12 : 0);
	s64 days = days_from(2000 + (s64)from_chip(now[5], binary), from_chip(now[4], binary),
			     from_chip(now[3], binary));
	return ((days * 24 + hour) * 60 + from_chip(now[1], binary)) * 60 +
	       from_chip(now[0], binary);
}

/* Turns one interrupt on or off. */
static void interrupt(u8 which, int on)
{
	u8 mode = get(REGISTER_B);

	put(REGISTER_B, (u8)(on ? mode | which : mode & ~which));
}

int rtc_open(struct core_rtc *rtc, u32 grant)
{
	*rtc = (struct core_rtc){.grant = grant};
	if (get(REGISTER_A) == 0xff)
		return -ARIL_E_DEVICE;
	interrupt(B_INTERRUPTS, 0);
	(void)get(REGISTER_C);
	aril_line_unmask(grant);
	return 0;
}

void rtc_periodic(struct core_rtc *rtc, u32 hz)
{
	u8 rate = 15; /* 2 Hz; each step below doubles it; 3: 8192 Hz */

	(void)rtc;
	while (rate > 3 && 65536u >> rate < hz)
		rate--;
	if (65536u >> rate > hz && rate < 15)
		rate++;
	interrupt(RTC_PERIODIC, 0);
	if (!hz)
		return;
	put(REGISTER_A, (u8)(A_DIVIDER | rate));
	interrupt(RTC_PERIODIC, 1);
}

void rtc_updates(struct core_rtc *rtc, int on)
{
	(void)rtc;
	interrupt(RTC_UPDATE, on);
}

void rtc_alarm(struct core_rtc *rtc, u32 time)
{
	u8 mode = get(REGISTER_B);
	u32 hour = time / 3600;
	int binary = mode & B_BINARY;

	(void)rtc;
	interrupt(RTC_ALARM, 0);
	if (time >= 86400)
		return;
	put(REGISTER_SECONDS_ALARM, to_chip(time % 60, binary));
	put(REGISTER_MINUTES_ALARM, to_chip(time / 60 % 60, binary));
	if (mode & B_24_HOURS)
		put(REGISTER_HOURS_ALARM, to_chip(hour, binary));
	else
		put(REGISTER_HOURS_ALARM,
		    (u8)(to_chip((hour + 11) % 12 + 1, binary) | (hour >= 12 ? 0x80 : 0)));
	interrupt(RTC_ALARM, 1);
}

u32 rtc_event(struct core_rtc *rtc)
{
	u32 causes;

	/* The causes are read after the line is open again: one that comes in between is seen by this read or fires. */
	aril_line_unmask(rtc->grant);
	causes = get(REGISTER_C);
	rtc->count += !!(causes & RTC_PERIODIC);
	rtc->updates += !!(causes & RTC_UPDATE);
	rtc->alarms += !!(causes & RTC_ALARM);
	return causes & B_INTERRUPTS;
}

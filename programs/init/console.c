/* SPDX-License-Identifier: MIT
 * The devices that a domain gets: the virtio console by rings, or the UART itself; and the clock on the wall. */
#include "init.h"
#include <aril_stubs.h>
#include <core/port.h>
#include <core/print.h>
#include <core/time.h>
#include <core/uart.h>
#include <core/virtio_find.h>

#define RTC_INDEX 0x70
#define RTC_DATA 0x71
#define CANDIDATES 64

/* Whether the command line has that word. */
static int has_word(const char *want)
{
	const char *at = (const char *)ARIL_INFO->cmdline;
	usize n = strlen(want);

	while (*at) {
		if (!strncmp(at, want, n) && (!at[n] || at[n] == ' '))
			return 1;
		while (*at && *at != ' ')
			at++;
		while (*at == ' ')
			at++;
	}
	return 0;
}

/* Opens the first virtio console that answers, in two of the domain's frames. 0 or -ARIL_E_DEVICE. */
static s64 give_rings(struct domain *d, struct core_domain *page)
{
	struct aril_device_desc desc = {0};
	u32 queues = core_pool_take(&d->pool, 2);

	if (!queues)
		fail("domain %s: its share of memory is too small", d->plan.name);
	for (u32 i = 0; i < CANDIDATES && core_find_console(init.root, init.env, i, &desc); i++) {
		desc.queue_frame[0] = queues;
		desc.queue_frame[1] = queues + 1;
		desc.guard = d->guard;
		s64 device = aril_device_open(init.root, &desc);
		if (device < 0)
			continue;
		page->console = CORE_CONSOLE_RING;
		page->device = d->device = (u32)device;
		d->has_device = 1;
		return 0;
	}
	return -ARIL_E_DEVICE;
}

/* Grants COM1's ports and line. */
static s64 give_uart(struct domain *d, struct core_domain *page)
{
	u32 cpu = (u32)__builtin_ctz(d->plan.cpus);
	struct aril_grant_desc ports = {
		.kind = ARIL_GRANT_PORTS, .env = d->env, .first = UART_COM1, .count = UART_PORTS};
	struct aril_grant_desc line = {.kind = ARIL_GRANT_LINE,
				       .env = d->env,
				       .first = UART_COM1_LINE,
				       .count = 1,
				       .cpu = cpu,
				       .flags = ARIL_LINE_ISA};

	s64 port_grant = aril_grant_create(init.root, &ports);
	if (port_grant < 0)
		return port_grant;
	s64 line_grant = aril_grant_create(init.root, &line);
	if (line_grant < 0)
		return line_grant;
	page->console = CORE_CONSOLE_UART;
	page->port = UART_COM1;
	page->port_grant = (u32)port_grant;
	page->line_grant = (u32)line_grant;
	page->line_cpu = cpu;
	return 0;
}

void console_give(struct domain *d, struct core_domain *page)
{
	if (!has_word("aril.console=serial") && !give_rings(d, page))
		return;
	s64 error = give_uart(d, page);
	if (error)
		core_log("init: domain %s: no console: neither virtio nor UART (error %ld)",
			 d->plan.name, -error);
}

void swap_give(struct domain *d, struct core_domain *page)
{
	static struct core_memory memory; /* what is left of the device */
	static int known;
	u64 bytes = (u64)d->plan.swap << 20;

	if (!known)
		known = core_find_memory(init.root, init.env, &memory) ? 1 : -1;
	if (memory.bytes < bytes) {
		core_log("init: domain %s: no memory device with %u MiB left", d->plan.name,
			 d->plan.swap);
		return;
	}
	struct aril_grant_desc desc = {.kind = ARIL_GRANT_MEMORY,
				       .env = d->env,
				       .first = (u32)(memory.address >> ARIL_PAGE_SHIFT),
				       .count = (u32)(bytes >> ARIL_PAGE_SHIFT)};
	must(aril_grant_create(init.root, &desc), "the memory device", d->plan.name);
	page->swap = (struct core_run){.first = desc.first, .count = desc.count};
	memory.address += bytes;
	memory.bytes -= bytes;
}

static u8 rtc_read(u8 index)
{
	port_write8(RTC_INDEX, index);
	return port_read8(RTC_DATA);
}

static u32 from_bcd(u32 value, int binary)
{
	return binary ? value : (value >> 4) * 10 + (value & 15);
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
static void rtc_sample(u8 to[6])
{
	static const u8 index[6] = {0, 2, 4, 7, 8, 9};

	for (int i = 0; i < 6; i++)
		to[i] = rtc_read(index[i]);
}

/* Two samples that agree, with no update between; 0 where the chip is absent or never agrees. */
static int rtc_stable(u8 now[6])
{
	u8 again[6];

	for (int tries = 0; tries < 10000; tries++) {
		u8 status = rtc_read(0x0a);

		if (status == 0xff)
			return 0;
		if (status & 0x80)
			continue;
		rtc_sample(now);
		rtc_sample(again);
		if (!memcmp(now, again, 6))
			return now[3] && now[4];
	}
	return 0;
}

s64 realtime_read(void)
{
	struct aril_grant_desc ports = {
		.kind = ARIL_GRANT_PORTS, .env = init.env, .first = RTC_INDEX, .count = 2};
	u8 now[6];
	s64 grant = aril_grant_create(init.root, &ports);

	if (grant < 0)
		return 0;
	int known = rtc_stable(now);
	u8 mode = rtc_read(0x0b);
	aril_grant_destroy(init.root, (u32)grant);
	if (!known)
		return 0;
	int binary = mode & 4, pm = now[2] & 0x80;
	u32 hour = from_bcd(now[2] & 0x7f, binary);
	if (!(mode & 2))
		hour = hour % 12 + (pm ? 12 : 0);
	s64 days = days_from(2000 + (s64)from_bcd(now[5], binary), from_bcd(now[4], binary),
			     from_bcd(now[3], binary));
	s64 seconds = ((days * 24 + hour) * 60 + from_bcd(now[1], binary)) * 60 +
		      from_bcd(now[0], binary);
	return seconds * 1000000000 - (s64)core_now();
}

/* SPDX-License-Identifier: MIT
 * The devices that a domain gets: the virtio console by rings, or the UART itself; and the clock on the wall. */
#include "init.h"
#include <aril_stubs.h>
#include <core/print.h>
#include <core/rtc.h>
#include <core/time.h>
#include <core/uart.h>
#include <core/virtio_find.h>

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
				       .guard = d->guard, /* it may give it back */
				       .env = d->env,
				       .first = (u32)(memory.address >> ARIL_PAGE_SHIFT),
				       .count = (u32)(bytes >> ARIL_PAGE_SHIFT)};
	must(aril_grant_create(init.root, &desc), "the memory device", d->plan.name);
	page->swap = (struct core_run){.first = desc.first, .count = desc.count};
	memory.address += bytes;
	memory.bytes -= bytes;
}

s64 realtime_read(void)
{
	struct aril_grant_desc ports = {
		.kind = ARIL_GRANT_PORTS, .env = init.env, .first = RTC_PORT, .count = RTC_PORTS};
	s64 grant = aril_grant_create(init.root, &ports);

	if (grant < 0)
		return 0;
	s64 seconds = rtc_seconds();
	aril_grant_destroy(init.root, (u32)grant);
	return seconds < 0 ? 0 : seconds * 1000000000 - (s64)core_now();
}

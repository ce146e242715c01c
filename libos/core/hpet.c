/* SPDX-License-Identifier: MIT
 * The high precision event timer. */
#include <aril/error.h>
#include <aril/ops.h>
#include <aril_stubs.h>
#include <core/hpet.h>

enum hpet_register {
	REGISTER_ID = 0x00, /* the period in the upper half */
	REGISTER_CONFIG = 0x10,
	REGISTER_COUNTER = 0xf0,
	REGISTER_TIMER = 0x100, /* the lines that it can have in the upper half */
	REGISTER_COMPARE = 0x108,
};
#define CONFIG_RUN 1ul
#define TIMER_INTERRUPT 4ul
#define TIMER_PERIODIC 8ul
#define TIMER_CAN_PERIODIC 0x10ul
#define TIMER_SET_PERIOD \
	0x40ul /* the next write of COMPARE is the time, the one after it the period */
#define TIMER_LINE(n) ((u64)(n) << 9)
#define PERIOD_MAX 100000000ul /* femtoseconds: the standard's */

static u64 get(const struct core_hpet *h, u32 at)
{
	return *(const volatile u64 *)(h->regs + at);
}

static void put(const struct core_hpet *h, u32 at, u64 value)
{
	*(volatile u64 *)(h->regs + at) = value;
}

s64 hpet_open(struct core_hpet *h, struct core_space *space, u64 va, u32 grant)
{
	s64 error = core_map(space, va, HPET_FRAME, 1, ARIL_BIND_WRITE | ARIL_BIND_UNCACHED,
			     space->auth);

	if (error)
		return error;
	*h = (struct core_hpet){.regs = (volatile u8 *)va, .grant = grant};
	h->femtoseconds = get(h, REGISTER_ID) >> 32;
	if (!h->femtoseconds || h->femtoseconds > PERIOD_MAX)
		return -ARIL_E_DEVICE;
	u64 timer = get(h, REGISTER_TIMER);
	if (!(timer & TIMER_CAN_PERIODIC) || !(timer >> 32 >> HPET_LINE & 1))
		return -ARIL_E_DEVICE;
	put(h, REGISTER_TIMER, 0);
	put(h, REGISTER_CONFIG, CONFIG_RUN);
	aril_line_unmask(grant);
	return 0;
}

u64 hpet_counter(const struct core_hpet *h)
{
	return get(h, REGISTER_COUNTER);
}

u64 hpet_hz(const struct core_hpet *h)
{
	return 1000000000000000ul / h->femtoseconds;
}

void hpet_periodic(struct core_hpet *h, u64 ns)
{
	u64 ticks = (ns < 10000 ? 10000 : ns) * 1000000 / h->femtoseconds;

	put(h, REGISTER_TIMER, 0);
	if (!ns)
		return;
	put(h, REGISTER_TIMER,
	    TIMER_LINE(HPET_LINE) | TIMER_PERIODIC | TIMER_SET_PERIOD | TIMER_INTERRUPT);
	put(h, REGISTER_COMPARE, get(h, REGISTER_COUNTER) + ticks);
	put(h, REGISTER_COMPARE, ticks);
}

void hpet_event(struct core_hpet *h)
{
	h->count++;
	aril_line_unmask(h->grant);
}

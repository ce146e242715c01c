/* SPDX-License-Identifier: MIT
 * The clock (TSC, calibrated once) and each CPU's timer (its local APIC). The TSC need not be
 * invariant by the CPU's word: what is asked is that it runs evenly and alike on all CPUs. */
#include "x86.h"
#include "util.h"

#define PIT_HZ 1193182ul
#define PM_HZ 3579545ul
#define PM_MASK 0xffffffu
#define SAMPLES 6
#define MEASURE_NS 5000000ul
#define SHIFT 32

static u64 lapic_mult; /* timer ticks per ns << 32 */

/* A reference counter that rises, its rate, its width. */
struct reference {
	u32 (*read)(void);
	u64 hz;
	u32 mask;
	const char *name;
};

static u32 pit_read(void)
{
	u32 low;

	outb(0x43, 0x80); /* latch channel 2 */
	low = inb(0x42);
	return 0xffff - (low | (u32)inb(0x42) << 8);
}

static u32 pm_read(void)
{
	return inl(acpi.pm_timer) & PM_MASK;
}

/* Channel 2 counts down from 65535 (55 ms), speaker off. Returns whether it moves: there may be
 * none. */
static int pit_start(void)
{
	outb(0x61, (inb(0x61) & ~2) | 1);
	outb(0x43, 0xb0);
	outb(0x42, 0xff);
	outb(0x42, 0xff);
	u32 first = pit_read();
	for (u32 i = 0; i < 1000; i++)
		if (pit_read() != first)
			return 1;
	return 0;
}

static struct reference reference_find(void)
{
	if (acpi.pm_timer)
		return (struct reference){pm_read, PM_HZ, PM_MASK, "ACPI timer"};
	if (pit_start())
		return (struct reference){pit_read, PIT_HZ, 0xffff, "PIT"};
	panic("no timer to calibrate the clock with: neither an ACPI timer nor a PIT (QEMU: "
	      "pit=on)");
}

struct sample {
	u64 tsc;
	u32 ref, left;
};

/* TSC, reference and timer at one moment: of several tries the one that took least, so that being
 * descheduled by the machine below in between does no harm. */
static struct sample sample_take(const struct reference *r)
{
	struct sample best = {0};
	u64 best_window = ~0ul;

	for (u32 i = 0; i < SAMPLES; i++) {
		u64 before = rdtsc();
		u32 ref = r->read();
		u32 left = lapic_timer_left();
		u64 after = rdtsc();

		if (after - before < best_window) {
			best_window = after - before;
			best = (struct sample){before + (after - before) / 2, ref, left};
		}
	}
	return best;
}

void arch_time_init(void)
{
	struct reference r = reference_find();
	u64 wanted = r.hz * MEASURE_NS / 1000000000;

	lapic_timer(~0u);
	struct sample a = sample_take(&r);
	while (((r.read() - a.ref) & r.mask) < wanted)
		__builtin_ia32_pause();
	struct sample b = sample_take(&r);
	lapic_timer(0);
	u64 ticks = (b.ref - a.ref) & r.mask;
	u64 tsc = b.tsc - a.tsc;
	u64 left = a.left - b.left;
	if (!ticks || !tsc || !left)
		panic("the %s, TSC or APIC timer does not run (%lu, %lu, %lu)", r.name, ticks, tsc,
		      left);
	/* tsc cycles in ticks / hz seconds: ns per cycle = ticks * 10^9 / (hz * tsc). */
	u64 ns = ticks * 1000000000 / r.hz;
	info->clock.shift = SHIFT;
	info->clock.mult = (ns << SHIFT) / tsc;
	info->clock.tsc0 = boot.start_tsc;
	info->clock.ns0 = 0;
	info->clock.tsc_hz = tsc * 1000000000 / ns;
	info->clock.seq = 2;
	lapic_mult = (left << SHIFT) / ns;
}

u64 time_now(void)
{
	unsigned __int128 product =
		(unsigned __int128)(rdtsc() - info->clock.tsc0) * info->clock.mult;

	return info->clock.ns0 + (u64)(product >> SHIFT);
}

void time_spin(u64 ns)
{
	u64 end = time_now() + ns;

	while (time_now() < end)
		__builtin_ia32_pause();
}

/* Arming costs an access to a device. An earlier alarm that is set already may stay: when it goes
 * off too early, slice_timer finds nothing due and asks again. */
void timer_set(u64 ns)
{
	struct cpu *cpu = this_cpu();

	if (ns == cpu->timer_at || (ns && cpu->timer_at && cpu->timer_at < ns))
		return;
	cpu->timer_at = ns;
	if (!ns) {
		lapic_timer(0);
		return;
	}
	u64 now = time_now();
	u64 left = ns > now ? ns - now : 0;
	left = min(left, 3600000000000ul);
	unsigned __int128 count = ((unsigned __int128)left * lapic_mult >> SHIFT) + 1;
	lapic_timer(count > 0xffffffff ? 0xffffffff : (u32)count);
}

/* SPDX-License-Identifier: MIT
 * A device that never lets go of its line: level-triggered, asserted for good. Each unmasking brings the next interrupt at
 * once, none comes without; the neighbour goes on, also while the line is moved between CPUs and taken back asserted. */
// machine: q35
// root: yes
// smp: 2
// expect: level_storm: [0-9]+ interrupts of a line that never rests
// expect: level_storm: none without being asked for
// expect: level_storm: moved and taken back [0-9]+ times, asserted
// expect: level_storm: at rest when the device is
// expect: level_storm: done
// forbid: level_storm: WRONG
#include "adversary.h"
#include <aril/ops.h>
#include <core/hpet.h>

#define HPET_VA 0x500000000000ul
#define STORM_NS 700000000ul
#define ROUNDS 12u

enum { CONFIG = 0x10, STATUS = 0x20, COUNTER = 0xf0, TIMER = 0x100, COMPARE = 0x108 };
#define LEVEL 2ul
#define ENABLE 4ul

static volatile u8 *regs;
static u32 root, line;
static volatile u32 number; /* of the line's grant */
static volatile u64 count;
static volatile u64
	storm_until; /* as long the upcall lets the next one through: then nothing else of ours runs */
static volatile u32 more; /* and as many */

static volatile u64 *reg(u32 at)
{
	return (volatile u64 *)(regs + at);
}

static void on_event(struct aril_context *context)
{
	u64 lines = __atomic_exchange_n(&context->lines, 0, __ATOMIC_SEQ_CST);

	if (!(lines >> number % 64 & 1))
		return;
	__atomic_add_fetch(&count, 1, __ATOMIC_SEQ_CST);
	if (core_now() < storm_until)
		aril_line_unmask(number);
	else if (more) {
		more--;
		aril_line_unmask(number);
	}
}

void core_secondary(u32 cpu)
{
	(void)cpu;
	for (;;)
		core_sleep(1000000000);
}

static struct aril_guard ours(void)
{
	struct aril_guard guard = {.len = CORE_DOMAIN->cap.len,
				   .rights = ARIL_ALL,
				   .generation = CORE_DOMAIN->cap.generation};

	memcpy(guard.name, CORE_DOMAIN->cap.name, sizeof(guard.name));
	return guard;
}

static s64 grant_line(u32 cpu)
{
	struct aril_grant_desc desc = {.kind = ARIL_GRANT_LINE,
				       .env = CORE_DOMAIN->env,
				       .first = line,
				       .count = 1,
				       .cpu = cpu,
				       .flags = ARIL_LINE_LEVEL,
				       .guard = ours()};

	return aril_grant_create(root, &desc);
}

/* The timer's line, one that nobody has. */
static void line_find(u32 cpu)
{
	u32 can = (u32)(*reg(TIMER) >> 32);
	s64 got = -ARIL_E_DEVICE;

	for (line = 16; line < 24 && got < 0; line++)
		if (can >> line & 1)
			got = grant_line(cpu);
	line--;
	allowed("a line", got);
	number = (u32)got;
}

static void assert_line(void)
{
	*reg(TIMER) = 0;
	*reg(STATUS) = ~0ul;
	*reg(CONFIG) = 1;
	*reg(TIMER) = (u64)line << 9 | LEVEL | ENABLE;
	*reg(COMPARE) = *reg(COUNTER) + 20000;
	for (u64 until = core_now() + 1000000000; !(*reg(STATUS) & 1) && core_now() < until;)
		;
	if (!(*reg(STATUS) & 1))
		wrong("the timer's level", 0);
}

/* n interrupts since the count was from. */
static int comes(u64 from, u64 n, u64 ns)
{
	u64 until = core_now() + ns;

	while (count - from < n && core_now() < until)
		core_sleep(300000);
	return count - from >= n;
}

int main(int argc, char **argv, char **envp)
{
	struct aril_grant_desc memory = {.kind = ARIL_GRANT_MEMORY,
					 .env = CORE_DOMAIN->env,
					 .first = HPET_FRAME,
					 .count = 1,
					 .guard = ours()};
	u32 cpu = core_context()->cpu;

	(void)argc, (void)argv, (void)envp;
	root = (u32)aril_cap_open(&CORE_DOMAIN->root_cap);
	allowed("the timer", aril_grant_create(root, &memory));
	allowed("its registers", core_map(&core_self, HPET_VA, HPET_FRAME, 1,
					  ARIL_BIND_WRITE | ARIL_BIND_UNCACHED, core_auth));
	regs = (volatile u8 *)HPET_VA;
	core_handlers.event = on_event;
	line_find(cpu);
	assert_line();
	if (comes(count, 1, 20000000))
		wrong("an interrupt of a line that was never unmasked", 1);

	storm_until = core_now() + STORM_NS;
	aril_line_unmask(number);
	while (core_now() < storm_until)
		;
	storm_until = 0;
	if (count < 100)
		wrong("the storm", (s64)count);
	core_log("%s: %lu interrupts of a line that never rests", NAME, count);
	core_sleep(20000000); /* what was on its way */
	for (u32 n = 0; n < 5; n++) {
		if (comes(count, 1, 8000000))
			wrong("an interrupt that nobody asked for", n);
		u64 from = count;
		aril_line_unmask(number);
		if (!comes(from, 1, 3000000000))
			wrong("no interrupt of an asserted line", n);
	}
	core_log("%s: none without being asked for", NAME);

	for (u32 n = 0; n < ROUNDS; n++) {
		if (n % 3 == 2) {
			allowed("taking it back", aril_grant_destroy(core_auth, number));
			refused("unmasking what is gone", aril_line_unmask(number), 0);
			s64 got = grant_line(cpu);
			allowed("the line again", got);
			number = (u32)got;
		} else {
			allowed("moving it", aril_grant_move(core_auth, number, CORE_DOMAIN->env,
							     (cpu + n) % ARIL_INFO->ncpus));
		}
		u64 from = count;
		more = 4;
		aril_line_unmask(number);
		if (!comes(from, 5, 3000000000))
			wrong("no interrupt after it moved", n);
	}
	core_log("%s: moved and taken back %u times, asserted", NAME, ROUNDS);
	*reg(TIMER) = 0;
	*reg(STATUS) = ~0ul;
	core_sleep(20000000);
	aril_line_unmask(number);
	core_sleep(5000000);
	if (comes(count, 1, 20000000))
		wrong("an interrupt of a line at rest", 1);
	core_log("%s: at rest when the device is", NAME);
	return done();
}

/* SPDX-License-Identifier: MIT
 * Address-context ids against a model of CPUs with TLBs: no load may leave a translation that was shot down.
 * links: kernel/arch/x86_64/pcid.c */
#include "../../kernel/arch/x86_64/pcid.h"
#include "test.h"

#define CPUS 3
#define SPACES 12 /* more than there are slots */
#define KERNEL 0x1000ul

static struct cpu_model {
	struct pcid_slots slots;
	u64 cr3;
	u32 version[PCID_SLOTS]; /* of the space, as what the TLB holds under this id; 0: nothing */
	u64 of[PCID_SLOTS];	 /* which space that is */
} cpu[CPUS];
static u32 version[SPACES]; /* of each space's tables */

static u64 cr3_of(u32 space)
{
	return (u64)(space + 2) << 12;
}

/* What the hardware does. */
static void write_cr3(struct cpu_model *c, u64 value)
{
	u32 id = value & 0xfff;

	if (!(value & PCID_KEEP))
		c->version[id] = 0;
	c->cr3 = value & ~(PCID_KEEP | 0xfff);
}

/* The program uses a translation: from the TLB, else from the tables. Whether it was as it is now. */
static int use(struct cpu_model *c)
{
	u32 id = c->slots.current, space = (c->cr3 >> 12) - 2;

	if (c->cr3 == KERNEL)
		return 1;
	if (!c->version[id]) {
		c->version[id] = version[space];
		c->of[id] = c->cr3;
	}
	return c->version[id] == version[space] && c->of[id] == c->cr3;
}

static void load(struct cpu_model *c, u64 cr3)
{
	if (c->cr3 != cr3) /* as arch_load_space */
		write_cr3(c, pcid_load(&c->slots, cr3, cr3 == KERNEL));
}

static void flush(struct cpu_model *c)
{
	write_cr3(c, pcid_flush(&c->slots, c->cr3));
}

static void start(void)
{
	memset(cpu, 0, sizeof(cpu));
	for (u32 i = 0; i < CPUS; i++)
		cpu[i].cr3 = KERNEL;
	for (u32 i = 0; i < SPACES; i++)
		version[i] = 1;
}

/* As smp_flush_space and smp_flush_all do, with every CPU that they wait for. */
static void shoot(u32 space, int all)
{
	version[space]++;
	if (all)
		pcid_stale_all();
	else
		pcid_stale(cr3_of(space));
	for (u32 i = 0; i < CPUS; i++)
		if (all || cpu[i].cr3 == cr3_of(space))
			flush(&cpu[i]);
}

static void reuse(void)
{
	struct cpu_model *c = &cpu[0];

	start();
	for (u32 round = 0; round < 10; round++)
		for (u32 space = 0; space < PCID_SLOTS - 1; space++) {
			load(c, cr3_of(space));
			CHECK(use(c));
			load(c, KERNEL);
		}
	SAME(c->slots.reuses, 9 * (PCID_SLOTS - 1));
	load(c, cr3_of(PCID_SLOTS)); /* takes one */
	SAME(c->slots.reuses, 9 * (PCID_SLOTS - 1));
	CHECK(use(c));
}

static void shot_down(void)
{
	u64 before;

	start();
	load(&cpu[0], cr3_of(1));
	CHECK(use(&cpu[0]));
	load(&cpu[0], cr3_of(2));
	CHECK(use(&cpu[0]));
	shoot(1, 0); /* while it is away */
	before = cpu[0].slots.reuses;
	load(&cpu[0], cr3_of(1));
	SAME(cpu[0].slots.reuses, before);
	CHECK(use(&cpu[0]));
	load(&cpu[0], cr3_of(2)); /* the other one is as good as it was */
	SAME(cpu[0].slots.reuses, before + 1);
	shoot(2, 0); /* while it is here: flushed at once */
	CHECK(use(&cpu[0]));
	load(&cpu[0], cr3_of(1));
	load(&cpu[0], cr3_of(2));
	SAME(cpu[0].slots.reuses, before + 3);
	CHECK(use(&cpu[0]));
	shoot(1, 1);
	before = cpu[0].slots.reuses;
	CHECK(use(&cpu[0]));
	load(&cpu[0], cr3_of(1));
	SAME(cpu[0].slots.reuses, before);
	CHECK(use(&cpu[0]));
}

static void at_random(void)
{
	u64 stale = 0, reuses = 0;

	start();
	for (u32 i = 0; i < 200000; i++) {
		struct cpu_model *c = &cpu[test_below(CPUS)];
		u32 what = test_below(20);

		if (what == 0)
			shoot(test_below(SPACES), test_below(4) == 0);
		else
			load(c, what < 3 ? KERNEL : cr3_of(test_below(SPACES)));
		for (u32 n = 0; n < CPUS; n++)
			stale += !use(&cpu[n]);
	}
	for (u32 n = 0; n < CPUS; n++)
		reuses += cpu[n].slots.reuses;
	SAME(stale, 0);
	CHECK(reuses > 10000);
}

static const struct test tests[] = {TEST(reuse), TEST(shot_down), TEST(at_random)};

int main(void)
{
	return test_main(tests, sizeof(tests) / sizeof(tests[0]));
}

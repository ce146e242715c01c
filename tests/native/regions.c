// SPDX-License-Identifier: MIT
// A region: each field is its own writer's, a store to it faults, and swaps from two CPUs lose no increment.
// with:
// smp: 2
// expect: regions: fields ok
// expect: regions: stray store faults ok
// expect: regions: no increment lost ok
// expect: regions: reset ok
// expect: regions: done
// forbid: regions: WRONG
#include <aril/error.h>
#include <aril/ops.h>
#include <aril_stubs.h>
#include <core/native.h>
#include <core/print.h>
#include <core/region.h>
#include <core/string.h>
#include <core/time.h>
#include <core/upcall.h>

#define REGION_VA 0x500000000000ul
#define ROUNDS 5000

static volatile u64 *const counter = (volatile u64 *)REGION_VA;
static struct core_region region;
static u32 frame;
static volatile u32 go, finished, faults;

static int on_exception(struct core_frame *f)
{
	if (f->save.vector != 14 || f->save.addr != REGION_VA)
		return 0;
	faults++;
	f->save.rip += 2; /* the two-byte store below */
	return 1;
}

static void raise_counter(void)
{
	for (u32 i = 0; i < ROUNDS; i++) {
		s64 error = core_region_add(&region, 0, 1);

		if (error)
			core_log("regions: WRONG swap %ld", error);
	}
	__atomic_add_fetch(&finished, 1, __ATOMIC_SEQ_CST);
}

void core_secondary(u32 cpu)
{
	(void)cpu;
	while (!go)
		core_sleep(1000000);
	raise_counter();
}

/* The domain's name with one more byte: its children's. */
static struct aril_guard child_guard(u8 suffix)
{
	struct aril_guard g = {.len = CORE_DOMAIN->cap.len, .rights = ARIL_WRITE};

	memcpy(g.name, CORE_DOMAIN->cap.name, sizeof(g.name));
	g.name[g.len++] = suffix;
	return g;
}

static u32 child(u8 suffix)
{
	struct aril_cap cap;

	aril_cap_derive(&CORE_DOMAIN->cap, &suffix, 1, ARIL_READ | ARIL_WRITE, 0, &cap);
	return (u32)aril_cap_open(&cap);
}

static void fields(void)
{
	u32 one = child(1), two = child(2);
	const u8 *bytes = (const u8 *)REGION_VA;
	s64 own = aril_region_write(two, frame, 64, (const u8 *)"two", 3);
	s64 other = aril_region_write(two, frame, 0, (const u8 *)"two", 3);
	s64 across = aril_region_write(two, frame, 126, (const u8 *)"two", 3);
	s64 swap = aril_region_swap(one, frame, 64, 0, 1);
	s64 bound = core_map(&core_self, REGION_VA + 4096, frame, 1, ARIL_BIND_WRITE, core_auth);

	if (own || other != -ARIL_E_RIGHTS || across != -ARIL_E_RANGE || swap != -ARIL_E_RIGHTS ||
	    bound != -ARIL_E_STATE || memcmp(bytes + 64, "two", 4) || bytes[0])
		core_log("regions: WRONG %ld %ld %ld %ld %ld", own, other, across, swap, bound);
	else
		core_log("regions: fields ok");
}

int main(int argc, char **argv, char **envp)
{
	struct aril_region_field field[2] = {{.offset = 0, .bytes = 64, .guard = child_guard(1)},
					     {.offset = 64, .bytes = 64, .guard = child_guard(2)}};

	(void)argc, (void)argv, (void)envp;
	core_handlers.exception = on_exception;
	frame = core_pool_take(&core_pool, 2);
	s64 error = core_region_make(&region, &core_self, REGION_VA, frame, frame + 1, field, 2,
				     core_auth);
	if (error) {
		core_log("regions: WRONG create %ld", error);
		return 1;
	}
	fields();
	__asm__ volatile("movl %%ecx, (%%rax)" : : "a"(REGION_VA), "c"(7) : "memory");
	core_log("regions: stray store faults %s", faults == 1 && !*counter ? "ok" : "WRONG");
	go = 1;
	raise_counter();
	u64 until = core_now() + 20000000000ul;
	while (finished < 2 && core_now() < until)
		core_sleep(1000000);
	core_log("regions: no increment lost %s", *counter == 2 * ROUNDS ? "ok" : "WRONG");
	error = aril_frame_reset(core_auth, frame + 1);
	s64 gone = aril_region_swap(core_auth, frame, 0, 0, 1);
	core_log("regions: reset %s", !error && gone == -ARIL_E_STATE ? "ok" : "WRONG");
	core_log("regions: done");
	return 0;
}

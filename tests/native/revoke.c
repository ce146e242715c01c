// SPDX-License-Identifier: MIT
// Changing a guard breaks the bindings made under it, at once and on the other CPU too; tables are exposed.
// with:
// smp: 2
// expect: revoke: bound and seen ok
// expect: revoke: other CPU faults ok
// expect: revoke: other guard's binding stays ok
// expect: revoke: reset ok
// expect: revoke: done
// forbid: revoke: WRONG
#include <aril/error.h>
#include <aril/info.h>
#include <aril/ops.h>
#include <aril_stubs.h>
#include <core/native.h>
#include <core/print.h>
#include <core/string.h>
#include <core/time.h>
#include <core/upcall.h>

static volatile u32 *volatile shared; /* read in a loop by the other CPU */
static volatile u32 stage, faults, reads;

static int on_exception(struct core_frame *frame)
{
	if (frame->save.vector != 14 || frame->save.addr != (u64)shared)
		return 0;
	faults++;
	stage = 2;
	frame->save.rip += 2; /* the two-byte load below */
	return 1;
}

static void load(volatile u32 *from)
{
	__asm__ volatile("movl (%%rax), %%ecx" : : "a"(from) : "ecx", "memory");
}

void core_secondary(u32 cpu)
{
	(void)cpu;
	while (stage == 0)
		core_sleep(1000000);
	while (stage == 1) {
		load(shared);
		reads++;
	}
}

static u64 entry_of(volatile void *va)
{
	return *(volatile u64 *)(ARIL_SELF_VA + ((u64)va >> 12) * 8);
}

int main(int argc, char **argv, char **envp)
{
	struct aril_guard mine = {.len = CORE_DOMAIN->cap.len, .rights = ARIL_ALL}, narrow = mine;
	const struct aril_frame *frames = (const struct aril_frame *)ARIL_INFO->frames_va;
	struct aril_cap child;
	u32 frame;

	(void)argc, (void)argv, (void)envp;
	core_handlers.exception = on_exception;
	memcpy(mine.name, CORE_DOMAIN->cap.name, sizeof(mine.name));
	narrow = mine;
	narrow.name[narrow.len++] = 7;
	narrow.rights = ARIL_READ;
	shared = core_pages(1, &frame);
	*shared = 5;
	int ok = frames[frame].refs == 1 && ARIL_PTE_FRAME(entry_of(shared)) == frame &&
		 entry_of(shared) & ARIL_PTE_DIRTY;
	core_log("revoke: bound and seen %s", ok ? "ok" : "WRONG");

	/* a second binding, under guard 1, by a weaker child */
	struct aril_frame_op op = {
		.first = frame, .count = 1, .kind = ARIL_FRAME_GUARD, .slot = 1, .guard = narrow};
	s64 set = aril_frame_update(core_auth, &op, 1);
	u8 suffix = 7;
	s64 derived = aril_cap_derive(&CORE_DOMAIN->cap, &suffix, 1, ARIL_READ, 0, &child);
	s64 weak = aril_cap_open(&child);
	volatile u32 *second = core_pages(1, NULL);
	struct aril_space_op bind = {.va = (u64)second,
				     .frame = frame,
				     .count = 1,
				     .kind = ARIL_BIND,
				     .auth = (u32)weak};
	s64 bound = aril_space_update(core_auth, CORE_DOMAIN->space, &bind, 1);
	bind.flags = ARIL_BIND_WRITE;
	s64 refused = aril_space_update(core_auth, CORE_DOMAIN->space, &bind, 1);
	if (set != 1 || derived || weak < 0 || bound != 1 || refused != -ARIL_E_RIGHTS ||
	    *second != 5)
		core_log("revoke: WRONG set %ld derive %ld open %ld bind %ld write %ld", set,
			 derived, weak, bound, refused);

	stage = 1;
	u64 limit = core_now() + 20000000000ul;
	while (reads < 1000 && core_now() < limit)
		core_sleep(1000000);
	op.slot = 0;
	op.guard =
		mine; /* the owner's own name, longer: another guard, still the owner's to take back */
	op.guard.name[op.guard.len++] = 9;
	set = aril_frame_update(core_auth, &op, 1);
	while (stage == 1 && core_now() < limit)
		core_sleep(1000000);
	core_log("revoke: other CPU faults %s",
		 set == 1 && faults == 1 && !(entry_of(shared) & 1) ? "ok" : "WRONG");
	core_log("revoke: other guard's binding stays %s",
		 *second == 5 && frames[frame].refs == 1 ? "ok" : "WRONG");
	s64 reset = aril_frame_reset(core_auth, frame);
	core_log("revoke: reset %s",
		 !reset && frames[frame].refs == 0 && !(entry_of(second) & 1) ? "ok" : "WRONG");
	core_log("revoke: done");
	return 0;
}

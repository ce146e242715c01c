/* SPDX-License-Identifier: MIT
 * What the tests of sealed code share, and what the kernel's other files would have. */
#include "sealed.h"

#include "code_functions.h"

struct cpu *cpus[ARIL_MAX_CPUS];
struct aril_info *info;
static struct aril_info the_info;
u32 root, loader, user, first;

__attribute__((weak)) void smp_kick(u32 cpu)
{
	(void)cpu;
}

__attribute__((weak)) u64 time_now(void)
{
	return 1000;
}

_Noreturn void call_abandon(void)
{
	printf("abandoned\n");
	abort();
}

/* A lock that is taken stays so, as if who has it quiesced. */
int smp_lock_try(struct lock *l)
{
	return lock_try(l);
}

const u8 arch_event_handler[1], arch_event_guard[1], arch_event_guard_kept[1], arch_event_end[1];

/* Three frames of load's. */
static u32 frames_take(void)
{
	u32 taken = fake_frame();

	for (u32 i = 0; i < 3; i++) {
		u32 f = i ? fake_frame() : taken;

		SAME(f, taken + i);
		SAME(fake_set_guard(root, f, 0, fake_guard("load", ARIL_ALL, 0)), 1);
		memset(frame_memory(f), 0, 4096);
	}
	return taken;
}

void code_start(void)
{
	fake_reset();
	info = &the_info;
	info->envs_frame = 1 << 22;
	cpus[0] = cpus[1] = &fake_cpu;
	fake_cpu.timers = NULL;
	fake_cpu.run = &code_runs[0];
	fake_cpu.env->ctx[0].cpu = 0;
	root = fake_open("", ARIL_ALL, ~0ul);
	loader = fake_open("load", ARIL_ALL, 5);
	user = fake_open("load.user", ARIL_EXEC, 5);
	first = frames_take();
	accounts[ARIL_ACCOUNT_ROOT & 0xffff].guard = fake_guard("load", ARIL_WRITE | ARIL_OWN, 0);
}

struct aril_code_desc code_blob(u32 point, const u8 *blob, const u8 *end)
{
	struct aril_code_desc d = {.first = first,
				   .text = 1,
				   .data = 1,
				   .point = point,
				   .stack = 4096,
				   .loader = loader,
				   .account = ARIL_ACCOUNT_ROOT,
				   .name = "blob"};

	memcpy(frame_memory(first + 1), blob, (u64)(end - blob));
	if (point == ARIL_POINT_PREDICATE || point == ARIL_POINT_GUARD)
		d.worst = 1000;
	else
		d.budget = 10000, d.entry_cost = 10000;
	d.guard[0] = fake_guard("load", ARIL_ALL, 5);
	d.guard[1] = fake_guard("load.user", ARIL_EXEC, 5);
	return d;
}

u32 code_sealed(u32 point, const u8 *blob, const u8 *end)
{
	struct aril_code_desc d = code_blob(point, blob, end);

	SAME(call_code_seal(root, &d), 0);
	return d.first;
}

u32 code_more(u32 point, const u8 *blob, const u8 *end)
{
	u32 before = first, more;

	first = frames_take();
	more = code_sealed(point, blob, end);
	first = before;
	return more;
}

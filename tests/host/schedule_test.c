/* SPDX-License-Identifier: MIT
 * Who runs next: positions, slices that are forfeited, those given away behind a synchronous gate.
 * links: kernel/slice.c */
#include "test.h"

#include "arch.h"
#include "boot.h"
#include "lock.h"
#include "revoke.h"
#include "slice.h"

#include <setjmp.h>

#define ENVS 3

struct lock object_lock = LOCK("object"), wait_lock = LOCK("wait");
struct boot_info boot;
struct aril_info *info;
struct cpu *cpus[ARIL_MAX_CPUS];
u32 ncpus = 2;
u64 revoke_deadline = ~0ul;
static struct aril_info the_info;
static struct aril_slice the_slices[2 * ARIL_SLICES];
static struct aril_env_info infos[ENVS];
static struct env envs[ENVS];
static struct aril_context pages[ENVS][2];
static struct cpu the_cpus[2];
static struct cpu *cpu;
static jmp_buf left;
static struct context *entered;
static u32 idle;

struct cpu *this_cpu(void)
{
	return cpu;
}

struct env *env_get(u32 id)
{
	return id && id <= ENVS && infos[id - 1].state == ARIL_ENV_ALIVE ? &envs[id - 1] : NULL;
}

u64 time_now(void)
{
	return 5;
}

_Noreturn void arch_enter_user(u64 rip, u64 rsp)
{
	(void)rip, (void)rsp;
	entered = cpu->ctx;
	longjmp(left, 1);
}

void arch_idle(void)
{
	idle++;
	longjmp(left, 1);
}

_Noreturn void env_end_current(u32 end, s64 status)
{
	printf("ended %u %ld\n", end, status);
	abort();
}

_Noreturn void arch_return_frame(struct trap_frame *frame)
{
	printf("frame %p\n", (void *)frame);
	abort();
}

int arch_load_forced(const struct aril_forced *from, struct trap_frame *frame)
{
	(void)from, (void)frame;
	return -1;
}

int code_wait_over(struct context *ctx, s32 *budget)
{
	(void)ctx, (void)budget;
	abort();
}

u64 option_number(const char *line, const char *name, u64 otherwise)
{
	(void)line, (void)name;
	return otherwise;
}

/* Of no interest here. */
void smp_poll(void)
{
}
void smp_kick(u32 id)
{
	(void)id;
}
void timer_set(u64 ns)
{
	(void)ns;
}
void arch_load_space(u64 cr3)
{
	(void)cr3;
}
u64 arch_kernel_cr3(void)
{
	return 0;
}
void arch_clear_registers(void)
{
}
u32 space_keys; /* none */
u64 arch_keys_open(void)
{
	return 0;
}
void arch_load_ports(const struct env *env)
{
	(void)env;
}
void arch_save_forced(struct aril_forced *to, const struct trap_frame *frame)
{
	(void)to, (void)frame;
}
void wait_unblock(struct context *ctx, u32 cause)
{
	(void)ctx, (void)cause;
}
void wait_expire(u64 now)
{
	(void)now;
}
void revoke_expire(u64 now)
{
	(void)now;
}
u32 revoke_kinds(const struct context *ctx, u64 *deadline)
{
	(void)ctx, (void)deadline;
	return 0;
}

/* Envs 1 to 3, READY on both CPUs; position 3 of each is the first's. */
static void start(void)
{
	info = &the_info;
	slices = the_slices;
	memset(the_slices, 0, sizeof(the_slices));
	memset(infos, 0, sizeof(infos));
	memset(envs, 0, sizeof(envs));
	for (u32 i = 0; i < ENVS; i++) {
		envs[i].id = i + 1;
		envs[i].info = &infos[i];
		infos[i].state = ARIL_ENV_ALIVE;
		for (u32 c = 0; c < 2; c++)
			envs[i].ctx[c] = (struct context){.page = &pages[i][c],
							  .env = &envs[i],
							  .cpu = c,
							  .state = CTX_READY};
	}
	for (u32 c = 0; c < 2; c++) {
		the_cpus[c] = (struct cpu){.id = c};
		cpus[c] = &the_cpus[c];
		the_slices[c * ARIL_SLICES + 3].env = 1;
	}
	cpu = &the_cpus[0];
}

/* The env that is next on this CPU; 0: it is idle. */
static int next(void)
{
	entered = NULL;
	if (!setjmp(left))
		slice_next();
	if (!entered)
		return 0;
	entered->state = CTX_READY;
	return (int)entered->env->id;
}

static void turns(void)
{
	start();
	SAME(next(), 1);
	SAME(cpu->owner, 1);
	the_slices[4].env = 2;
	SAME(next(), 2);
	SAME(next(), 1);
	infos[1].state = ARIL_ENV_DEAD;
	SAME(next(), 1);
	envs[0].ctx[0].state = CTX_BLOCKED;
	idle = 0;
	SAME(next(), 0);
	SAME(idle, 1);
}

static void forfeits(void)
{
	start();
	the_slices[4].env = 2;
	infos[0].excess = 2;
	SAME(next(), 2);
	SAME(infos[0].excess, 1);
	SAME(next(), 2);
	SAME(infos[0].excess, 0);
	SAME(next(), 1);
}

/* Its slices are the callee's, until that is gone, or gone from this CPU. */
static void given(void)
{
	start();
	envs[0].ctx[0].donee = 2;
	SAME(next(), 2);
	SAME(cpu->owner, 1);
	envs[1].ctx[0].donee = 3;
	SAME(next(), 3);
	envs[2].ctx[0].state = CTX_BLOCKED;
	SAME(next(), 0);
	SAME(envs[1].ctx[0].donee, 3);
	envs[2].ctx[0].state = CTX_NONE;
	SAME(next(), 2);
	SAME(envs[1].ctx[0].donee, 0);
	infos[1].state = ARIL_ENV_DEAD;
	SAME(next(), 1);
	SAME(envs[0].ctx[0].donee, 0);
}

int main(void)
{
	static const struct test tests[] = {TEST(turns), TEST(forfeits), TEST(given)};

	return test_main(tests, sizeof(tests) / sizeof(*tests));
}

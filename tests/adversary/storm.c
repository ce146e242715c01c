/* SPDX-License-Identifier: MIT
 * Two CPUs make, join, use, take back and destroy frames, tables, spaces and envs at random, all out of one small
 * pool, while the envs so made do the same to each other. At the end the books must balance. */
// expect: storm: done
// forbid: storm: WRONG
// smp: 2
// timeout: 120
#include "adversary.h"

#define FRAMES 40
#define PAGES 6
#define ENVS 8
#define SECONDS 6ul
#define VA 0x400000000000ul

static u32 frame[FRAMES], page_frame[PAGES], env[ENVS], first_frame;
static struct aril_context *page[PAGES];
static u32 weak, strong[ARIL_MAX_CPUS];
static struct aril_cap weak_cap;
static volatile u32 stage, made, ended, linked, bound, waits;

void storm_entry(void), storm_gate(void);
void storm_child(struct aril_context *context);
__asm__(".text\nstorm_entry:\n\tmov %rsp, %rdi\n\tand $-4096, %rdi\n\tcall storm_child\n\tud2\n"
	"storm_gate:\n\txor %edi, %edi\n\txor %esi, %esi\n\tmov $0x80000029, "
	"%eax\n\tsyscall\n\tud2\n");

static u32 random_below(u32 n)
{
	static u64 state = 88172645463325252ul;
	u64 x = __atomic_add_fetch(&state, 0x9e3779b97f4a7c15ul, __ATOMIC_RELAXED) ^
		__builtin_ia32_rdtsc();

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ul;
	x = (x ^ x >> 27) * 0x94d049bb133111ebul;
	return (u32)((x ^ x >> 31) >> 33) % n;
}

static u32 any_frame(void)
{
	return random_below(4) ? frame[random_below(FRAMES)] : page_frame[random_below(PAGES)];
}

/* A frame in that state, most times where there is one: so that more of the calls succeed. */
static u32 pick(u32 state)
{
	u32 start = random_below(FRAMES);

	for (u32 i = 0; i < FRAMES && random_below(16); i++)
		if (frame_info(frame[(start + i) % FRAMES])->state == state)
			return frame[(start + i) % FRAMES];
	return any_frame();
}

static u64 any_va(void)
{
	return VA + ((u64)random_below(2) << 39) + ((u64)random_below(2) << 30) +
	       ((u64)random_below(2) << 21) + ((u64)random_below(4) << 12);
}

static void change_guard(u32 auth)
{
	struct aril_frame_op op = {.first = first_frame + random_below(FRAMES),
				   .count = 1,
				   .kind = ARIL_FRAME_GUARD,
				   .slot = 1};

	op.guard = (struct aril_guard){.name = {1, CORE_DOMAIN->index, 7},
				       .len = 3,
				       .rights = random_below(2) ? ARIL_ALL : 0};
	if (!op.guard.rights)
		op.guard = (struct aril_guard){.rights = 0};
	aril_frame_update(auth, &op, 1);
}

static void change_space(u32 auth, u32 root)
{
	struct aril_space_op op = {.va = any_va(),
				   .frame = any_frame(),
				   .count = 1,
				   .kind = (u16)(1 + random_below(3)),
				   .flags = random_below(2),
				   .auth = random_below(3) ? auth : weak};

	if (aril_space_update(auth, root, &op, 1) == 1)
		bound++;
}

static void make_env(u32 auth)
{
	struct aril_env_desc desc = {.space = random_below(3) ? CORE_DOMAIN->space
							      : pick(ARIL_FRAME_SPACE),
				     .entry = (u64)storm_entry,
				     .gate = (u64)storm_gate};
	u32 slot = random_below(ENVS), which = random_below(PAGES), cpu = random_below(2);
	s64 id = aril_env_create(auth, pick(ARIL_FRAME_NORMAL), &desc);

	if (id < 0)
		return;
	made++;
	env[slot] = (u32)id;
	aril_env_context(auth, (u32)id, cpu, page_frame[which], (u64)page[which]);
}

/* One call of those that return. */
static void step(u32 auth)
{
	u32 a = any_frame(), level = 1 + random_below(3);

	switch (random_below(13)) {
	case 0:
		if (!aril_frame_reset(auth, a))
			ended++;
		break;
	case 1:
		aril_space_create(auth, pick(ARIL_FRAME_NORMAL), pick(ARIL_FRAME_NORMAL));
		break;
	case 2:
	case 3:
		aril_space_table(auth, pick(ARIL_FRAME_SPACE), any_va(), level,
				 pick(ARIL_FRAME_NORMAL), pick(ARIL_FRAME_NORMAL));
		break;
	case 4:
		a = pick(ARIL_FRAME_TABLE);
		if (!aril_space_link(auth, pick(ARIL_FRAME_SPACE), any_va(), frame_info(a)->level,
				     a))
			linked++;
		break;
	case 5:
		aril_space_unlink(auth, pick(ARIL_FRAME_SPACE), any_va(), level);
		break;
	case 6:
	case 7:
		change_space(auth, random_below(8) ? pick(ARIL_FRAME_SPACE) : a);
		break;
	case 8:
		make_env(auth);
		break;
	case 9:
		aril_env_context(auth, env[random_below(ENVS)], random_below(2), 0, 0);
		break;
	case 10:
		aril_wake(auth, a, 4 * random_below(2), 1);
		break;
	case 11:
		change_guard(auth);
		break;
	default:
		a = random_below(PAGES);
		aril_env_context(auth, env[random_below(ENVS)], random_below(2), page_frame[a],
				 (u64)page[a]);
	}
}

/* What the envs made do, for a while each. */
void storm_child(struct aril_context *context)
{
	s64 auth = aril_cap_open(random_below(2) ? &CORE_DOMAIN->cap : &weak_cap);

	(void)context;
	for (u32 i = 0; i < 50; i++)
		step((u32)auth);
	aril_cap_close((u32)auth);
	switch (random_below(4)) {
	case 0:
		auth = aril_cap_open(&CORE_DOMAIN->cap);
		aril_wait((u32)auth, any_frame(), 4 * random_below(2), 0,
			  core_now() + random_below(3000000));
		break;
	case 1:
		aril_env_exit(0);
		break;
	case 2:
		auth = aril_cap_open(&CORE_DOMAIN->cap);
		aril_gate((u32)auth, env[random_below(ENVS)], random_below(2));
	}
	aril_yield(0, 0);
}

static void storm(u32 cpu)
{
	u64 until = core_now() + SECONDS * 1000000000;

	while (core_now() < until) {
		for (u32 i = 0; i < 200; i++)
			step(strong[cpu]);
		u32 i = random_below(PAGES); /* bound again where a reset unbound it */
		core_map(&core_self, (u64)page[i], page_frame[i], 1, ARIL_BIND_WRITE, strong[cpu]);
		core_yield(strong[cpu], env[random_below(ENVS)]);
		if (!random_below(8) &&
		    core_wait(strong[cpu], any_frame(), 0, 0, core_now() + 1000000) >= 0)
			waits++;
	}
}

void core_secondary(u32 cpu)
{
	while (stage == 0)
		core_sleep(1000000);
	storm(cpu);
	stage = 2;
}

static u32 left(u32 f)
{
	const volatile struct aril_frame *i = frame_info(f);

	return i->refs + i->pins + i->state + (i->flags & ~ARIL_FRAME_USED) + i->users + i->head;
}

int main(int argc, char **argv, char **envp)
{
	static const u8 suffix[1] = {7};
	u64 until;
	u32 wrongs = 0;

	(void)argc;
	(void)argv;
	(void)envp;
	allowed("a weaker name",
		aril_cap_derive(&CORE_DOMAIN->cap, suffix, 1, ARIL_ALL, 0, &weak_cap));
	weak = (u32)aril_cap_open(&weak_cap);
	first_frame = core_pool_take(&core_pool, FRAMES);
	for (u32 i = 0; i < FRAMES; i++)
		frame[i] = first_frame + i;
	for (u32 i = 0; i < PAGES; i++)
		page[i] = core_pages(1, &page_frame[i]);
	for (u32 i = 0; i < PAGES; i++)
		page[i]->gate_open = i & 1;
	strong[0] = strong[1] = core_auth;
	stage = 1;
	storm(0);
	until = core_now() + 20000000000ul;
	while (stage != 2 && core_now() < until)
		core_sleep(1000000);
	for (u32 round = 0; round < 3; round++)
		for (u32 i = 0; i < FRAMES + PAGES; i++)
			aril_frame_reset(core_auth, i < FRAMES ? frame[i] : page_frame[i - FRAMES]);
	for (u32 i = 0; i < FRAMES + PAGES; i++)
		wrongs += left(i < FRAMES ? frame[i] : page_frame[i - FRAMES]) != 0;
	for (u32 i = 0; i < ENVS; i++)
		wrongs += env_info(env[i])->id == env[i] && env[i] &&
			  env_info(env[i])->state != ARIL_ENV_DEAD;
	core_log("%s: %u envs, %u resets, %u links, %u bindings, %u waits", NAME, made, ended,
		 linked, bound, waits);
	if (wrongs || stage != 2 || !made || !bound)
		wrong("the books", wrongs);
	return done();
}

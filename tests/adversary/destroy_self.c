/* SPDX-License-Identifier: MIT
 * An env that destroys itself in the middle of its own call: by its id, its frame, its context page, its space, its code's page
 * table; by frame_reset and by frame_free, alone and amid a run of frames. It is gone when the call is, and everything is
 * back. */
// expect: destroy_self: [1-9]\d* envs destroyed themselves
// expect: destroy_self: done
// forbid: destroy_self: WRONG
// smp: 2
#include "adversary.h"

#define ROUNDS 10
#define RUN 5 /* consecutive frames: the env's is in the middle */

enum way {
	END_ENV,
	RESET_ENV,
	RESET_PAGE,
	RESET_SPACE,
	FREE_ENV,
	FREE_PAGE,
	FREE_SPACE,
	FREE_RUN,
	UNLINK,
	WAYS
};

static const char *const names[WAYS] = {
	"env_destroy of itself",    "frame_reset of its frame", "frame_reset of its context page",
	"frame_reset of its space", "frame_free of its frame",	"frame_free of its context page",
	"frame_free of its space",  "frame_free of a run",	"space_unlink of its code",
};
static u32 first, page_frame, root, way, table; /* frames: RUN, then the page, root and shadow */
static struct aril_context *page;
static volatile u32 came_back;

void self_entry(void);
void self_child(struct aril_context *context);
__asm__(".text\nself_entry:\n\tmov %rsp, %rdi\n\tand $-4096, %rdi\n\tcall self_child\n\tud2\n");

void self_child(struct aril_context *context)
{
	u32 auth = (u32)aril_cap_open(&CORE_DOMAIN->cap), env = first + RUN / 2;

	switch (way) {
	case END_ENV:
		aril_env_destroy(auth, context->env);
		break;
	case RESET_ENV:
		aril_frame_reset(auth, env);
		break;
	case RESET_PAGE:
		aril_frame_reset(auth, page_frame);
		break;
	case RESET_SPACE:
		aril_frame_reset(auth, root);
		break;
	case FREE_ENV:
		aril_frame_free(auth, env, 1);
		break;
	case FREE_PAGE:
		aril_frame_free(auth, page_frame, 1);
		break;
	case FREE_SPACE:
		aril_frame_free(auth, root, 2);
		break;
	case FREE_RUN:
		aril_frame_free(auth, first, RUN);
		break;
	case UNLINK: /* the next instruction is not there, nor the entry for that fault */
		aril_space_unlink(auth, root, (u64)self_child, 3);
		break;
	}
	came_back = 1;
	aril_env_exit(0);
}

static u64 root_entry(u64 va)
{
	for (u32 i = 0; i < 4; i++)
		va = ARIL_SELF_VA + ((va & 0xffffffffffff) >> 12) * 8;
	return *(const volatile u64 *)va;
}

/* Frames that were freed are taken again, under our guard. */
static void take_again(void)
{
	struct aril_guard guard;

	memcpy(&guard, (const void *)&frame_info(first + RUN + 3)->guard[0], sizeof(guard));
	for (u32 f = first; f < first + RUN + 3; f++)
		if (!frame_info(f)->account)
			allowed("to take a frame again",
				aril_frame_alloc(core_auth, CORE_DOMAIN->account, f, 1, &guard));
}

static void make(void)
{
	struct aril_env_desc desc = {.entry = (u64)self_entry};

	allowed("a space", aril_space_create(core_auth, root, root + 1));
	for (u64 va = 0; va < ARIL_USER_TOP; va += 1ul << 39)
		if (root_entry(va) & ARIL_PTE_PRESENT)
			allowed("a link", aril_space_link(core_auth, root, va, 3,
							  ARIL_PTE_FRAME(root_entry(va))));
	allowed("its page",
		core_map(&core_self, (u64)page, page_frame, 1, ARIL_BIND_WRITE, core_auth));
	memset(page, 0, sizeof(*page));
	desc.space = root;
	s64 env = aril_env_create(core_auth, first + RUN / 2, &desc);
	allowed("an env", env);
	table = (u32)env;
	allowed("a context",
		aril_env_context(core_auth, table, core_context()->cpu, page_frame, (u64)page));
}

static void look(void)
{
	const volatile struct aril_env_info *e = env_info(table);
	u32 end = way == UNLINK ? ARIL_END_FAULT : ARIL_END_DESTROYED;

	if (e->id != table || e->state != ARIL_ENV_DEAD || e->end != end)
		core_log("%s: WRONG %s: state %u, end %u", NAME, names[way], e->state, e->end);
	if (came_back)
		wrong(names[way], came_back);
	while (aril_frame_reset(core_auth, root) == -ARIL_E_AGAIN)
		;
	for (u32 f = first; f < first + RUN + 3; f++) {
		const volatile struct aril_frame *i = frame_info(f);

		if (i->state || i->pins || i->users || (f != page_frame && i->refs))
			core_log("%s: WRONG %s: frame %u of %u: state %u, %u pins, %u bindings",
				 NAME, names[way], f - first, RUN + 3, i->state, i->pins, i->refs);
	}
}

int main(int argc, char **argv, char **envp)
{
	u32 destroyed = 0;

	(void)argc;
	(void)argv;
	(void)envp;
	first = core_pool_take(&core_pool, RUN + 4); /* the last one keeps the guard */
	page_frame = first + RUN;
	root = page_frame + 1;
	page = core_pages(1, &table);
	for (u32 round = 0; round < ROUNDS * WAYS; round++) {
		u64 until = core_now() + 20000000000;

		way = round % WAYS;
		came_back = 0;
		make();
		while (env_info(table)->state == ARIL_ENV_ALIVE && core_now() < until)
			core_yield(core_auth, table);
		look();
		take_again();
		destroyed++;
	}
	core_log("%s: %u envs destroyed themselves", NAME, destroyed);
	return done();
}

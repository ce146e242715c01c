/* SPDX-License-Identifier: MIT
 * Another env of the same program: see child.h. */
#include <aril_stubs.h>
#include <core/child.h>
#include <core/string.h>

static u8 *window; /* a page of ours, where frames of the child are filled */

static u64 entry_of(u64 va)
{
	return *(const volatile u64 *)(ARIL_SELF_VA + (va >> ARIL_PAGE_SHIFT) * 8);
}

struct aril_guard core_child_guard(u32 number)
{
	struct aril_guard guard = {.len = CORE_DOMAIN->cap.len, .rights = ARIL_ALL};

	memcpy(guard.name, CORE_DOMAIN->cap.name, sizeof(guard.name));
	guard.name[guard.len++] = (u8)number;
	return guard;
}

static u32 take(struct core_child *child, u32 count)
{
	return core_pool_take(&child->pool, count);
}

/* Fills one frame. 0 or a refusal. */
static s64 fill(u32 frame, const void *from, u32 bytes)
{
	u32 unused;

	if (!window)
		window = core_pages(1, &unused);
	if (!window)
		return -ARIL_E_QUOTA;
	s64 error = core_map(&core_self, (u64)window, frame, 1, ARIL_BIND_WRITE, core_auth);
	if (error)
		return error;
	memset(window, 0, ARIL_PAGE_SIZE);
	memcpy(window, from, bytes);
	return 0;
}

/* The image: what is writable is copied, the rest shared. */
static s64 image_copy(struct core_child *child)
{
	s64 error = 0;

	for (u64 va = CORE_DOMAIN->image_low & ~(ARIL_PAGE_SIZE - 1ul);
	     va < CORE_DOMAIN->image_high && !error; va += ARIL_PAGE_SIZE) {
		u64 entry = entry_of(va);
		u32 frame = ARIL_PTE_FRAME(entry), flags = 0;

		if (!(entry & ARIL_PTE_PRESENT))
			continue;
		if (entry & ARIL_PTE_WRITE) {
			frame = take(child, 1);
			flags = ARIL_BIND_WRITE;
			error = frame ? fill(frame, (const void *)va, ARIL_PAGE_SIZE)
				      : -ARIL_E_QUOTA;
		}
		if (!(entry >> 63))
			flags |= ARIL_BIND_EXEC;
		if (!error)
			error = core_map(&child->space, va, frame, 1, flags, core_auth);
	}
	return error;
}

/* Frames filled from memory, or with zeros, bound at va. */
static s64 give(struct core_child *child, u64 va, u32 count, const void *from, u32 bytes, u32 flags)
{
	u32 first = take(child, count);
	s64 error = first ? 0 : -ARIL_E_QUOTA;

	for (u32 i = 0; i < count && !error; i++)
		error = fill(first + i, from, i ? 0 : bytes);
	return error ? error : core_map(&child->space, va, first, count, flags, core_auth);
}

s64 core_child_make(struct core_child *child)
{
	const u32 cpu = child->cpu,
		  stack = (u32)((CORE_STACK_TOP(0) - CORE_STACK_LOW(0)) >> ARIL_PAGE_SHIFT);
	struct aril_env_desc desc = {.flags = CORE_DOMAIN->flags & CORE_DOMAIN_LOG ? ARIL_ENV_LOG
										   : 0,
				     .entry = CORE_DOMAIN->entry,
				     .account = child->account};

	child->left = child->run;
	child->pool = (struct core_pool){.run = &child->left, .nruns = 1};
	u32 root = take(child, 2), env = take(child, 1), context;
	if (!root || !env)
		return -ARIL_E_QUOTA;
	s64 error = aril_space_create(core_auth, root, root + 1);
	if (error)
		return error;
	child->space = (struct core_space){.root = root, .auth = core_auth, .pool = &child->pool};
	error = image_copy(child);
	if (!error)
		error = give(child, CORE_STACK_LOW(cpu), stack, "", 0, ARIL_BIND_WRITE);
	if (!error)
		error = give(child, CORE_ARGS_VA, 1, child->args, child->args_bytes, 0);
	context = child->left.first;
	if (!error)
		error = give(child, CORE_CONTEXT_VA(cpu), 1, "", 0, ARIL_BIND_WRITE);
	if (error)
		return error;
	desc.space = root;
	s64 id = aril_env_create(core_auth, env, &desc);
	if (id < 0)
		return id;
	child->env = (u32)id;
	return aril_env_context(core_auth, child->env, cpu, context, CORE_CONTEXT_VA(cpu));
}

/* In pieces as the kernel takes them. */
static void keep(struct core_run run)
{
	while (run.count) {
		struct aril_frame_op op = {.first = run.first,
					   .count = run.count < 256 ? run.count : 256,
					   .kind = ARIL_FRAME_MARK_KEEP,
					   .tag = 1};

		if (aril_frame_update(core_auth, &op, 1) != 1)
			return;
		run.first += op.count;
		run.count -= op.count;
	}
}

s64 core_child_start(struct core_child *child)
{
	static struct core_domain page;
	u32 frame = take(child, 1);

	if (!frame)
		return -ARIL_E_QUOTA;
	s64 error = core_map(&child->space, CORE_DOMAIN_VA, frame, 1, 0, core_auth);
	if (error)
		return error;
	page = *CORE_DOMAIN;
	u8 suffix = (u8)child->number;
	error = aril_cap_derive(&CORE_DOMAIN->cap, &suffix, 1, ARIL_ALL,
				CORE_DOMAIN->cap.generation, &page.cap);
	if (error)
		return error;
	page.flags &= CORE_DOMAIN_LOG;
	page.env = child->env;
	page.env_frame = 0;
	page.space = child->space.root;
	page.cpus = 1u << child->cpu;
	page.account = child->account;
	page.spent = (struct core_run){child->run.first, child->left.first - child->run.first};
	page.free_frames = child->left.count;
	page.nruns = 1;
	page.run[0] = child->left;
	page.console = CORE_CONSOLE_NONE;
	page.archive.count = 0;
	page.args_va = CORE_ARGS_VA;
	page.args_bytes = child->args_bytes;
	page.env_bytes = 0;
	keep(page.spent);
	return fill(frame, &page, sizeof(page));
}

// SPDX-License-Identifier: MIT
// Software regions under attack: of the neighbour's memory, beyond the edges of fields, through every other use that a
// frame has, and its book.
// expect: region_foreign: refused a region of the neighbour's memory
// expect: region_foreign: done
// forbid: region_foreign: WRONG
#include "adversary.h"
#include <core/region.h>

#define REGION_VA 0x500000000000ul

/* Every use of a frame but reading it. */
static void other_uses(u32 frame, u32 book)
{
	u32 cpu = core_context()->cpu, spare = core_pool_take(&core_pool, 1);
	struct aril_frame_op op = {.first = frame, .count = 1, .kind = ARIL_FRAME_TAG};
	struct aril_space_op bind = {
		.va = REGION_VA + 4096, .count = 1, .kind = ARIL_BIND, .auth = core_auth};
	struct aril_region_field field = {.bytes = 8};

	for (u32 i = 0; i < 2; i++) {
		u32 f = i ? book : frame;

		bind.frame = f;
		bind.flags = ARIL_BIND_WRITE;
		refused("binding it writable",
			aril_space_update(core_auth, CORE_DOMAIN->space, &bind, 1), ARIL_E_STATE);
		bind.flags = ARIL_BIND_EXEC;
		refused("binding it executable",
			aril_space_update(core_auth, CORE_DOMAIN->space, &bind, 1), ARIL_E_STATE);
		refused("a space of it", aril_space_create(core_auth, f, spare), ARIL_E_STATE);
		refused("a shadow of it", aril_space_create(core_auth, spare, f), ARIL_E_STATE);
		refused("a context page of it",
			aril_env_context(core_auth, CORE_DOMAIN->env, cpu, f, REGION_VA),
			ARIL_E_STATE);
		refused("a repossession page of it",
			aril_account_handler(core_auth, CORE_DOMAIN->account, CORE_DOMAIN->env, cpu,
					     f),
			0);
		refused("a region of it", aril_region_create(core_auth, f, spare, &field, 1), 0);
		op.first = f;
		refused("its tag", aril_frame_update(core_auth, &op, 1), ARIL_E_STATE);
	}
	bind.frame = book;
	bind.flags = 0;
	refused("reading the book", aril_space_update(core_auth, CORE_DOMAIN->space, &bind, 1),
		ARIL_E_STATE);
	refused("writing the book", aril_region_write(core_auth, book, 0, (const u8 *)"x", 1),
		ARIL_E_STATE);
}

int main(int argc, char **argv, char **envp)
{
	struct aril_region_field field[2] = {{.offset = 8, .bytes = 16},
					     {.offset = 64, .bytes = 8}};
	u32 frame = core_pool_take(&core_pool, 2), theirs = find_frame(ARIL_FRAME_NORMAL, 0, 0);
	struct core_region region = {.frame = frame};

	(void)argc, (void)argv, (void)envp;
	for (u32 i = 0; i < 2; i++) {
		field[i].guard =
			(struct aril_guard){.len = CORE_DOMAIN->cap.len, .rights = ARIL_ALL};
		memcpy(field[i].guard.name, CORE_DOMAIN->cap.name, sizeof(field[i].guard.name));
	}
	refused("a region of the neighbour's memory",
		aril_region_create(core_auth, theirs, frame + 1, field, 2), ARIL_E_RIGHTS);
	refused("a book in the neighbour's memory",
		aril_region_create(core_auth, frame, theirs, field, 2), ARIL_E_RIGHTS);
	field[1].guard.len = 1; /* a field for whoever stands above */
	field[1].guard.name[1] = 0;
	refused("a field of a name above",
		aril_region_create(core_auth, frame, frame + 1, field, 2), ARIL_E_RIGHTS);
	field[1].guard = field[0].guard;
	allowed("a region", core_region_make(&region, &core_self, REGION_VA, frame, frame + 1,
					     field, 2, core_auth));
	refused("before a field", aril_region_write(core_auth, frame, 7, (const u8 *)"xx", 2),
		ARIL_E_RANGE);
	refused("beyond a field", aril_region_write(core_auth, frame, 23, (const u8 *)"xx", 2),
		ARIL_E_RANGE);
	refused("around the edge of numbers",
		aril_region_write(core_auth, frame, 8, (const u8 *)CORE_DOMAIN, ~0ul),
		ARIL_E_RANGE);
	refused("a word outside", aril_region_swap(core_auth, frame, 24, 0, 1), ARIL_E_RANGE);
	refused("a word far outside", aril_region_swap(core_auth, frame, ~7u, 0, 1), ARIL_E_RANGE);
	refused("half a word", aril_region_swap(core_auth, frame, 12, 0, 1), ARIL_E_RANGE);
	refused("the kernel's bytes",
		aril_region_write(core_auth, frame, 8, (const u8 *)ARIL_KERNEL_VA, 8), ARIL_E_ADDR);
	other_uses(frame, frame + 1);
	allowed("adding", core_region_add(&region, 64, 5));
	if (core_region_count(&region, 64) != 5)
		wrong("the counter", (s64)core_region_count(&region, 64));
	for (u32 i = 0; i < 4096; i++)
		if (region.at[i] && i != 64)
			wrong("a byte that nobody wrote", i);
	allowed("its end", aril_frame_reset(core_auth, frame));
	return done();
}

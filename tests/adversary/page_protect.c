/* SPDX-License-Identifier: MIT
 * The short way of page_protect, warmed by a hundred calls, and then what it must not do: write to what was bound without
 * MAY_WRITE, to a page whose guard is gone, to another's space, to the kernel's addresses, by a closed index; and writing that
 * was taken away is gone in every place of a shared table. */
// expect: page_protect: refused a page bound without it
// expect: page_protect: refused a page after its guard changed
// expect: page_protect: refused a closed index
// expect: page_protect: refused another's space
// expect: page_protect: refused an address of the kernel's
// expect: page_protect: refused an address past the half
// expect: page_protect: done
// forbid: page_protect: WRONG
// smp: 1
#include "adversary.h"

#define ALIAS_VA 0x123400000000ul

static u32 root;

static s64 bind(u64 va, u32 frame, u32 flags)
{
	struct aril_space_op op = {.va = va,
				   .frame = frame,
				   .count = 1,
				   .kind = ARIL_BIND,
				   .flags = (u16)flags,
				   .auth = core_auth};

	return aril_space_update(core_auth, root, &op, 1) == 1 ? 0 : -1;
}

static s64 page(u64 va, u32 flags)
{
	return aril_page_protect(core_auth, root, va, flags);
}

static u64 entry(u64 va)
{
	return *(volatile u64 *)(ARIL_INFO->self_va + (va >> ARIL_PAGE_SHIFT) * 8);
}

static void warm(u64 va, u32 auth)
{
	for (u32 i = 0; i < 100; i++) {
		allowed("to make it writable",
			aril_page_protect(auth, root, va, ARIL_PAGE_WRITE | ARIL_PAGE_MAY_WRITE));
		if (!(entry(va) & ARIL_PTE_WRITE))
			wrong("writable, but not in the table", i);
		*(volatile u8 *)va = 1;
		allowed("to protect it", aril_page_protect(auth, root, va, ARIL_PAGE_MAY_WRITE));
		if (entry(va) & ARIL_PTE_WRITE)
			wrong("protected, but not in the table", i);
	}
}

static void guard(u32 frame, u32 rights)
{
	struct aril_frame_op op = {.first = frame, .count = 1, .kind = ARIL_FRAME_GUARD};

	memcpy(op.guard.name, CORE_DOMAIN->cap.name, sizeof(op.guard.name));
	op.guard.len = CORE_DOMAIN->cap.len;
	op.guard.rights = rights;
	op.guard.generation = CORE_DOMAIN->cap.generation;
	allowed("a guard", aril_frame_update(core_auth, &op, 1) == 1 ? 0 : -1);
}

/* The page's table has a second place: a translation there that may write is gone when writing is. */
extern u64 alias;
u64 alias;
CHILD(writer, "movq alias(%rip), %rax\n\tmovb $2, (%rax)\n\t" EXIT(0));

static void through_alias(u64 va)
{
	u64 self2 = ARIL_SELF_VA + ((u64)ARIL_PML4_SELF << 30);
	u32 table = ARIL_PTE_FRAME(*(volatile u64 *)(self2 + (va >> 21) * 8)), first;

	/* the tables above it */
	(void)core_pages(1, &first);
	allowed("tables", core_map(&core_self, ALIAS_VA, first, 1, ARIL_BIND_WRITE, core_auth));
	allowed("unlinking", aril_space_unlink(core_auth, root, ALIAS_VA, 1));
	allowed("linking", aril_space_link(core_auth, root, ALIAS_VA, 1, table));
	alias = ALIAS_VA + (va & ((1ul << 21) - 1));
	warm(va, core_auth);
	for (u32 i = 0; i < 3; i++) {
		allowed("to make it writable", page(va, ARIL_PAGE_WRITE | ARIL_PAGE_MAY_WRITE));
		*(volatile u8 *)alias = 1;
		allowed("to protect it", page(va, ARIL_PAGE_MAY_WRITE));
		dies("a write through the other place", writer, 14);
	}
	allowed("unlinking", aril_space_unlink(core_auth, root, ALIAS_VA, 1));
}

int main(int argc, char **argv, char **envp)
{
	u32 first;

	(void)argc, (void)argv, (void)envp;
	root = core_self.root;
	u64 va = (u64)core_pages(4, &first);
	allowed("a page that may", bind(va, first, ARIL_BIND_MAY_WRITE));
	allowed("a page that may not", bind(va + 4096, first + 1, 0));
	warm(va, core_auth);
	refused("a page bound without it", page(va + 4096, ARIL_PAGE_WRITE), ARIL_E_RIGHTS);
	refused("MAY_WRITE for it", page(va + 4096, ARIL_PAGE_MAY_WRITE), ARIL_E_RIGHTS);
	refused("other bits", page(va, ARIL_PAGE_WRITE | 4), ARIL_E_RANGE);
	/* the guard goes, and with it the binding */
	guard(first, ARIL_READ | ARIL_OWN);
	refused("a page after its guard changed", page(va, ARIL_PAGE_WRITE | ARIL_PAGE_MAY_WRITE),
		ARIL_E_STATE);
	guard(first, ARIL_ALL);
	allowed("binding it again", bind(va, first, ARIL_BIND_MAY_WRITE));
	warm(va, core_auth);
	refused("an address of the kernel's", page(ARIL_INFO_VA, ARIL_PAGE_WRITE), ARIL_E_RANGE);
	refused("an address past the half", page(1ul << 47, ARIL_PAGE_WRITE), ARIL_E_RANGE);
	refused("an address whose tables are not there", page(1ul << 46, ARIL_PAGE_WRITE),
		ARIL_E_TABLE);
	refused("another's space",
		aril_page_protect(core_auth, env_info(ARIL_ACCOUNT_ROOT)->space, va,
				  ARIL_PAGE_MAY_WRITE),
		ARIL_E_RIGHTS);
	warm(va, core_auth);
	s64 second = aril_cap_open(&CORE_DOMAIN->cap);
	warm(va, (u32)second);
	allowed("closing", aril_cap_close((u32)second));
	refused("a closed index", aril_page_protect((u32)second, root, va, ARIL_PAGE_MAY_WRITE),
		ARIL_E_CAP);
	through_alias(va);
	return done();
}

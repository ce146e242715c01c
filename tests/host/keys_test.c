/* SPDX-License-Identifier: MIT
 * Protection keys of bindings: refused where there are none, kept where a change does not name them, and never changed without a
 * shoot-down.
 * links: tests/host/fake.c kernel/cap.c kernel/siphash.c kernel/frame.c kernel/large.c kernel/account.c kernel/space.c kernel/narrow.c kernel/table.c */
#include "fake.h"
#include "account.h"

#define VA 0x40000000ul
#define W ARIL_BIND_WRITE
#define MAY ARIL_BIND_MAY_WRITE
#define KEY(n) ARIL_BIND_KEY(n)

static u32 root, space, frame;

static void start(u32 keys)
{
	fake_reset();
	space_keys = keys;
	ncpus = 1;
	root = fake_open("", ARIL_ALL, ~0ul);
	space = fake_space(root, VA, NULL);
	fake_cpu.env->space = space;
	frame = fake_frame();
}

static s64 op(u32 kind, u32 flags)
{
	return fake_op(root, space, kind, VA, frame, 1, flags, root);
}

static u64 bits(void)
{
	return fake_entry(space, VA) & ~PTE_ADDR;
}

static void none(void)
{
	start(0);
	for (u32 key = 1; key < ARIL_KEYS; key++) {
		SAME(op(ARIL_BIND, W | KEY(key)), -ARIL_E_RANGE);
		SAME(call_page_bind(root, space, VA, frame, W | KEY(key), root), -ARIL_E_RANGE);
	}
	SAME(op(ARIL_BIND, W), 1);
	SAME(op(ARIL_PROTECT, W | KEY(1)), -ARIL_E_RANGE);
	SAME(op(ARIL_BIND, W | KEY(0)), 1);
	SAME(bits(), PTE_P | PTE_U | PTE_W | PTE_NX);
}

static void each(void)
{
	start(ARIL_KEYS);
	for (u32 key = 0; key < ARIL_KEYS; key++) {
		SAME(op(ARIL_BIND, W | ARIL_BIND_SOFT(0x3f) | KEY(key)), 1);
		SAME(bits(), PTE_P | PTE_U | PTE_W | PTE_NX | PTE_SOFT | (u64)key << 59);
		SAME(ARIL_PTE_KEY(fake_entry(space, VA)), key);
		SAME(ARIL_PTE_SOFT(fake_entry(space, VA)), 0x3f);
		SAME(call_page_bind(root, space, VA, frame, ARIL_BIND_EXEC | KEY(key), root), 0);
		SAME(bits(), PTE_P | PTE_U | (u64)key << 59);
	}
	/* what is beside the key's bits is refused still */
	SAME(op(ARIL_BIND, W | 1u << 14), -ARIL_E_RANGE);
	SAME(op(ARIL_BIND, W | 1u << 19), -ARIL_E_RANGE);
	SAME(op(ARIL_BIND, W | 1u << 23), -ARIL_E_RANGE);
	SAME(call_page_bind(root, space, VA, frame, W | 1u << 19, root), -ARIL_E_RANGE);
	SAME(call_page_bind(root, space, VA, frame, W | 1u << 24, root), -ARIL_E_RANGE);
	BOOKS();
}

static void changes(void)
{
	start(ARIL_KEYS);
	SAME(op(ARIL_BIND, W | MAY | KEY(1)), 1);
	fake_flushes = 0;
	/* another key: what the CPU remembers has the old one */
	SAME(op(ARIL_PROTECT, W | MAY | KEY(2)), 1);
	SAME(ARIL_PTE_KEY(fake_entry(space, VA)), 2);
	SAME(fake_flushes, 1);
	SAME(op(ARIL_PROTECT, W | MAY), 1);
	SAME(ARIL_PTE_KEY(fake_entry(space, VA)), 0);
	SAME(fake_flushes, 2);
	SAME(op(ARIL_PROTECT, W | MAY | KEY(15)), 1);
	SAME(fake_flushes, 3);
	/* the same again: nothing is narrowed */
	SAME(op(ARIL_PROTECT, W | MAY | KEY(15)), 1);
	SAME(fake_flushes, 3);
	/* by page_protect it stays, and so it does where writing is taken away and given back */
	SAME(call_page_protect(root, space, VA, 0), 0);
	SAME(bits(), PTE_P | PTE_U | PTE_NX | PTE_KEY);
	SAME(op(ARIL_BIND, W | MAY | KEY(15)), 1);
	fake_flushes = 0;
	SAME(op(ARIL_PROTECT, MAY | KEY(15)), 1);
	SAME(bits(), PTE_P | PTE_U | PTE_MAY | PTE_NX | PTE_KEY);
	SAME(fake_flushes, 1);
	SAME(op(ARIL_PROTECT, W | MAY | KEY(15)), 1);
	SAME(bits(), PTE_P | PTE_U | PTE_W | PTE_MAY | PTE_NX | PTE_KEY);
	SAME(fake_flushes, 1);
	/* taking writing away and the key at once */
	SAME(op(ARIL_PROTECT, MAY), 1);
	SAME(bits(), PTE_P | PTE_U | PTE_MAY | PTE_NX);
	SAME(fake_flushes, 2);
	BOOKS();
}

static const struct test tests[] = {TEST(none), TEST(each), TEST(changes)};

int main(void)
{
	return test_main(tests, sizeof(tests) / sizeof(tests[0]));
}

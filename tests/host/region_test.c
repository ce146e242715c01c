/* SPDX-License-Identifier: MIT
 * Software regions: who may write which bytes, that nobody writes another way, and their end.
 * links: tests/host/fake.c kernel/cap.c kernel/siphash.c kernel/frame.c kernel/large.c kernel/account.c kernel/space.c kernel/narrow.c kernel/table.c kernel/region.c kernel/check.c */
#include "fake.h"

#include "audit_stubs.h"
#include "region.h"

static u32 root, one, two, reader, frame, book;
static struct aril_region_field field[ARIL_REGION_FIELDS + 1];

/* Two fields: bytes 0..63 are one's, 128..4095 are two's. */
static void start(void)
{
	fake_reset();
	root = fake_open("", ARIL_ALL, ~0ul);
	one = fake_open("one", ARIL_ALL, 3);
	two = fake_open("two", ARIL_ALL, 3);
	reader = fake_open("reader", ARIL_READ, 3);
	frame = fake_frame();
	book = fake_frame();
	memset(field, 0, sizeof(field));
	field[0] = (struct aril_region_field){0, 64, fake_guard("one", ARIL_WRITE, 0)};
	field[1] = (struct aril_region_field){128, 4096 - 128, fake_guard("two", ARIL_WRITE, 0)};
}

static void make(void)
{
	start();
	SAME(fake_set_guard(root, frame, 0, fake_guard("reader", ARIL_ALL, 0)), 1);
	SAME(call_region_create(root, frame, book, field, 2), 0);
	audit_says(ARIL_NOUN_REGION, NULL);
}

static u8 *memory(void)
{
	return frame_memory(frame);
}

static s64 create(u64 n)
{
	return call_region_create(root, frame, book, field, n);
}

static void create_arguments(void)
{
	u32 leaf;

	start();
	SAME(call_region_create(99, frame, book, field, 2), -ARIL_E_CAP);
	SAME(call_region_create(root, frame, frame, field, 2), -ARIL_E_RANGE);
	SAME(call_region_create(root, FAKE_FRAMES, book, field, 2), -ARIL_E_FRAME);
	SAME(call_region_create(root, frame, FAKE_FRAMES, field, 2), -ARIL_E_FRAME);
	SAME(call_region_create(one, frame, book, field, 2), -ARIL_E_RIGHTS);
	SAME(fake_set_guard(root, frame, 0, fake_guard("one", ARIL_ALL, 0)), 1);
	SAME(call_region_create(one, frame, book, field, 1), -ARIL_E_RIGHTS);
	SAME(call_region_create(root, FAKE_KERNEL, book, field, 2), -ARIL_E_STATE);
	SAME(call_region_create(root, frame, FAKE_KERNEL, field, 2), -ARIL_E_STATE);
	frame_pin(book);
	SAME(create(2), -ARIL_E_STATE);
	frame_unpin(book);
	u32 space = fake_space(root, 0, &leaf);
	SAME(fake_op(root, space, ARIL_BIND, 0, frame, 1, 0, root), 1);
	SAME(create(2), -ARIL_E_STATE);
	SAME(fake_op(root, space, ARIL_UNBIND, 0, 0, 1, 0, root), 1);
	SAME(create(0), -ARIL_E_RANGE);
	SAME(create(ARIL_REGION_FIELDS + 1), -ARIL_E_RANGE);
	SAME(call_region_create(root, frame, book, BAD_ADDRESS, 2), -ARIL_E_ADDR);
	SAME(fake_set_guard(root, book, 0, fake_guard("one", ARIL_ALL, 0)), 1);
	SAME(call_region_create(one, frame, book, field, 2), -ARIL_E_RIGHTS); /* two's name */
	field[0].guard.generation = 4;
	SAME(call_region_create(one, frame, book, field, 1), -ARIL_E_RIGHTS);
	SAME(frames[frame].state, ARIL_FRAME_NORMAL);
	SAME(frames[book].state, ARIL_FRAME_NORMAL);
	field[0].guard.generation = 3;
	SAME(call_region_create(one, frame, book, field, 1), 0);
	SAME(frames[frame].state, ARIL_FRAME_REGION);
	SAME(frames[frame].partner, book);
	SAME(frames[book].state, ARIL_FRAME_BOOK);
	SAME(frames[book].partner, frame);
	for (u32 i = 0; i < 4096; i++)
		CHECK(!memory()[i]);
	SAME(create(2), -ARIL_E_STATE);
	audit_says(ARIL_NOUN_REGION, NULL);
}

static void create_fields(void)
{
	struct aril_region_field good;

	start();
	good = field[1];
	field[1].bytes = 0;
	SAME(create(2), -ARIL_E_RANGE);
	field[1].bytes = 4096 - 127;
	SAME(create(2), -ARIL_E_RANGE);
	field[1].bytes = 4097;
	SAME(create(2), -ARIL_E_RANGE);
	field[1].bytes = ~0u;
	SAME(create(2), -ARIL_E_RANGE);
	field[1] = good, field[1].offset = ~0u;
	SAME(create(2), -ARIL_E_RANGE);
	field[1] = good, field[1].offset = 63;
	SAME(create(2), -ARIL_E_RANGE);
	field[1] = good, field[1].guard.len = 40;
	SAME(create(2), -ARIL_E_RANGE);
	field[1] = good, field[1].guard.rights = ARIL_OWN;
	SAME(create(2), -ARIL_E_RANGE);
	field[1] = good, field[1].guard.rights = 0;
	SAME(create(2), -ARIL_E_RANGE);
	field[1] = good, field[1].offset = 64, field[1].bytes = 8; /* next to each other */
	SAME(create(2), 0);
	/* as many as there may be */
	SAME(call_frame_reset(root, book), 0);
	for (u32 i = 0; i < ARIL_REGION_FIELDS; i++)
		field[i] =
			(struct aril_region_field){i * 128, 128, fake_guard("one", ARIL_WRITE, 0)};
	SAME(create(ARIL_REGION_FIELDS), 0);
	u8 byte = 9;
	SAME(call_region_write(one, frame, 4095, &byte, 1), 0);
	SAME(memory()[4095], 9);
}

static void write(void)
{
	u8 data[4096];

	make();
	memset(data, 7, sizeof(data));
	SAME(call_region_write(99, frame, 0, data, 1), -ARIL_E_CAP);
	SAME(call_region_write(one, frame, 0, data, 0), -ARIL_E_RANGE);
	SAME(call_region_write(one, FAKE_FRAMES, 0, data, 1), -ARIL_E_FRAME);
	SAME(call_region_write(one, book, 0, data, 1), -ARIL_E_STATE);
	SAME(call_region_write(one, fake_frame(), 0, data, 1), -ARIL_E_STATE);
	SAME(call_region_write(two, frame, 0, data, 1), -ARIL_E_RIGHTS);
	SAME(call_region_write(one, frame, 128, data, 1), -ARIL_E_RIGHTS);
	SAME(call_region_write(reader, frame, 0, data, 1), -ARIL_E_RIGHTS);
	SAME(call_region_write(fake_open("one", ARIL_ALL & ~ARIL_WRITE, 3), frame, 0, data, 1),
	     -ARIL_E_RIGHTS);
	SAME(call_region_write(one, frame, 0, data, 65), -ARIL_E_RANGE);
	SAME(call_region_write(one, frame, 60, data, 5), -ARIL_E_RANGE);
	SAME(call_region_write(one, frame, 64, data, 1), -ARIL_E_RANGE); /* nobody's */
	SAME(call_region_write(two, frame, 127, data, 2), -ARIL_E_RANGE);
	SAME(call_region_write(two, frame, 4096, data, 1), -ARIL_E_RANGE);
	SAME(call_region_write(two, frame, ~0u, data, 1), -ARIL_E_RANGE);
	SAME(call_region_write(two, frame, 128, data, ~0ul), -ARIL_E_RANGE);
	SAME(call_region_write(two, frame, 4000, data, 97), -ARIL_E_RANGE);
	SAME(call_region_write(one, frame, 0, BAD_ADDRESS, 64), -ARIL_E_ADDR);
	for (u32 i = 0; i < 4096; i++)
		CHECK(!memory()[i]);
	SAME(call_region_write(one, frame, 60, data, 4), 0);
	SAME(call_region_write(two, frame, 128, data, 4096 - 128), 0);
	SAME(call_region_write(root, frame, 0, data, 1), 0);
	for (u32 i = 0; i < 4096; i++)
		SAME(memory()[i], !i || (i >= 60 && i < 64) || i >= 128 ? 7 : 0);
}

static void swap(void)
{
	u64 *word;

	make();
	word = (u64 *)memory();
	SAME(call_region_swap(99, frame, 0, 0, 1), -ARIL_E_CAP);
	SAME(call_region_swap(one, frame, 4, 0, 1), -ARIL_E_RANGE);
	SAME(call_region_swap(one, FAKE_FRAMES, 0, 0, 1), -ARIL_E_FRAME);
	SAME(call_region_swap(one, book, 0, 2, 1), -ARIL_E_STATE);
	SAME(call_region_swap(two, frame, 0, 0, 1), -ARIL_E_RIGHTS);
	SAME(call_region_swap(one, frame, 64, 0, 1), -ARIL_E_RANGE);
	SAME(call_region_swap(one, frame, 0, 1, 2), -ARIL_E_VALUE);
	SAME(word[0], 0);
	SAME(call_region_swap(one, frame, 0, 0, 5), 0);
	SAME(call_region_swap(one, frame, 0, 0, 6), -ARIL_E_VALUE);
	SAME(call_region_swap(two, frame, 4088, 0, ~0ul), 0);
	SAME(word[0], 5);
	SAME(word[511], ~0ul);
	/* a word that only begins in its field */
	start();
	field[0].bytes = 60;
	SAME(create(2), 0);
	SAME(call_region_swap(one, frame, 56, 0, 1), -ARIL_E_RANGE);
	SAME(call_region_swap(one, frame, 48, 0, 1), 0);
}

static void bindings(void)
{
	u32 leaf;

	make();
	u32 space = fake_space(root, 0, &leaf), all = fake_open("reader", ARIL_ALL, 3);
	SAME(fake_op(root, space, ARIL_BIND, 0, frame, 1, ARIL_BIND_WRITE, all), -ARIL_E_STATE);
	SAME(fake_op(root, space, ARIL_BIND, 0, frame, 1, ARIL_BIND_EXEC, all), -ARIL_E_STATE);
	SAME(fake_op(root, space, ARIL_BIND, 0, frame, 1, ARIL_BIND_UNCACHED, all), -ARIL_E_STATE);
	SAME(fake_op(root, space, ARIL_BIND, 0, book, 1, 0, root), -ARIL_E_STATE);
	SAME(fake_op(root, space, ARIL_BIND, 0, frame, 1, 0, one), -ARIL_E_RIGHTS);
	SAME(fake_op(root, space, ARIL_BIND, 0, frame, 1, 0, all), 1);
	SAME(fake_op(root, space, ARIL_PROTECT, 0, 0, 1, ARIL_BIND_WRITE, all), -ARIL_E_STATE);
	CHECK(fake_entry(space, 0) && !(fake_entry(space, 0) & PTE_W));
	CHECK(frame_has_words(frame) && !frame_has_words(book));
	BOOKS();
	u32 flushes = fake_flushes;
	SAME(call_frame_reset(all, frame), 0);
	CHECK(fake_flushes > flushes);
	SAME(fake_entry(space, 0), 0);
	SAME(frames[frame].state, ARIL_FRAME_NORMAL);
	SAME(frames[book].state, ARIL_FRAME_NORMAL);
	for (u32 i = 0; i < 4096; i++)
		CHECK(!((u8 *)frame_memory(book))[i]); /* the guards' names do not leak */
	SAME(call_region_swap(one, frame, 0, 0, 1), -ARIL_E_STATE);
	BOOKS();
}

/* More bindings than are broken at once. */
static void widely_bound(void)
{
	u32 leaf;

	make();
	u32 space = fake_space(root, 0, &leaf);
	for (u64 i = 1; i < 5; i++)
		SAME(call_space_table(root, space, i << 21, 1, fake_frame(), fake_frame()), 0);
	for (u64 i = 0; i < 5 * 512; i++)
		SAME(fake_op(root, space, ARIL_BIND, i * 4096, frame, 1, 0, reader), 1);
	SAME(call_frame_reset(root, book), -ARIL_E_AGAIN);
	SAME(frames[frame].state, ARIL_FRAME_REGION);
	SAME(call_frame_reset(root, book), 0);
	SAME(frames[frame].state, ARIL_FRAME_NORMAL);
	SAME(frames[frame].refs, 0);
	BOOKS();
}

static void guards(void)
{
	struct aril_guard given = fake_guard("two", ARIL_WRITE, 0);

	make();
	SAME(call_region_guard(99, frame, 8, &given), -ARIL_E_CAP);
	SAME(call_region_guard(root, FAKE_FRAMES, 8, &given), -ARIL_E_FRAME);
	SAME(call_region_guard(one, frame, 8, &given), -ARIL_E_RIGHTS);
	SAME(call_region_guard(root, book, 8, &given), -ARIL_E_STATE);
	SAME(call_region_guard(root, frame, 64, &given), -ARIL_E_RANGE); /* in no field */
	SAME(call_region_guard(root, frame, 4096, &given), -ARIL_E_RANGE);
	SAME(call_region_guard(root, frame, 8, BAD_ADDRESS), -ARIL_E_ADDR);
	given.rights = ARIL_READ;
	SAME(call_region_guard(root, frame, 8, &given), -ARIL_E_RANGE);
	given.rights = ARIL_WRITE;
	/* nobody's authority has changed so far */
	SAME(call_region_swap(two, frame, 8, 0, 1), -ARIL_E_RIGHTS);
	SAME(call_region_swap(one, frame, 8, 0, 1), 0);
	SAME(call_region_guard(root, frame, 63, &given), 0);
	SAME(call_region_swap(one, frame, 8, 1, 2), -ARIL_E_RIGHTS);
	SAME(call_region_swap(two, frame, 8, 1, 2), 0);
	SAME(call_region_swap(two, frame, 128, 0, 1), 0);
	/* the region's owner gives what is below its own name alone */
	u32 owner = fake_open("reader", ARIL_ALL, 3);
	SAME(call_region_guard(owner, frame, 8, &given), -ARIL_E_RIGHTS);
	given = fake_guard("reader's", ARIL_WRITE, 4);
	SAME(call_region_guard(owner, frame, 8, &given), -ARIL_E_RIGHTS);
	given.generation = 3;
	SAME(call_region_guard(owner, frame, 8, &given), 0);
	SAME(call_region_swap(two, frame, 8, 2, 3), -ARIL_E_RIGHTS);
	SAME(call_region_swap(owner, frame, 8, 2, 3), 0);
	audit_says(ARIL_NOUN_REGION, NULL);
}

static void audit(void)
{
	u8 *b;

#define WRONG(falsify, words)                        \
	do {                                         \
		make();                              \
		b = frame_memory(book);              \
		falsify;                             \
		audit_says(ARIL_NOUN_REGION, words); \
	} while (0)
	WRONG(frames[book].state = ARIL_FRAME_NORMAL, "a region's book is none");
	WRONG(frames[book].partner++, "a region's book is none");
	WRONG(frames[frame].partner = FAKE_FRAMES, "a region's book is none");
	WRONG(frames[book].refs = 1, "a region's book is bound");
	WRONG(b[0] = 33, "a region's number of fields");
	WRONG(b[0] = 0, "a region's number of fields");
	WRONG(b[8 + 4] = 200, "a region's fields overlap");
	WRONG(b[8 + 4] = 0, "a region's fields overlap");
	WRONG(b[8 + 8 + 32] = 77, "a guard of a region's field");
	WRONG(b[8 + 8 + 36] = ARIL_OWN, "a guard of a region's field");
}

int main(void)
{
	static const struct test tests[] = {
		TEST(create_arguments), TEST(create_fields), TEST(write),	 TEST(swap),
		TEST(bindings),		TEST(guards),	     TEST(widely_bound), TEST(audit),
	};

	return test_main(tests, sizeof(tests) / sizeof(tests[0]));
}

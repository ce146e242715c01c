/* SPDX-License-Identifier: MIT
 * Random sequences of calls by principals of different authority, against a model that only knows the rules.
 * links: tests/host/fake.c kernel/cap.c kernel/siphash.c kernel/frame.c kernel/large.c kernel/account.c kernel/space.c kernel/narrow.c kernel/table.c */
#include "fake.h"

#define PAGES 24 /* frames in play */
#define LEAVES 3 /* level 1 tables, each in one or both spaces */
#define VA 0x40000000ul
#define SLOTS 16 /* entries of each leaf in play */
#define NAMES 6

static const char *const names[NAMES] = {"", "a", "a/b", "a/c", "a/b/d", "z"};

struct who {
	u32 name, rights, index;
	u64 generation;
};
struct model_guard {
	u32 name, rights;
	u64 generation;
};
struct model_binding {
	u32 page; /* number of the frame in play + 1; 0: none */
	u32 slot, write, exec;
};
static struct who whos[8];
static u32 pages[PAGES], spaces[2], leaves[LEAVES];
static struct model_guard guard[PAGES][2];
static struct model_binding binding[LEAVES][SLOTS];

static int opens(const struct model_guard *g, const struct who *w, u32 rights)
{
	return g->rights && !(rights & ~g->rights) && !(rights & ~w->rights) &&
	       w->generation >= g->generation &&
	       !strncmp(names[w->name], names[g->name], strlen(names[w->name]));
}

static int page_slot(u32 page, const struct who *w, u32 rights)
{
	for (int i = 0; i < 2; i++)
		if (opens(&guard[page][i], w, rights))
			return i;
	if (!guard[page][0].rights && !guard[page][1].rights && !w->name && !(rights & ~w->rights))
		return 0;
	return -1;
}

static void setup(void)
{
	u32 root;

	fake_reset();
	memset(guard, 0, sizeof(guard));
	memset(binding, 0, sizeof(binding));
	root = fake_open("", ARIL_ALL, ~0ul);
	for (u32 i = 0; i < array_count(whos); i++) {
		struct who *w = &whos[i];

		w->name = i < NAMES ? i : test_below(NAMES);
		w->rights = i < 3 ? ARIL_ALL : test_below(64);
		w->generation = i ? test_below(4) : ~0ul;
		w->index = fake_open(names[w->name], w->rights, w->generation);
	}
	for (u32 i = 0; i < PAGES; i++)
		pages[i] = fake_frame();
	for (u32 i = 0; i < 2; i++)
		spaces[i] = fake_space(root, VA + LEAVES * 0x200000ul, NULL);
	for (u32 i = 0; i < LEAVES; i++) {
		leaves[i] = fake_frame();
		SAME(call_space_table(root, spaces[i & 1], VA + i * 0x200000ul, 1, leaves[i],
				      fake_frame()),
		     0);
		SAME(call_space_link(root, spaces[!(i & 1)], VA + i * 0x200000ul, 1, leaves[i]), 0);
	}
	SAME(whos[0].index != root, 1);
}

static void step_guard(void)
{
	const struct who *w = &whos[test_below(array_count(whos))];
	u32 page = test_below(PAGES), slot = test_below(2), name = test_below(NAMES);
	struct model_guard g = {name,
				test_below(4) ? test_below(64) | (test_below(2) ? ARIL_OWN : 0) : 0,
				test_below(3)};
	struct model_guard *old = &guard[page][slot], *other = &guard[page][!slot];
	u32 left = g.rights | other->rights;
	s64 result = fake_set_guard(w->index, pages[page], slot,
				    fake_guard(names[name], g.rights, g.generation));
	int may = (!g.rights || (!strncmp(names[w->name], names[name], strlen(names[w->name])) &&
				 g.generation <= w->generation));

	int same = !memcmp(old, &g, sizeof(g));
	if (!same)
		may = may && page_slot(page, w, ARIL_OWN) >= 0 &&
		      (left ? !!(left & ARIL_OWN) : !w->name);
	SAME(result == 1, may);
	if (result != 1 || same)
		return;
	*old = g;
	for (u32 l = 0; l < LEAVES; l++)
		for (u32 i = 0; i < SLOTS; i++)
			if (binding[l][i].page == page + 1 && binding[l][i].slot == slot)
				binding[l][i].page = 0;
}

static void step_bind(void)
{
	const struct who *w = &whos[test_below(array_count(whos))];
	u32 l = test_below(LEAVES), i = test_below(SLOTS), page = test_below(PAGES);
	u32 n = 1 + test_below(min(SLOTS - i, PAGES - page)), write = test_below(2),
	    exec = test_below(2);
	u64 va = VA + l * 0x200000ul + i * 4096;
	int may = 1;
	s64 result = fake_op(whos[0].index, spaces[test_below(2)], ARIL_BIND, va, pages[page], n,
			     write * ARIL_BIND_WRITE | exec * ARIL_BIND_EXEC, w->index);

	u32 rights = ARIL_READ | write * ARIL_WRITE | exec * ARIL_EXEC;
	for (u32 k = 0; k < n; k++)
		may &= page_slot(page + k, w, rights) >= 0;
	SAME(result == 1, may);
	for (u32 k = 0; k < n && result == 1; k++)
		binding[l][i + k] = (struct model_binding){
			page + k + 1, page_slot(page + k, w, rights), write, exec};
}

static void step_protect(void)
{
	const struct who *w = &whos[test_below(array_count(whos))];
	u32 l = test_below(LEAVES), i = test_below(SLOTS), n = 1 + test_below(SLOTS - i),
	    write = test_below(2);
	u64 va = VA + l * 0x200000ul + i * 4096;
	int may = 1;
	s64 result = fake_op(whos[0].index, spaces[test_below(2)], ARIL_PROTECT, va, 0, n,
			     write * ARIL_BIND_WRITE, w->index);

	u32 rights = ARIL_READ | write * ARIL_WRITE;
	int narrows = 1; /* then it needs nobody's leave */
	for (u32 k = i; k < i + n; k++)
		narrows &= !binding[l][k].page ||
			   (!binding[l][k].exec && binding[l][k].write >= write);
	for (u32 k = i; k < i + n && narrows; k++)
		binding[l][k].write &= write;
	if (narrows)
		SAME(result, 1);
	if (narrows)
		return;
	for (u32 k = i; k < i + n; k++)
		may &= !binding[l][k].page || page_slot(binding[l][k].page - 1, w, rights) >= 0;
	SAME(result == 1, may);
	for (u32 k = i; k < i + n && result == 1; k++)
		if (binding[l][k].page)
			binding[l][k] = (struct model_binding){
				binding[l][k].page, page_slot(binding[l][k].page - 1, w, rights),
				write, 0};
}

static void step_unbind(void)
{
	u32 l = test_below(LEAVES), i = test_below(SLOTS), n = 1 + test_below(SLOTS - i);

	SAME(fake_op(whos[0].index, spaces[test_below(2)], ARIL_UNBIND,
		     VA + l * 0x200000ul + i * 4096, 0, n, 0, 0),
	     1);
	for (u32 k = i; k < i + n; k++)
		binding[l][k].page = 0;
}

static void step_reset(void)
{
	const struct who *w = &whos[test_below(array_count(whos))];
	u32 page = test_below(PAGES);
	s64 result = call_frame_reset(w->index, pages[page]);

	SAME(result == 0, page_slot(page, w, ARIL_OWN) >= 0);
	for (u32 l = 0; l < LEAVES && !result; l++)
		for (u32 i = 0; i < SLOTS; i++)
			if (binding[l][i].page == page + 1)
				binding[l][i].page = 0;
}

/* A leaf leaves one space or comes back; its bindings do not mind. The other space keeps it. */
static void step_link(void)
{
	u32 l = test_below(LEAVES), s = l & 1;
	u64 va = VA + l * 0x200000ul;

	SAME(call_space_unlink(whos[0].index, spaces[s], va, 1), 0);
	SAME(books_check(), 0);
	SAME(call_space_link(whos[0].index, spaces[s], va, 1, leaves[l]), 0);
}

static void compare(void)
{
	for (u32 s = 0; s < 2; s++)
		for (u32 l = 0; l < LEAVES; l++)
			for (u32 i = 0; i < SLOTS; i++) {
				const struct model_binding *b = &binding[l][i];
				u64 entry = fake_entry(spaces[s], VA + l * 0x200000ul + i * 4096);
				u64 expected = 0;

				if (b->page)
					expected = (u64)pages[b->page - 1] << 12 | PTE_P | PTE_U |
						   (b->write ? PTE_W : 0) | (b->exec ? 0 : PTE_NX) |
						   (b->slot ? PTE_GUARD1 : 0);
				SAME(entry, expected);
			}
}

static void random_calls(void)
{
	u32 bindings = 0;

	for (u32 step = 0; step < 100000 && !test_bad; step++) {
		if (step % 500 == 0)
			setup();
		u32 flushes = fake_flushes;
		switch (test_below(16)) {
		case 0 ... 2:
			step_guard();
			break;
		case 3:
			step_reset();
			break;
		case 4 ... 6:
			step_protect();
			break;
		case 7:
			step_unbind();
			break;
		case 8:
			step_link();
			flushes++;
			break;
		default:
			step_bind();
		}
		CHECK(fake_flushes <= flushes + 1);
		BOOKS();
		compare();
		for (u32 i = 0; i < PAGES; i++)
			bindings += frames[pages[i]].refs;
	}
	CHECK(bindings > 100000); /* it was not all refusals */
}

static const struct test tests[] = {TEST(random_calls)};

int main(void)
{
	return test_main(tests, sizeof(tests) / sizeof(tests[0]));
}

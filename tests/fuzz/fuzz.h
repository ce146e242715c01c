/* SPDX-License-Identifier: MIT
 * What the fuzz targets share: bytes as decisions, and the rules of authority in their plainest form, by which the
 * kernel's are judged. */
#ifndef FUZZ_H
#define FUZZ_H

#include "fake.h"

#include "account.h"
#include "check.h"

int LLVMFuzzerTestOneInput(const u8 *data, usize bytes);

#define MUST(x)                          \
	do {                             \
		if (!(x))                \
			fuzz_failed(#x); \
	} while (0)

static inline void fuzz_failed(const char *what)
{
	fprintf(stderr, "does not hold: %s\n", what);
	abort();
}

/* What tests/host/test.c has for those with a main of their own. */
u64 test_random(void)
{
	static u64 state = 1;

	return state = state * 6364136223846793005ul + 1442695040888963407ul;
}

void test_same(s64 got, s64 expected, const char *file, int line, const char *what)
{
	if (got == expected)
		return;
	fprintf(stderr, "%s:%d: %s is %lld, not %lld\n", file, line, what, (long long)got,
		(long long)expected);
	abort();
}

void test_check(int ok, const char *file, int line, const char *what)
{
	test_same(ok, 1, file, line, what);
}

/* The principals: names, some of which dominate others, with what their capabilities allow. */
struct who {
	const char *name;
	u32 rights;
	u64 generation;
	u32 auth;
};
#define WHOS 5
static struct who whos[WHOS] = {{"", ARIL_ALL, ~0ul, 0},
				{"a", ARIL_ALL, 4, 0},
				{"a/b", ARIL_ALL, 2, 0},
				{"a/b", ARIL_READ | ARIL_WRITE | ARIL_RUN, 2, 0},
				{"z", ARIL_ALL, 3, 0}};
#define ROOT_AUTH whos[0].auth

static inline void whos_open(void)
{
	for (u32 i = 0; i < WHOS; i++)
		whos[i].auth = fake_open(whos[i].name, whos[i].rights, whos[i].generation);
}

/* A guard that two bytes stand for: any name there is, any rights, generations about those of the principals. */
static inline struct aril_guard guard_from(u8 a, u8 b)
{
	return fake_guard(whos[a % WHOS].name, b & ARIL_ALL, a >> 5 & 7);
}

static inline int dominates(const struct who *w, const struct aril_guard *g)
{
	usize len = strlen(w->name);

	return len <= g->len && !memcmp(w->name, g->name, len);
}

static inline int opens(const struct who *w, const struct aril_guard *g, u32 need)
{
	return g->rights && (need & g->rights & w->rights) == need &&
	       w->generation >= g->generation && dominates(w, g);
}

/* Which of a frame's guards lets this principal do that: 0, 1; -1: none. */
static inline int opens_frame(const struct who *w, const struct aril_frame *f, u32 need)
{
	if (opens(w, &f->guard[0], need))
		return 0;
	if (opens(w, &f->guard[1], need))
		return 1;
	if (f->guard[0].rights | f->guard[1].rights)
		return -1;
	return !w->name[0] && (w->rights & need) == need ? 0 : -1;
}

/* The kernel's own audit of a noun, to its end. */
static inline void audited(u64 (*audit)(u64 from, struct aril_check *out))
{
	struct aril_check found = {0};
	u64 next = 0;

	do
		next = audit(next, &found);
	while (next);
	if (found.wrong) {
		fprintf(stderr, "%u: %s\n", found.which, found.what);
		abort();
	}
}

#endif

/* SPDX-License-Identifier: MIT
 * What the races for pointers share: a page that the other CPU changes, takes away and gives back while calls are made with
 * it. A file that includes this has a context on each of two CPUs. */
#ifndef RACE_H
#define RACE_H

#include "adversary.h"
#include <aril/ops.h>

#define ALIAS 0x500000000000ul /* what the kernel is given; it comes and goes */
#define CASE_NS 300000000ul

static u8 *page;
static u32 page_frame;
static u32 *volatile word; /* in page; NULL: rest */
static volatile u32 good, bad, turns, bindings;

static inline void alias(u32 kind)
{
	struct aril_space_op op = {.va = ALIAS,
				   .frame = page_frame,
				   .count = 1,
				   .kind = kind,
				   .flags = ARIL_BIND_WRITE,
				   .auth = core_auth};

	if (aril_space_update(core_auth, core_self.root, &op, 1) == 1)
		bindings++;
}

void core_secondary(u32 cpu)
{
	(void)cpu;
	for (;; turns++) {
		u32 *at = word;

		if (!at) {
			core_sleep(200000);
			continue;
		}
		for (u32 i = 0; i < 200; i++)
			__atomic_store_n(at, i & 1 ? good : bad, __ATOMIC_SEQ_CST);
		if (turns % 64 == 0) {
			alias(ARIL_UNBIND);
			__builtin_ia32_pause();
			alias(ARIL_BIND);
		}
	}
}

/* Copies what a call reads to the page; `at`, of those bytes, is changed from now on. */
static inline void race(const void *what, u32 bytes, u32 at, u32 otherwise)
{
	memcpy(page, what, bytes);
	good = *(u32 *)(page + at);
	bad = otherwise;
	word = (u32 *)(page + at);
}

static inline void rest(void)
{
	word = NULL;
	for (u32 before = turns; turns - before < 2;)
		core_sleep(200000);
}

/* Makes the call for a while; `after` looks at what it did. Neither it nor a refusal may ever be wrong. */
static inline void many(const char *what, s64 (*call)(void), int (*after)(s64 result))
{
	u64 until = core_now() + CASE_NS;
	u32 calls = 0, gone = 0, done_n = 0;

	for (; core_now() < until; calls++) {
		s64 result = call();

		gone += result == -ARIL_E_ADDR;
		done_n += result >= 0;
		if (!after(result)) {
			wrong(what, result);
			break;
		}
	}
	rest();
	core_log("%s: %s: %u calls, %u done, %u without the page", NAME, what, calls, done_n, gone);
}

/* Of our own name, all rights. */
static inline struct aril_guard our_guard(void)
{
	struct aril_guard guard = {.len = CORE_DOMAIN->cap.len,
				   .rights = ARIL_ALL,
				   .generation = CORE_DOMAIN->cap.generation};

	memcpy(guard.name, CORE_DOMAIN->cap.name, sizeof(guard.name));
	return guard;
}

/* Makes the page, and says at the end whether it ever went. */
static inline void race_begin(void)
{
	page = core_pages(1, &page_frame);
	allowed("tables", core_map(&core_self, ALIAS, page_frame, 1, ARIL_BIND_WRITE, core_auth));
}

static inline void race_end(void)
{
	if (!bindings)
		wrong("the page never went", 0);
}

#endif

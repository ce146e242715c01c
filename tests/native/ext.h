/* SPDX-License-Identifier: MIT
 * Shipped extensions in a program, and code that was loaded, as a test uses it. */
#ifndef EXT_TEST_H
#define EXT_TEST_H

#include "../adversary/adversary.h"
#include <aril/code.h>
#include <aril/error.h>
#include <aril/ops.h>
#include <core/ext.h>

/* The object build/ext/NAME.o, its bytes NAME .. NAME_end. */
#define OBJECT(name)                                                                               \
	extern const u8 name[], name##_end[];                                                      \
	__asm__(".section .rodata\n\t.globl " #name ", " #name "_end\n\t.hidden " #name ", " #name \
		"_end\n\t.balign 16\n" #name ":\n\t.incbin \"" EXTENSIONS #name ".o\"\n" #name     \
		"_end:\n\t.byte 0\n\t.text")

static inline void expect(const char *what, u64 should, u64 is)
{
	if (should != is)
		core_log("%s: WRONG %s: %lu, not %lu", NAME, what, is, should);
}

static inline s64 load(struct core_ext *e, const u8 *object, const u8 *end)
{
	e->auth = core_auth;
	e->cap = CORE_DOMAIN->cap;
	return core_ext_load(e, object, (u64)(end - object));
}

/* Its data, bound writable; its book. */
static u64 ext_va = 0x530000000000ul;
static inline void *data_of(const struct core_ext *e)
{
	u64 va = ext_va;

	ext_va += (u64)e->data << ARIL_PAGE_SHIFT;
	allowed("binding data", core_map(&core_self, va, e->code + 1 + e->text + e->constants,
					 e->data, ARIL_BIND_WRITE, core_auth));
	return (void *)va;
}

static inline const volatile struct aril_code *book_of(const struct core_ext *e)
{
	u64 va = ext_va;

	ext_va += ARIL_PAGE_SIZE;
	allowed("binding the book", core_map(&core_self, va, e->code, 1, 0, core_auth));
	return (const volatile struct aril_code *)va;
}

static inline u64 runs_of(const volatile struct aril_code *book)
{
	return core_ext_runs(book);
}

#endif

/* SPDX-License-Identifier: MIT
 * What the tests of spaces begin with: a caller with all rights, and a domain below it. */
#ifndef TESTS_HOST_SPACE_DOM_H
#define TESTS_HOST_SPACE_DOM_H

#include "fake.h"

#define VA 0x40000000ul
#define WRITE ARIL_BIND_WRITE
#define EXEC ARIL_BIND_EXEC

static u32 root; /* auth indices of the caller */
static u32 dom;

static void start(void)
{
	fake_reset();
	root = fake_open("", ARIL_ALL, ~0ul);
	dom = fake_open("dom", ARIL_ALL, 10);
}

/* A frame that dom may use for these rights (and root for OWN). */
static __attribute__((unused)) u32 dom_frame(u32 rights)
{
	u32 frame = fake_frame();

	SAME(fake_set_guard(root, frame, 0, fake_guard("dom", rights, 0)), 1);
	return frame;
}

#endif

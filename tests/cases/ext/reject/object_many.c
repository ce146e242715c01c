// SPDX-License-Identifier: MIT
// More different objects than can be told apart: by members of members.
// why: memory
#include "case.h"
#define NEXT_8(o) o->next->next->next->next->next->next->next->next
SEC("chain") u64 f(struct chain *o)
{
	struct chain *a = NEXT_8(o), *b = NEXT_8(a), *c = NEXT_8(b), *d = NEXT_8(c); // here

	return d != 0;
}

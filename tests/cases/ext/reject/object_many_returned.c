// SPDX-License-Identifier: MIT
// More different objects than can be told apart: one that a function returns.
// why: memory
#include "case.h"
#define NEXT_8(o) o->next->next->next->next->next->next->next->next
SEC("chain") u64 f(struct chain *o)
{
	struct chain *a = NEXT_8(o), *b = NEXT_8(a), *c = NEXT_8(b);
	struct chain *d = c->next->next->next->next->next->next->next;
	struct lock *l = lock(); // here

	unlock(l);
	return d != 0;
}

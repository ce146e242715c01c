/* SPDX-License-Identifier: MIT
 * Address-context ids: see pcid.h. */
#include "pcid.h"

#define HASHED 256

static u64 all_generation, own_generation[HASHED];

static u64 *own_of(u64 cr3)
{
	return &own_generation[(cr3 >> 12) % HASHED];
}

/* Notes in a slot what is true now; what it holds is flushed, or was found to be as new. */
static void slot_note(struct pcid_slots *s, u32 i, u64 cr3)
{
	s->slot[i].cr3 = cr3;
	s->slot[i].all = __atomic_load_n(&all_generation, __ATOMIC_SEQ_CST);
	s->slot[i].own = __atomic_load_n(own_of(cr3), __ATOMIC_SEQ_CST);
}

u64 pcid_load(struct pcid_slots *s, u64 cr3, int kernel)
{
	u32 i = 1;

	if (kernel) {
		s->current = 0;
		return cr3 | PCID_KEEP;
	}
	while (i < PCID_SLOTS && s->slot[i].cr3 != cr3)
		i++;
	if (i == PCID_SLOTS) {
		i = 1 + s->next;
		s->next = i % (PCID_SLOTS - 1);
		s->slot[i].cr3 = 0;
	}
	u64 held = s->slot[i].cr3, all = s->slot[i].all, own = s->slot[i].own;
	s->current = i;
	slot_note(s, i, cr3);
	if (held != cr3 || all != s->slot[i].all || own != s->slot[i].own)
		return cr3 | i;
	s->reuses++;
	return cr3 | i | PCID_KEEP;
}

u64 pcid_flush(struct pcid_slots *s, u64 cr3)
{
	if (s->current)
		slot_note(s, s->current, cr3);
	return cr3 | s->current;
}

void pcid_stale_all(void)
{
	__atomic_add_fetch(&all_generation, 1, __ATOMIC_SEQ_CST);
}

void pcid_stale(u64 cr3)
{
	__atomic_add_fetch(own_of(cr3), 1, __ATOMIC_SEQ_CST);
}

/* SPDX-License-Identifier: MIT
 * Address-context ids (PCID): a CPU keeps the translations of the last few spaces apart, and loading one of them again
 * need not flush. Who holds an id is this CPU's affair, and it is taken away without anyone being told.
 *
 * A slot's translations may be used again if nothing was shot down since that the space could have led to: two
 * generations, of all spaces and of this one (by a hash of its root: a collision flushes once too often), are noted
 * when the slot is loaded or flushed, before that is done. A shoot-down (1) changes the entries, (2) counts up, (3)
 * looks who is on the space; a load (1) names the space in cpu->cr3, (2) reads the generations, (3) loads. So either
 * the load sees the count, or the shoot-down sees the CPU and waits until it has flushed (smp.c). Id 0 is the
 * kernel's own space, which has no user half and never anything stale. */
#ifndef KERNEL_PCID_H
#define KERNEL_PCID_H

#include <aril/types.h>

#define PCID_SLOTS 8
#define PCID_KEEP 0x8000000000000000ul /* CR3: do not flush */

struct pcid_slots {
	u32 current; /* the id that is loaded */
	u32 next;    /* the slot taken next, less 1 */
	u64 reuses;
	struct {
		u64 cr3; /* 0: none */
		u64 all, own;
	} slot[PCID_SLOTS];
};

/* What to write to CR3 for that space; the caller has published cr3 before. kernel: it is the kernel's own. */
u64 pcid_load(struct pcid_slots *s, u64 cr3, int kernel);
/* What to write to CR3 to flush the space that is loaded. */
u64 pcid_flush(struct pcid_slots *s, u64 cr3);
/* Counts up: translations of every space, or of one (also when a frame becomes its root), are stale. */
void pcid_stale_all(void);
void pcid_stale(u64 cr3);

#endif

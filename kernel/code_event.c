/* SPDX-License-Identifier: MIT
 * Events: who is asked at a point, in order.
 *
 * An event is a list of entries by rising order, each a handler and perhaps a guard before it. Its nodes are slots of the
 * books of code: frames that whoever loaded the code gave. The first handler that says so ends it.
 *
 * Invariants. (1) Only who holds object_lock changes a list; an entry is linked by one word, the one before it or the
 * event's, and is complete before: so whoever walks sees each entry whole or not at all, and of two of which one replaces
 * the other exactly one. (2) Walking takes no lock. A CPU that walks does not acknowledge a quiesce before it is through
 * (code_functions.c): so what was unlinked stays as it is until smp_quiesce, and is freed behind that. (3) A list ends in
 * code_event_end; an empty one is NULL. */
#include "arch.h"
#include "code.h"
#include "util.h"

const struct aril_code_slot code_event_end = {.enter = (u64)arch_event_end};

/* The word that names what comes behind an entry. */
static u64 *link_of(struct aril_code_slot *node)
{
	return &node->next[0];
}

/* Where the entry of that order is, or would be: the word that names it. */
static u64 *place_of(struct aril_code_slot **event, u32 order)
{
	u64 *at = (u64 *)event;

	while (*at && *at != (u64)&code_event_end && ((struct aril_code_slot *)*at)->cpu < order)
		at = link_of((struct aril_code_slot *)*at);
	return at;
}

struct aril_code_slot *code_event_at(struct aril_code_slot **event, u32 order)
{
	struct aril_code_slot *node = (struct aril_code_slot *)*place_of(event, order);

	return node && node != &code_event_end && node->cpu == order ? node : NULL;
}

struct aril_code_slot *code_event_handler(struct aril_code_slot *node)
{
	return node->point == ARIL_POINT_GUARD ? (struct aril_code_slot *)node->next[1] : node;
}

void code_event_set(struct aril_code_slot **event, u32 order, struct aril_code_slot *node)
{
	u64 *at = place_of(event, order);
	struct aril_code_slot *old = code_event_at(event, order);
	u64 behind = old ? *link_of(old) : *at;

	if (!old && !node)
		return;
	if (node) {
		*link_of(node) = behind ? behind : (u64)&code_event_end;
		__atomic_store_n(at, (u64)node, __ATOMIC_RELEASE);
	} else if (at == (u64 *)event && behind == (u64)&code_event_end) {
		write_once(*at, 0);
	} else {
		write_once(*at, behind);
	}
}

const struct aril_code_slot *code_event_next(const struct aril_code_slot *handler)
{
	const struct aril_code_slot *first = (const struct aril_code_slot *)handler->next[1];

	return (const struct aril_code_slot *)read_once(first->next[0]);
}

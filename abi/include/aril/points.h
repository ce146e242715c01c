/* SPDX-License-Identifier: MIT
 * Where the kernel runs downloaded code, and what that may call there. Read through aril/extension.h, which says how. */
#ifndef ARIL_POINTS_H
#define ARIL_POINTS_H

#include <aril/extension.h>

/* --- points */

/* Whether a context that is blocked by code_wait goes on: not 0. It sees three pages, as they are at that moment (one that
 * was not given is the first again), and two values of the waiter's. */
ARIL_EXT_POINT(u64, predicate,
	       (const void *page0 ARIL_EXT_BYTES(4096), const void *page1 ARIL_EXT_BYTES(4096),
		const void *page2 ARIL_EXT_BYTES(4096), u64 value0, u64 value1),
	       ARIL_EXT_CLASS(pure) ARIL_EXT_WORST(1000))

/* An exception of the env, before its library hears of it, masked or not: what the CPU said of it. */
struct aril_fault {
	u64 vector; /* below 32 */
	u64 error;
	u64 rip, cs, rflags, rsp, ss;
};
#define ARIL_FAULT_UPCALL 0 /* the library's; so it is where the handler is stopped */
#define ARIL_FAULT_RESUME 1 /* the program goes on where it was */
ARIL_EXT_POINT(u64, fault,
	       (const struct aril_fault *event, u64 address /* of a page fault, else 0 */),
	       ARIL_EXT_CLASS(handler) ARIL_EXT_BUDGET(10000) ARIL_EXT_RETURNS(0, 1))

/* Whether the handler behind it is asked about such an exception. */
ARIL_EXT_POINT(u64, guard, (const struct aril_fault *event, u64 address /* as fault's */),
	       ARIL_EXT_CLASS(pure) ARIL_EXT_WORST(1000) ARIL_EXT_RETURNS(0, 1))

/* A frame that the account gives, of those asked for: charged to it, memory, not pinned, not marked KEEP, in first..last.
 * It is taken at once. 0, or any other frame: none; the library is asked, and then taken from by force. */
struct aril_victim {
	u32 first, last;
	u32 wanted; /* still */
	u32 zero;
};
ARIL_EXT_POINT(u64, victim, (const struct aril_victim *event),
	       ARIL_EXT_CLASS(handler) ARIL_EXT_BUDGET(10000))

/* --- functions. Those that return an s64 return an error as kernel calls do: -aril_error. */
#define ARIL_FUNCTION_BIND 0
#define ARIL_FUNCTION_UNPROTECT 1
#define ARIL_FUNCTION_ACCESSED 2
#define ARIL_FUNCTION_FRAME_TAG 3
#define ARIL_FUNCTION_BEGIN 4
#define ARIL_FUNCTION_END 5
#define ARIL_FUNCTION_MAP_LOOKUP 6
#define ARIL_FUNCTION_MAP_UPDATE 7
#define ARIL_FUNCTION_MAP_DELETE 8
#define ARIL_FUNCTION_RING_RESERVE 9
#define ARIL_FUNCTION_RING_SUBMIT 10
#define ARIL_FUNCTION_RING_DISCARD 11
#define ARIL_FUNCTIONS 12

/* Binds frame at va in the env's space, as page_bind would (flags: ARIL_BIND_WRITE, EXEC, MAY_WRITE and soft bits), by
 * the capabilities named when this was attached. At a fault only; else -ARIL_E_STATE. -ARIL_E_AGAIN: another CPU is taking
 * something back and waits for this handler: after ARIL_FAULT_RESUME a page fault comes again. So do the next two. */
ARIL_EXT_FUNCTION(s64, aril_bind, (u64 va, u64 frame, u64 flags),
		  ARIL_EXT_SLOT(ARIL_FUNCTION_BIND) ARIL_EXT_COST(150))
/* Lets the page be written, where it was bound with MAY_WRITE. At a fault only. */
ARIL_EXT_FUNCTION(s64, aril_unprotect, (u64 va),
		  ARIL_EXT_SLOT(ARIL_FUNCTION_UNPROTECT) ARIL_EXT_COST(100))
/* Whether a frame of the account was used through one of its first 16 bindings since this was asked last:
 * ARIL_PAGE_ACCESSED, ARIL_PAGE_DIRTY (which stays). A CPU that holds the translation says it again only when that was
 * flushed. -ARIL_E_RIGHTS: another's. */
#define ARIL_PAGE_ACCESSED 0x20
#define ARIL_PAGE_DIRTY 0x40
ARIL_EXT_FUNCTION(s64, aril_accessed, (u64 frame),
		  ARIL_EXT_SLOT(ARIL_FUNCTION_ACCESSED) ARIL_EXT_COST(200))
/* The owner's tag of a frame of the account; 0: another's. */
ARIL_EXT_FUNCTION(u64, aril_frame_tag, (u64 frame),
		  ARIL_EXT_SLOT(ARIL_FUNCTION_FRAME_TAG) ARIL_EXT_COST(10))
/* Between the two the program is not stopped: what it changes there is changed whole. */
struct aril_section {
	u64 none; /* that a program could use */
};
ARIL_EXT_FUNCTION(struct aril_section *, aril_begin, (void),
		  ARIL_EXT_SLOT(ARIL_FUNCTION_BEGIN) ARIL_EXT_ACQUIRE ARIL_EXT_COST(4))
ARIL_EXT_FUNCTION(void, aril_end, (struct aril_section * section ARIL_EXT_RELEASE),
		  ARIL_EXT_SLOT(ARIL_FUNCTION_END) ARIL_EXT_COST(4))

/* Maps (ext/map.h). The value of the key in the map, or null. */
ARIL_EXT_FUNCTION(void *, aril_map_lookup,
		  (const void *map ARIL_EXT_MAP_ARG, const void *key ARIL_EXT_KEY),
		  ARIL_EXT_SLOT(ARIL_FUNCTION_MAP_LOOKUP)
			  ARIL_EXT_PURE ARIL_EXT_NULLABLE ARIL_EXT_COST(200))
/* Sets it; flags: 0, 1 only if there is none, 2 only if there is one. 0 or below 0: none, full, busy. */
ARIL_EXT_FUNCTION(s64, aril_map_update,
		  (const void *map ARIL_EXT_MAP_ARG, const void *key ARIL_EXT_KEY,
		   const void *value ARIL_EXT_VALUE, u64 flags),
		  ARIL_EXT_SLOT(ARIL_FUNCTION_MAP_UPDATE) ARIL_EXT_COST(250))
ARIL_EXT_FUNCTION(s64, aril_map_delete,
		  (const void *map ARIL_EXT_MAP_ARG, const void *key ARIL_EXT_KEY),
		  ARIL_EXT_SLOT(ARIL_FUNCTION_MAP_DELETE) ARIL_EXT_COST(250))
/* A record of a ring, to be filled and submitted, or discarded; null: the ring is full. */
ARIL_EXT_FUNCTION(void *, aril_ring_reserve, (const void *map ARIL_EXT_MAP_ARG),
		  ARIL_EXT_SLOT(ARIL_FUNCTION_RING_RESERVE)
			  ARIL_EXT_ACQUIRE ARIL_EXT_NULLABLE ARIL_EXT_COST(60))
ARIL_EXT_FUNCTION(void, aril_ring_submit, (void *record ARIL_EXT_VALUE ARIL_EXT_RELEASE),
		  ARIL_EXT_SLOT(ARIL_FUNCTION_RING_SUBMIT) ARIL_EXT_COST(20))
ARIL_EXT_FUNCTION(void, aril_ring_discard, (void *record ARIL_EXT_VALUE ARIL_EXT_RELEASE),
		  ARIL_EXT_SLOT(ARIL_FUNCTION_RING_DISCARD) ARIL_EXT_COST(20))

#endif

/* SPDX-License-Identifier: MIT
 * Where the kernel runs downloaded code, and what that may call there: for the kernel, for who writes such code, and,
 * compiled for BPF, the interface that the code authority checks against (docs/60-extensions.md has the tags). */
#ifndef ARIL_POINTS_H
#define ARIL_POINTS_H

#include <aril/types.h>

#if defined(__clang__) && defined(__bpf__)
#define ARIL_EXT_TAG(text) __attribute__((btf_decl_tag(text)))
#else
#define ARIL_EXT_TAG(text)
#endif

/* --- predicate: whether a context that is blocked by code_wait goes on (not 0). It sees three pages (one that was not
 * given is zeros) and two values. */
/* --- fault: an exception of the env, before its library hears of it. */
struct aril_fault {
	u64 vector;  /* below 32 */
	u64 error;   /* the CPU's error code */
	u64 address; /* of a page fault */
	u64 rip, rsp;
};
#define ARIL_FAULT_UPCALL 0 /* the library's */
#define ARIL_FAULT_RESUME 1 /* goes on where it was */
/* --- victim: a frame of first..last, charged to the account, bound or not, not pinned, not marked KEEP: it is taken at
 * once. 0: none, the library is asked. */
struct aril_victim {
	u32 first, last;
	u32 wanted; /* still */
	u32 zero;
};

/* Functions, by slot. Those of frames and pages return an error as calls do: below 0, -aril_error. */
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

/* aril_accessed: bits */
#define ARIL_PAGE_ACCESSED 0x20u
#define ARIL_PAGE_DIRTY 0x40u

#if defined(__bpf__)
u64 predicate(const void *page0 ARIL_EXT_TAG("bytes=4096") ARIL_EXT_TAG("const"),
	      const void *page1 ARIL_EXT_TAG("bytes=4096") ARIL_EXT_TAG("const"),
	      const void *page2 ARIL_EXT_TAG("bytes=4096") ARIL_EXT_TAG("const"), u64 value0,
	      u64 value1) ARIL_EXT_TAG("attach") ARIL_EXT_TAG("class=pure")
	ARIL_EXT_TAG("worst=1000");
u64 fault(const struct aril_fault *event ARIL_EXT_TAG("const")) ARIL_EXT_TAG("attach")
	ARIL_EXT_TAG("class=handler") ARIL_EXT_TAG("budget=10000") ARIL_EXT_TAG("returns=0..1");
u64 victim(const struct aril_victim *event ARIL_EXT_TAG("const")) ARIL_EXT_TAG("attach")
	ARIL_EXT_TAG("class=handler") ARIL_EXT_TAG("budget=10000");

/* Binds frame at va in the env's space, as space_update would (flags: ARIL_BIND_WRITE, EXEC, MAY_WRITE and soft bits), by
 * the two capabilities that were named when this was attached. In a handler of faults alone: elsewhere -ARIL_E_STATE. */
s64 aril_bind(u64 va, u64 frame, u64 flags) ARIL_EXT_TAG("slot=0") ARIL_EXT_TAG("cost=120");
/* Lets the page be written, where it was bound with MAY_WRITE. In a handler of faults alone. */
s64 aril_unprotect(u64 va) ARIL_EXT_TAG("slot=1") ARIL_EXT_TAG("cost=80");
/* ARIL_PAGE_ACCESSED, ARIL_PAGE_DIRTY: whether the frame was used through one of its first 16 bindings since this was
 * asked last; of a frame that is charged to the env's, the account's own account. A CPU that holds the translation does not
 * say it again until that is flushed. */
s64 aril_accessed(u64 frame) ARIL_EXT_TAG("slot=2") ARIL_EXT_TAG("cost=100");
/* The owner's tag of such a frame; 0: of another. */
u64 aril_frame_tag(u64 frame) ARIL_EXT_TAG("slot=3") ARIL_EXT_TAG("cost=10");
/* Between the two the program is not stopped. */
struct aril_section;
struct aril_section *aril_begin(void) ARIL_EXT_TAG("slot=4") ARIL_EXT_TAG("acquire")
	ARIL_EXT_TAG("cost=4");
void aril_end(struct aril_section *section ARIL_EXT_TAG("release")) ARIL_EXT_TAG("slot=5")
	ARIL_EXT_TAG("cost=4");
#endif

#endif

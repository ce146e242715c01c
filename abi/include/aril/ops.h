/* SPDX-License-Identifier: MIT
 * Argument records of the kernel calls that take one. */
#ifndef ARIL_OPS_H
#define ARIL_OPS_H

#include <aril/cap.h>
#include <aril/code.h>
#include <aril/info.h>
#include <aril/types.h>

/* frame_update: changes guards and tags of frames first .. first+count-1. */
enum aril_frame_op_kind {
	ARIL_FRAME_GUARD = 1, /* set guard[slot] to .guard; bindings made under the old one break */
	ARIL_FRAME_TAG = 2,   /* set tag */
	/* charge to account .tag instead (WRITE on that account, OWN on the frame) */
	ARIL_FRAME_CHARGE = 3,
	/* .tag 1: never taken by force while the account has reserve left; 0: no more */
	ARIL_FRAME_MARK_KEEP = 4,
	/* 512 idle NORMAL frames from an aligned first, with the same guards and account, become one of 2 MiB */
	ARIL_FRAME_JOIN = 5,
	ARIL_FRAME_SPLIT = 6, /* and 512 again; its bindings are broken */
};
struct aril_frame_op {
	u32 first;
	u32 count;
	u16 kind;
	u16 slot; /* 0 or 1 */
	u32 zero;
	u64 tag;
	struct aril_guard guard;
};
ARIL_ASSERT_SIZE(struct aril_frame_op, 72);

/* space_update: changes bindings of count consecutive pages from va. */
enum aril_space_op_kind {
	ARIL_BIND = 1,	  /* bind frame, frame+1, ... ; what was bound there before is unbound */
	ARIL_UNBIND = 2,  /* pages that are not bound are skipped */
	ARIL_PROTECT = 3, /* change flags of what is bound; pages that are not bound are skipped */
};
#define ARIL_BIND_WRITE 1
#define ARIL_BIND_EXEC 2
#define ARIL_BIND_UNCACHED 4 /* device memory */
#define ARIL_BIND_NOREAD 8   /* present for the kernel's books only: every access faults */
/* the op is about 2 MiB frames: va is aligned, count of them, frame steps by 512; at most 64 per op */
#define ARIL_BIND_LARGE 16
/* it may be made writable later without a look at its frame: needs WRITE now. A PROTECT without it takes that away. */
#define ARIL_BIND_MAY_WRITE 32
#define ARIL_BIND_SOFT(bits) ((u32)(bits) << 8) /* 6 bits kept in the page-table entry, 52..57 */
/* Its protection key, below aril_info.keys: the CPU asks PKRU, two bits for each key, whether data may be read and written
 * there. Kept by page_protect; a PROTECT says it again. */
#define ARIL_BIND_KEY(key) ((u32)(key) << 15)
#define ARIL_KEYS 16

/* For PROTECT, auth must open each frame bound there for what the new flags allow, unless they only take rights away. */
struct aril_space_op {
	u64 va;
	u32 frame;
	u32 count;
	u32 kind : 8;
	u32 flags : 24;
	u32 auth; /* opens the frames */
};
ARIL_ASSERT_SIZE(struct aril_space_op, 24);

#define ARIL_OP_PAGES 512     /* most pages (frames) in one op */
#define ARIL_OP_LARGE 64      /* most frames of 2 MiB in one op */
#define ARIL_BATCH_PAGES 2048 /* after this many the call returns what it has done */

/* page_protect: the bits of the page-table entry. */
#define ARIL_PAGE_WRITE 0x2u
#define ARIL_PAGE_MAY_WRITE 0x800u

/* Page-table entry bits a library may read in its exposed tables. */
#define ARIL_PTE_PRESENT 0x1ul
#define ARIL_PTE_WRITE 0x2ul
#define ARIL_PTE_USER 0x4ul
#define ARIL_PTE_ACCESSED 0x20ul
#define ARIL_PTE_DIRTY 0x40ul
#define ARIL_PTE_GUARD1 0x200ul /* bound under guard[1], else guard[0] */
#define ARIL_PTE_MAY_WRITE 0x800ul
#define ARIL_PTE_NX 0x8000000000000000ul
#define ARIL_PTE_FRAME(pte) ((u32)(((pte) >> 12) & 0xfffffffff))
#define ARIL_PTE_SOFT(pte) ((u32)(((pte) >> 52) & 0x3f))
#define ARIL_PTE_KEY(pte) ((u32)(((pte) >> 59) & 0xf))

/* env_create */
struct aril_env_desc {
	u32 space;   /* root frame */
	u32 flags;   /* ARIL_ENV_LOG */
	u64 entry;   /* where upcalls enter */
	u64 gate;    /* where gates enter; 0: none */
	u32 account; /* charged with it and what it does: WRITE on that; 0: its creator's */
	u32 zero;
};
#define ARIL_ENV_LOG 1u /* may use the log call; only given by one that has it */

/* gate: how. */
#define ARIL_GATE_SYNC 1u
#define ARIL_GATE_CPU(cpu) (((u32)(cpu) + 1) << 8) /* the callee's context there; 0: on this CPU */

/* account_create */
struct aril_account_desc {
	struct aril_guard guard;
	u32 limit[ARIL_QUOTAS];
	u32 reserve; /* frames that are never taken by force: at most limit[ARIL_QUOTA_FRAMES] */
	u32 zero;
};

/* revoke: what is wanted, by when. */
enum aril_revoke_kind {
	ARIL_REVOKE_FRAMES = 0, /* first..last: frame numbers */
	ARIL_REVOKE_SLICES = 1, /* cpu * ARIL_SLICES + position */
	ARIL_REVOKE_GRANTS = 2, /* grant numbers */
	ARIL_REVOKE_GATES = 3,	/* first: the env whose gate is to be closed; count 1 */
	ARIL_REVOKE_KINDS = 4,
};
struct aril_revocation {
	u32 kind;
	u32 count; /* how many of [first, last]; 0: withdraw the request */
	u32 first;
	u32 last;  /* inclusive */
	u32 lower; /* 1: the limit falls too, by each */
	u32 zero;
	u64 deadline; /* ns of the exposed clock */
};
ARIL_ASSERT_SIZE(struct aril_revocation, 32);

/* What an account's handler sees. The kernel writes all but `tail`. */
#define ARIL_LOSSES 64
struct aril_request {
	u32 wanted; /* still to be given back; 0: nothing */
	u32 first, last;
	u32 serial; /* rises with each revocation of this kind; written behind the rest: to be read first */
	u64 deadline;
};
struct aril_loss {
	u32 kind;
	u32 what; /* frame; cpu * ARIL_SLICES + position; grant; env */
	u64 tag;  /* of a frame: its tag */
	u64 when;
};
struct aril_repossession {
	u32 head;     /* losses written so far; loss[i % ARIL_LOSSES]; a word to wait on */
	u32 tail;     /* the library's: losses read */
	u32 overflow; /* losses that found no room, head - tail == ARIL_LOSSES, and were not written */
	u32 pad;
	struct aril_request request[ARIL_REVOKE_KINDS];
	struct aril_loss loss[ARIL_LOSSES];
};
_Static_assert(sizeof(struct aril_repossession) <= 4096, "repossession page");

/* cache_create: frames are idle, OWNed; they are cleared. */
#define ARIL_CACHE_BYTES 0x40000000ul
#define ARIL_CACHE_TABLES 32
#define ARIL_CACHE_STLB 8
struct aril_cache_desc {
	u64 va;		 /* a multiple of ARIL_CACHE_BYTES */
	u32 frame;	 /* holds the cache's state */
	u32 ntables;	 /* 2..ARIL_CACHE_TABLES page-table frames */
	u32 table_first; /* consecutive */
	u32 nstlb;	 /* 1, 2, 4 or 8 frames of 512 entries */
	u32 stlb_first;	 /* consecutive: nstlb frames of entries, then nstlb shadow frames */
	u32 zero;
};
ARIL_ASSERT_SIZE(struct aril_cache_desc, 32);
/* The start of a cache's frame; the rest is the kernel's. */
struct aril_cache {
	u64 va;
	u64 hits;      /* faults served from the STLB */
	u64 misses;    /* faults sent on as upcalls */
	u64 evictions; /* page tables emptied to serve another 2 MiB */
	u64 conflicts; /* STLB entries displaced by cache_update */
	u32 space;
	u32 ntables;
	u32 nstlb;
	u32 pad;
};

/* An STLB entry, as in its frame (which may be bound readable too). Page p of the part, counted from its start, is in
 * entry p % (512 * nstlb), if that is PRESENT and its TAG is p / (512 * nstlb). WRITE, ACCESSED, DIRTY, GUARD1 and NX
 * are as in a page-table entry; ACCESSED and DIRTY are what was noted in page tables that have been emptied since: what
 * a page table still holds is in there. A displaced entry takes its bits with it. */
#define ARIL_STLB_FRAME(entry) ((u32)((entry) >> 12) & (ARIL_MAX_FRAMES - 1))
#define ARIL_STLB_TAG(entry) ((u32)((entry) >> 35) & 0x1ff)

/* region_create */
#define ARIL_REGION_FIELDS 32
struct aril_region_field {
	u32 offset;
	u32 bytes;
	struct aril_guard guard;
};
ARIL_ASSERT_SIZE(struct aril_region_field, 56);

/* check: what was found. */
enum aril_noun {
	ARIL_NOUN_FRAME = 1,
	ARIL_NOUN_SPACE = 2,
	ARIL_NOUN_ENV = 3,
	ARIL_NOUN_SLICE = 4,
	ARIL_NOUN_ACCOUNT = 5,
	ARIL_NOUN_GRANT = 6,
	ARIL_NOUN_RING = 7,
	ARIL_NOUN_WAIT = 8,
	ARIL_NOUN_CACHE = 9,
	ARIL_NOUN_REGION = 10,
	ARIL_NOUN_CODE = 11,
	ARIL_NOUNS = 12,
};
struct aril_check {
	u64 checked;	/* objects looked at by this call */
	u32 wrong;	/* of them: that broke an invariant */
	u32 which;	/* the first of those */
	char what[112]; /* what is wrong with it, in words; empty: nothing */
};
ARIL_ASSERT_SIZE(struct aril_check, 128);

/* grant_create: what is granted, to whom. */
enum aril_grant_kind { ARIL_GRANT_PORTS = 1, ARIL_GRANT_LINE = 2, ARIL_GRANT_MEMORY = 3 };
#define ARIL_LINE_LEVEL 1u /* level triggered, else edge */
#define ARIL_LINE_LOW 2u   /* active low, else high */
#define ARIL_LINE_ISA 4u   /* first is an ISA number: the firmware's overrides apply */
struct aril_grant_desc {
	u32 kind;
	u32 env;   /* to whom */
	u32 first; /* port; interrupt line (global system interrupt or ISA); device frame */
	u32 count; /* ports; 1; frames */
	u32 cpu;   /* LINE: where it is delivered: the env's context there */
	u32 flags; /* ARIL_LINE_* */
	struct aril_guard
		guard; /* who may take it back (OWN) or move it (RUN); unused: root alone */
};
ARIL_ASSERT_SIZE(struct aril_grant_desc, 72);

/* device_open: a virtio 1.x device that the kernel drives on behalf of those who hold its rings. */
enum aril_transport { ARIL_VIRTIO_MMIO = 1, ARIL_VIRTIO_PCI = 2 };
struct aril_device_desc {
	u32 transport;
	u32 type;	 /* the virtio device id that it must have: 3 console */
	u64 regs;	 /* physical: mmio registers; PCI common configuration */
	u64 notify;	 /* PCI: notification area */
	u64 isr;	 /* PCI: interrupt status byte */
	u64 config;	 /* PCI: device configuration, for device_read; 0: not shown */
	u32 notify_step; /* PCI: bytes from queue to queue */
	u32 line;	 /* interrupt line */
	u32 line_flags;
	u32 nqueues;		 /* 1..4 */
	u64 features;		 /* to accept besides VERSION_1 */
	u32 queue_frame[4];	 /* one NORMAL, unpinned frame each: becomes the virtqueue */
	struct aril_guard guard; /* who may open its rings */
};

/* ring: what the library sees of a queue. The kernel writes head and entries, the library tail. */
#define ARIL_RING_ENTRIES 128
struct aril_completion {
	u64 cookie;
	u32 bytes;  /* that the device wrote */
	u32 status; /* 0, or an aril_error */
};
struct aril_ring_page {
	u32 head; /* completions posted; a word to wait on */
	u32 tail; /* completions consumed */
	u64 pad[7];
	struct aril_completion entry[ARIL_RING_ENTRIES];
};
_Static_assert(sizeof(struct aril_ring_page) <= 4096, "ring page");

struct aril_ring_request {
	u32 frame;
	u32 offset; /* bytes; offset + bytes <= 4096 */
	u32 bytes;
	u32 write; /* 1: the device writes memory (input), 0: it reads memory (output) */
	u32 auth;  /* opens the frame: WRITE for input, READ for output */
	u32 zero;
	u64 cookie;
};
ARIL_ASSERT_SIZE(struct aril_ring_request, 32);

#endif

/* SPDX-License-Identifier: MIT
 * Argument records of the kernel calls that take one. */
#ifndef ARIL_OPS_H
#define ARIL_OPS_H

#include <aril/cap.h>
#include <aril/types.h>

/* frame_update: changes guards and tags of frames first .. first+count-1. */
enum aril_frame_op_kind {
	ARIL_FRAME_GUARD = 1, /* set guard[slot] to .guard; bindings made under the old one break */
	ARIL_FRAME_TAG = 2,   /* set tag */
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
#define ARIL_BIND_SOFT(bits) ((u32)(bits) << 8) /* 6 bits kept in the page-table entry, 52..57 */

/* For PROTECT, auth must open each frame bound there for what the new flags allow. */
struct aril_space_op {
	u64 va;
	u32 frame;
	u32 count;
	u16 kind;
	u16 flags;
	u32 auth; /* opens the frames */
};
ARIL_ASSERT_SIZE(struct aril_space_op, 24);

#define ARIL_OP_PAGES 512     /* most pages (frames) in one op */
#define ARIL_BATCH_PAGES 2048 /* after this many the call returns what it has done */

/* Page-table entry bits a library may read in its exposed tables. */
#define ARIL_PTE_PRESENT 0x1ul
#define ARIL_PTE_WRITE 0x2ul
#define ARIL_PTE_USER 0x4ul
#define ARIL_PTE_ACCESSED 0x20ul
#define ARIL_PTE_DIRTY 0x40ul
#define ARIL_PTE_GUARD1 0x200ul /* bound under guard[1], else guard[0] */
#define ARIL_PTE_NX 0x8000000000000000ul
#define ARIL_PTE_FRAME(pte) ((u32)(((pte) >> 12) & 0xfffffffff))
#define ARIL_PTE_SOFT(pte) ((u32)(((pte) >> 52) & 0x3f))

/* env_create */
struct aril_env_desc {
	u32 space; /* root frame */
	u32 flags; /* ARIL_ENV_LOG */
	u64 entry; /* where upcalls enter */
	u64 gate;  /* where gates enter; 0: none */
	u64 zero;
};
#define ARIL_ENV_LOG 1u /* may use the log call; only given by one that has it */

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
};
ARIL_ASSERT_SIZE(struct aril_grant_desc, 24);

/* device_open: a virtio 1.x device that the kernel drives on behalf of those who hold its rings. */
enum aril_transport { ARIL_VIRTIO_MMIO = 1, ARIL_VIRTIO_PCI = 2 };
struct aril_device_desc {
	u32 transport;
	u32 type;	 /* the virtio device id that it must have: 3 console */
	u64 regs;	 /* physical: mmio registers; PCI common configuration */
	u64 notify;	 /* PCI: notification area */
	u64 isr;	 /* PCI: interrupt status byte */
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

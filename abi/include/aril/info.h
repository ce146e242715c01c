/* SPDX-License-Identifier: MIT
 * The kernel's books, mapped read-only into every space at ARIL_INFO_VA. Physical names throughout:
 * a frame is its page number, an env its table slot with a generation above it. */
#ifndef ARIL_INFO_H
#define ARIL_INFO_H

#include <aril/cap.h>
#include <aril/layout.h>
#include <aril/types.h>

#define ARIL_INFO_MAGIC 0x6f666e696c697261 /* "arilinfo" */
#define ARIL_INFO_VERSION 2

enum aril_frame_state {
	ARIL_FRAME_NORMAL = 0,
	ARIL_FRAME_TABLE = 1,  /* page table of level 1..3; partner = its shadow frame */
	ARIL_FRAME_SPACE = 2,  /* root table; partner = its shadow frame */
	ARIL_FRAME_SHADOW = 3, /* partner = the table it shadows */
	ARIL_FRAME_ENV = 4,    /* partner = env id */
	ARIL_FRAME_KERNEL = 5, /* the kernel's own, never given out */
	ARIL_FRAME_ABSENT = 6, /* no memory here, or firmware's */
	ARIL_FRAME_QUEUE = 7,  /* a virtqueue: the device reads and writes it */
	ARIL_FRAME_PART = 8,   /* inside a frame of 2 MiB; partner = its first frame */
	ARIL_FRAME_CACHE =
		9, /* state of a cached part of a space; partner = the level 2 table; bound readable */
	ARIL_FRAME_STLB = 10,	  /* its entries; partner = their shadow frame; bound readable */
	ARIL_FRAME_POOL = 11,	  /* a page table that the cache fills; partner = the CACHE frame */
	ARIL_FRAME_REGION = 12,	  /* a software region; partner = its book; bound readable */
	ARIL_FRAME_BOOK = 13,	  /* partner = the region */
	ARIL_FRAME_CODE = 14,	  /* the book of sealed code (struct aril_code); bound readable */
	ARIL_FRAME_TEXT = 15,	  /* its instructions; partner = the CODE frame */
	ARIL_FRAME_CONSTANT = 16, /* its constants; partner = the CODE frame */
	ARIL_FRAME_DATA = 17, /* its data; partner = the CODE frame; bound readable and writable */
};

/* A binding is named by a 32-bit word: table frame << 9 | index in the table. 0: none. */
struct aril_frame {
	u32 refs; /* bindings (page-table entries) that name this frame */
	u32 pins; /* contexts, rings and devices that need it to stay */
	u8 state;
	u8 level; /* of a TABLE: 1 = maps pages, 2, 3; of a SPACE: 4; of a NORMAL frame of 2 MiB: 2 */
	u16 flags; /* ARIL_FRAME_LOST */
	u32 partner;
	u32 head;    /* first binding of this frame; the rest follow in the shadow frames */
	u16 users;   /* SPACE: envs that run in it */
	u16 account; /* slot of the account it is charged to; 0: nobody's, free */
	u64 tag; /* the owner's, opaque; of an STLB and of a cached level 2 table: the CACHE frame */
	struct aril_guard guard[2];
};
ARIL_ASSERT_SIZE(struct aril_frame, 128);
ARIL_ASSERT_OFFSET(struct aril_frame, guard, 32);

/* Somebody bound or pinned it since it was cleared: cleared when it is allocated. */
#define ARIL_FRAME_USED 8
/* Never taken by force; counted in its account's `kept`. */
#define ARIL_FRAME_KEEP 16
/* SPACE: has caches. TABLE: its level 2 table is a cache's. */
#define ARIL_FRAME_CACHED 32
/* Freed while a device had it: its account is credited when the device has finished. */
#define ARIL_FRAME_FREED 64
/* Freed while pinned: quarantined, becomes NORMAL when the last pin goes. */
#define ARIL_FRAME_LOST 1
/* guard[slot] changed, and bindings under the old one remain: call frame_update again; no new ones */
#define ARIL_FRAME_BREAKING(slot) (2u << (slot))

enum aril_env_state {
	ARIL_ENV_NONE = 0,
	ARIL_ENV_ALIVE = 1,
	ARIL_ENV_DYING = 2,
	ARIL_ENV_DEAD = 3,
};

enum aril_end {
	ARIL_END_EXIT = 1,	/* env_exit; status is its argument */
	ARIL_END_DESTROYED = 2, /* its frame, space or a context was taken away */
	ARIL_END_FAULT = 3,	/* an exception while masked, or the save area could not take it */
	ARIL_END_EXCESS = 4,	/* overran its slices too often */
};

struct aril_env_info {
	u32 id; /* generation << 16 | slot; 0 where the slot was never used */
	u32 state;
	u32 parent;
	u32 frame;
	u32 space; /* root frame */
	u32 end;   /* enum aril_end */
	s64 status;
	u32 end_vector; /* END_FAULT: the exception, the address and the instruction */
	u32 end_error;
	u64 end_addr;
	u64 end_rip;
	u64 end_rsp;
	u64 upcalls;
	u64 excess;   /* slices to forfeit for overruns */
	u64 overruns; /* in its life */
	u32 account;
	u32 gate;     /* not 0: it has an entry for gates */
	u64 work;     /* pages and entries changed by its calls, in its life */
	u64 flushes;  /* shoot-downs of other CPUs that it caused */
	u32 contexts; /* bit mask of the CPUs on which it has one */
	u32 fault;    /* the code that sees its exceptions first; 0: none */
	u32 faults;   /* bit mask of the orders at which it has a handler */
	u32 pad;
};
ARIL_ASSERT_SIZE(struct aril_env_info, 128);
ARIL_ASSERT_OFFSET(struct aril_env_info, state, 4);

struct aril_slice {
	struct aril_guard guard; /* unused: the empty name's */
	u32 env;		 /* who runs here; 0: nobody, the position is skipped */
	u32 account;		 /* charged with it; 0: free */
	u64 runs;
};
ARIL_ASSERT_SIZE(struct aril_slice, 64);

/* What an account limits. The first ARIL_QUOTA_HELD are things held, moved from parent to child; the others are
 * work that an env may cause within one slice, refused with QUOTA until its next. */
enum aril_quota {
	ARIL_QUOTA_FRAMES = 0,
	ARIL_QUOTA_ENVS = 1,
	ARIL_QUOTA_SLICES = 2,
	ARIL_QUOTA_GRANTS = 3,
	ARIL_QUOTA_RINGS = 4,
	ARIL_QUOTA_ACCOUNTS = 5,
	ARIL_QUOTA_HELD = 6,
	ARIL_QUOTA_WORK = 6,	/* pages and entries that batch calls change or walk */
	ARIL_QUOTA_FLUSHES = 7, /* shoot-downs that interrupt other CPUs */
	ARIL_QUOTAS = 8,
};
#define ARIL_MAX_ACCOUNTS 256
#define ARIL_ACCOUNT_ROOT 0x10001u /* the first env's */

struct aril_account {
	struct aril_guard guard; /* OWN: change it; WRITE: charge to it */
	u32 id;			 /* generation << 16 | slot; 0: this slot is unused */
	u32 parent;
	u32 limit[ARIL_QUOTAS]; /* what was moved to children is not in it */
	u32 used[ARIL_QUOTA_HELD];
	u32 reserve; /* frames marked KEEP that are never taken */
	u32 kept;    /* frames marked so */
	u32 handler; /* env that answers revocations; 0: nobody */
	u32 handler_cpu;
	u32 handler_frame; /* the repossession page */
	u32 wanted[4];	   /* revocations open now, by enum aril_revoke_kind */
	u32 pad;
	u64 work;    /* in its life */
	u64 flushes; /* in its life */
	u64 revoked; /* things asked for, in its life */
	u64 given;   /* of them: given back in time */
	u64 taken;   /* of them: taken by force */
	u64 refused; /* calls that a limit refused */
	u32 victim; /* the use of code (physical address / 64) that chooses which frame is given; 0: none */
	u32 pad1;
	u64 spare[6];
};
ARIL_ASSERT_SIZE(struct aril_account, 256);

/* A grant, as it is: who has what. */
struct aril_grant {
	struct aril_guard guard;
	u32 env;  /* 0: this number is free */
	u32 kind; /* enum aril_grant_kind */
	u32 first;
	u32 count;
	u32 cpu;
	u32 account;
	u64 fired; /* LINE: interrupts delivered */
};
ARIL_ASSERT_SIZE(struct aril_grant, 80);
#define ARIL_MAX_GRANTS 64

/* ns = ns0 + ((tsc - tsc0) * mult >> shift); read seq before and after, retry when odd or changed. */
struct aril_clock {
	u32 seq;
	u32 shift;
	u64 mult;
	u64 tsc0;
	u64 ns0;
	u64 tsc_hz;
};

struct aril_cpu_info {
	u32 apic;
	u32 online;
	u64 position; /* in the slice vector */
	u64 switches; /* changes of env */
	u64 idle_ns;
	u32 env;	 /* who has it now; 0: idle */
	u32 context_ids; /* address-context ids it uses; 0: it has none, loading a space flushes */
	u64 interrupts;
	u64 shootdowns;
	u64 context_reuses; /* spaces loaded without a flush */
};
ARIL_ASSERT_SIZE(struct aril_cpu_info, 64);

struct aril_module {
	u64 start; /* physical, bytes */
	u64 bytes;
};

struct aril_info {
	u64 magic;
	u32 version;
	u32 bytes; /* of this struct */
	u32 ncpus;
	u32 nframes;
	u32 nenvs;
	u32 nslices;
	u64 frames_va;	 /* struct aril_frame[nframes] */
	u64 envs_va;	 /* struct aril_env_info[nenvs] */
	u64 slices_va;	 /* struct aril_slice[ncpus][nslices] */
	u64 accounts_va; /* struct aril_account[ARIL_MAX_ACCOUNTS], by slot */
	u64 grants_va;	 /* struct aril_grant[ARIL_MAX_GRANTS], by number */
	u64 self_va;
	u32 envs_frame; /* frame of the first env entry: wait on an env's state through it */
	u32 keys; /* ARIL_KEYS: bindings can have protection keys, and PKRU is there; 0: not (docs/20) */
	u64 slice_ns;
	u64 grace_ns;
	struct aril_clock clock;
	u64 boot_tsc; /* TSC at the kernel's first instruction */
	u64 xcr0;     /* vector state that is enabled */
	u32 xsave_bytes;
	u32 nmodules;
	struct aril_module module[4];
	u64 rsdp;     /* physical address of the ACPI root pointer, 0: none */
	u64 free_low; /* first frame that the first env owns */
	struct aril_cpu_info cpu[ARIL_MAX_CPUS];
	char machine[16]; /* "pvh" or "multiboot2": how it was booted */
	char cmdline[1024];
};
_Static_assert(sizeof(struct aril_info) <= ARIL_PAGE_SIZE, "info page");

#define ARIL_INFO ((const volatile struct aril_info *)ARIL_INFO_VA)

#endif

/* SPDX-License-Identifier: MIT
 * A machine for the portable kernel: some frames, some envs, and a check of all its books. */
#ifndef HOST_FAKE_H
#define HOST_FAKE_H

#include "test.h"

#include "call_handlers.h"

#include "arch.h"
#include "env.h"
#include "frame.h"
#include "space.h"
#include "util.h"

#define FAKE_FRAMES 1536
#define FAKE_ABSENT 5	    /* a hole in the frames */
#define FAKE_KERNEL 6	    /* the kernel's own */
#define FAKE_DEVICE 1000000 /* first of 64 frames of device memory, beyond the frames */
#define FAKE_FREE 16	    /* the first frame that is nobody's */
#define BAD_ADDRESS ((void *)0x1000)

extern u32 fake_flushed;
extern u64 fake_flushed_page;
extern u32 fake_kernel_flushes;
extern u8 fake_alias[]; /* ARCH_ALIAS_* by frame */
extern u32 fake_flushes, fake_quiesces, fake_copies, fake_grant_env;
extern struct context *fake_charged; /* whose work the last flush of all was */
extern u32 fake_given[4], fake_given_what;
extern u32 fake_new_space;	      /* the last that smp_space_new heard of */
extern void (*fake_on_quiesce)(void); /* what another CPU sees then; 0: nobody looks */
extern int fake_entropy;
extern struct cpu fake_cpu;

/* Everything as after boot: no env but the caller, which is fake_env(0). */
void fake_reset(void);
/* Makes env number i (0..) alive in that space (0: none), with a frame of its own. */
struct env *fake_env(u32 i, u32 space);
/* Makes it the caller of the calls that follow. */
void fake_become(struct env *env);
/* Opens a capability of that name for the caller; its index. */
u32 fake_open(const char *name, u32 rights, u64 generation);
struct aril_guard fake_guard(const char *name, u32 rights, u64 generation);
/* The next frame never used, charged to the root account. */
u32 fake_frame(void);
/* Charges these to the root account too. */
void fake_own(u32 first, u32 count);
/* A context of env on a CPU whose page is that frame. */
void fake_context(struct env *env, u32 cpu, u32 frame);
/* Guards of one frame by the call itself. */
s64 fake_set_guard(u32 auth, u32 frame, u32 slot, struct aril_guard guard);
/* One op of space_update, and its result. */
s64 fake_op(u32 auth, u32 space, u32 kind, u64 va, u32 frame, u32 count, u32 flags, u32 op_auth);
/* A space with tables for the 2 MiB at va; its root. The level 1 table goes to *leaf. */
u32 fake_space(u32 auth, u64 va, u32 *leaf);
/* The entry for va, 0 where a table is missing. */
u64 fake_entry(u32 space, u64 va);

/* Walks every table and every list: 0, or the line of fake.c that says what is wrong. */
int books_check(void);
#define BOOKS() SAME(books_check(), 0)

#endif

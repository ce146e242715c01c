/* SPDX-License-Identifier: MIT
 * What init tells a domain about itself: an env with its own name, frames, slices and, maybe, the console.
 *
 * A domain starts with a START upcall on each of its CPUs, at its image's entry, with rsp in that CPU's
 * context page. Everything below is bound in slot 253 of its space, every table and page from its own
 * frames, so that a library can share that slot's level 3 table with the spaces it makes:
 *
 *   CORE_DOMAIN_VA           struct core_domain, read-only
 *   CORE_CONTEXT_VA(cpu)     context page, where bit cpu of .cpus is set
 *   CORE_STACK_LOW(cpu)      a stack, with an unbound page below and above, beside each context
 *   CORE_ARGS_VA             arguments, then environment: NUL-terminated strings, read-only */
#ifndef CORE_DOMAIN_H
#define CORE_DOMAIN_H

#include <aril/cap.h>
#include <aril/layout.h>
#include <aril/types.h>

#define CORE_DOMAIN_VA 0x7e8000000000ul
#define CORE_CPU_VA(cpu) (CORE_DOMAIN_VA + 0x100000 + (u64)(cpu)*0x10000)
#define CORE_STACK_LOW(cpu) (CORE_CPU_VA(cpu) + 0x1000)
#define CORE_STACK_TOP(cpu) (CORE_CPU_VA(cpu) + 0xd000)
#define CORE_CONTEXT_VA(cpu) (CORE_CPU_VA(cpu) + 0xe000)
#define CORE_ARGS_VA (CORE_DOMAIN_VA + 0x200000)
#define CORE_ARGS_MAX 0x200000ul /* bytes of arguments and environment together */

#define CORE_DOMAIN_MAGIC 0x6e6d6f646c697261ul /* "arildomn" */
#define CORE_DOMAIN_VERSION 1

/* Consecutive frames. */
struct core_run {
	u32 first;
	u32 count;
};

enum core_console_kind {
	CORE_CONSOLE_NONE = 0,
	CORE_CONSOLE_RING =
		1, /* .device's guard is the domain's name: ring_open queue 0 (input), 1 (output) */
	CORE_CONSOLE_UART =
		2, /* a 16550's eight ports and its line are granted to the domain's first env */
};

#define CORE_DOMAIN_PRIMARY 1u /* the machine ends when it ends */
#define CORE_DOMAIN_LOG 2u     /* its env may use the log call */
#define CORE_DOMAIN_TRACE 4u   /* trace=1 on its line of .aril/boot */

#define CORE_DOMAIN_AUTHORITY 8u /* it is the code authority */
#define CORE_DOMAIN_SUMMARY 64u	 /* trace=summary there: calls are counted, not shown */
#define CORE_DOMAIN_PROFILE 16u	 /* profile=yes there: what runs is named in the log */
#define CORE_DOMAIN_CORE \
	32u /* core=yes there: crashes leave core files, and the last goes to the host */

#define CORE_DOMAIN_GUARD \
	128u /* guard=yes there: a program's stray writes into its library fault */

#define CORE_RUNS 32

struct core_domain {
	u64 magic;
	u32 version;
	u32 bytes;	     /* of this struct */
	struct aril_cap cap; /* its name {1, index}, all rights: opens all that is listed here */
	char name[32];	     /* the image's base name, NUL-terminated */
	u32 flags;	     /* CORE_DOMAIN_* */
	u32 index;
	u32 env; /* the first env's id, its frame, and the root of its space */
	u32 env_frame;
	u32 space;
	u32 cpus;    /* bit mask: where the first env has a context */
	u32 ncpus;   /* of the machine */
	u32 nslices; /* positions it has in each of these CPUs' vectors (guard: its name) */
	/* frames guarded (slot 0) by its name; init spent some, from run 0's front, on the image, tables,
	 * contexts and this page */
	struct core_run spent;
	u64 free_frames; /* sum of run[].count */
	u32 nruns;
	u32 account; /* its own: WRITE and OWN under its name; its first env and its frames are charged to it */
	struct core_run run[CORE_RUNS]; /* free: NORMAL, unbound; the longest first */
	/* console */
	u32 console;	/* enum core_console_kind */
	u32 device;	/* RING */
	u32 port;	/* UART: first port */
	u32 line_grant; /* UART: for line_unmask and the bit in context.lines */
	u32 line_cpu;	/* UART: whose context hears of it */
	u32 port_grant;
	/* boot archive (newc, file data on 4096-byte boundaries); READ and EXEC under its name where
	 * .archive.count is not 0; only the primary has it */
	struct core_run archive;
	u64 archive_bytes;
	/* frames of the memory device, granted to the domain's first env; count 0: none. Their content is not its own
	 * before it writes there */
	struct core_run swap;
	/* arguments and environment */
	u64 args_va;
	u64 args_bytes;
	u64 env_va;
	u64 env_bytes;
	s64 realtime_offset; /* ns to add to the exposed clock for UTC, by the RTC; 0: not known */
	/* the image as loaded: page aligned */
	u64 image_low, image_high;
	u64 entry;
	struct aril_cap
		root_cap; /* root=yes on its line of .aril/boot: the empty name; else zeros */
	/* CALL on the code authority's gate; the authority's own: a name above all domains', which may seal code. Zeros:
	 * there is none */
	struct aril_cap code_cap;
};
_Static_assert(sizeof(struct core_domain) <= ARIL_PAGE_SIZE, "domain page");

#define CORE_DOMAIN ((const struct core_domain *)CORE_DOMAIN_VA)

#endif

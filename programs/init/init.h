/* SPDX-License-Identifier: MIT
 * The first env's parts: what the boot archive asks for, frames, the console, domains. */
#ifndef INIT_H
#define INIT_H

#include <aril/info.h>
#include <aril/ops.h>
#include <core/cpio.h>
#include <core/domain.h>
#include <core/map.h>
#include <core/string.h>

/* Where the kernel puts the first env (kernel/first.h). */
#define FIRST_CAP ((const struct aril_cap *)0x0ffe0000ul)

#define END_CLEAN 0x10u /* machine_end: the primary ended by itself */
#define END_FAULT 0x11u /* it was ended */
#define END_INIT 0x12u	/* init could not start it */
#define END_WRONG \
	0x13u /* the audit found the kernel's books wrong, or something left of the domains */

#define DOMAINS 16

#define DEVICE_RTC 1u  /* the real-time clock: its ports and its line */
#define DEVICE_HPET 2u /* the high precision timer: its memory and a line */

/* A line of .aril/boot. */
struct plan {
	char image[256]; /* path in the archive */
	char name[32];
	u32 share;
	u32 console, log, trace, summary, profile, core, guard;
	u32 root;	  /* gets the root capability: may do anything to anybody */
	u32 cpus;	  /* bit mask */
	u32 swap;	  /* MiB of the memory device; 0: none */
	u32 devices;	  /* bit mask: DEVICE_* */
	u32 code;	  /* it is the code authority */
	u32 mem;	  /* MiB; 0: by its share */
	u32 slices;	  /* weight of its part of the processors' time */
	u32 wait;	  /* the machine does not end before it */
	u32 archive;	  /* pages of its own archive, at the module's end; 0: it has none */
	const char *args; /* native: the words after " -- ", else NULL */
	u32 args_bytes;
};

/* A part of module 0, from `at` on: bytes from its first frame's start. Bound as far as it is read. */
struct archive {
	u64 at, bytes, mapped;
};

struct domain {
	struct plan plan;
	struct archive *archive; /* NULL: none */
	struct archive own;
	u32 index;
	struct aril_cap cap;
	struct aril_guard guard; /* of all that it owns */
	struct core_run run[CORE_RUNS];
	struct core_pool pool;
	struct core_run spent, given; /* given: run[0] as it was at first */
	u32 account;
	u32 nslices; /* positions that it gets, in all vectors */
	u32 root;
	u32 env, env_frame;
	u32 ended;		/* its end was reported */
	u32 cleared;		/* what it had is free */
	u32 has_device, device; /* opened for it */
};

struct init {
	u32 root;			/* the root capability, opened */
	u32 env;			/* its own id */
	struct core_run run[CORE_RUNS]; /* free frames, the longest run first */
	u32 nruns;
	struct core_run reserve; /* for its own page tables */
	struct core_pool pool;
	struct core_space space; /* its own */
	struct archive archive;	 /* all of module 0 but the domains' own: the primary's */
	struct domain domain[DOMAINS];
	u32 ndomains;
	u32 nsharing;  /* of them: that get a share, and slices */
	u32 authority; /* number of the code authority; 0: there is none */
	s64 realtime_offset;
	u32 audit;	 /* .aril/boot has a line `audit` */
	u64 audit_every; /* ns: and how often while the domains run; 0: only at the end */
};
extern struct init init;

/* Says why in one line and ends the machine. */
_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Ends the machine with that result unless the call succeeded; what: a few words. Returns result. */
s64 must(s64 result, const char *what, const char *name);

/* frames.c: finds the free frames; sets aside the reserve. */
void frames_find(void);
/* Gives each domain its share, guarded by its name and charged to its account. */
void frames_divide(void);
/* frames.c: takes free frames for an account, guarded so. Ends the machine where that fails. */
void frames_take(u32 account, struct core_run run, const struct aril_guard *guard,
		 const char *name);
/* authority.c: who may seal code, and who may ask for it. */
void authority_rule(void);
/* What a domain is told of it. */
void authority_tell(const struct domain *domain, struct core_domain *page);
/* The domain is the authority: lets others through its gate. */
void authority_open(const struct domain *domain);
/* account.c: an account for each domain, guarded by its name: what it may have of each thing that a quota limits is
 * what its share of the machine's is. frames: that it will get. */
void account_make(struct domain *domain, u32 frames);

/* archive.c: module 0, bound as far as it is read; its files under .aril/. It is the primary's archive; behind that, in the
 * order of their lines, on pages of their own, those of other domains. */
/* Guards its frames as init's own, before any is bound: so giving them to others later (slot 1) breaks no
 * binding. Ends the machine where there is no archive. */
void archive_claim(void);
/* boot_read has said who has one: finds each. */
void archives_divide(void);
struct file {
	const u8 *data;
	u64 bytes;
};
/* Finds a file by its path; maps its data. Ends the machine where the archive is malformed. 0: there is none. */
int archive_file(struct archive *archive, const char *path, struct file *file);
/* Its frames. */
struct core_run archive_frames(const struct archive *archive);

/* boot.c: reads .aril/boot into init.domain[].plan. */
void boot_read(void);
/* Reads one line; NULL, or what is wrong with it. Pure. ncpus: of the machine. */
const char *boot_line(const char *line, u32 bytes, u32 ncpus, struct plan *plan);

/* start.c: builds a domain, all but its slices. */
void domain_build(struct domain *domain);
/* Gives the code authority time of its own when it was stopped by force again; overruns: how often it was. */
void authority_help(struct domain *domain, u32 overruns);
/* Builds the code authority again, of the frames that it had, where it has ended. */
void authority_again(struct domain *domain);
/* Counts the positions that each domain will get, and frees all but init's own: from then on they count as the
 * root's to give away. */
void slices_divide(void);
/* Hands out all slices: from here on they run. */
void domains_start(void);
/* Lets it run in its slices again. */
void slices_give(struct domain *domain);

/* end.c: destroys the envs that are charged to a domain's account or one below it, and frees their frames; all domains: NULL.
 * How many of each. */
u32 envs_end(const struct domain *domain);
u32 frames_free(const struct domain *domain);
/* Withdraws what grants they still have: device memory with many bindings, when its env ended. */
void grants_end(const struct domain *domain);
/* Whether a frame is charged to it; NULL: to any domain, or nobody's and not as it should be. */
int frame_is_of(const struct domain *domain, u32 frame);
/* A domain that has ended, not the primary: what it had is nobody's from here on, its device's ring closed. */
void domain_clear(struct domain *domain);

static inline const volatile struct aril_frame *frame_of(u32 frame)
{
	return (const volatile struct aril_frame *)ARIL_INFO->frames_va + frame;
}
static inline const volatile struct aril_account *account_of(u32 slot)
{
	return (const volatile struct aril_account *)ARIL_INFO->accounts_va + slot;
}
static inline const volatile struct aril_env_info *env_of(u32 slot)
{
	return (const volatile struct aril_env_info *)ARIL_INFO->envs_va + slot;
}

/* audit.c: the kernel's own audit of all its books. Says what is wrong, and how much it saw unless quiet; 1: nothing
 * is wrong. */
int audit_books(int quiet);
/* Before the domains are built: what the machine has, for audit_leaks. */
void audit_before(void);
/* Destroys all domains; then the machine must be as audit_before found it. Says what is left; 1: nothing is. */
int audit_leaks(void);

/* console.c: gives a domain, whose env exists, its part of the memory device; where there is not so much, none. */
void swap_give(struct domain *domain, struct core_domain *page);
/* Gives the console to a domain whose env exists; fills in its part of the page. */
void console_give(struct domain *domain, struct core_domain *page);
/* devices.c: grants the domain, whose env exists, the devices that its line asks for, under its own guard. */
void devices_give(const struct domain *domain);
/* Nanoseconds to add to the exposed clock for UTC, by the real-time clock; 0 where there is none. */
s64 realtime_read(void);

#endif

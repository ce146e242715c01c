/* SPDX-License-Identifier: MIT
 * The family's beginning and end: from the domain that init made to the first program, and its status. */
#include "futex.h"
#include "linux.h"
#include "file.h"
#include "guard.h"
#include "mem.h"
#include "mm.h"
#include "pressure.h"
#include "proc.h"
#include "proc_internal.h"
#include "rescue.h"
#include "profile.h"
#include "sched.h"
#include "swap.h"
#include <aril/info.h>
#include <aril_stubs.h>
#include <core/channel.h>
#include <core/domain.h>
#include <core/string.h>

struct family family;
u32 family_booted, family_failed;

/* The scheduler has a struct thread per processor for gs, its stack and the lock; it never sleeps. */
static struct thread schedulers[ARIL_MAX_CPUS];
/* For sched_nap; whoever naps holds the family lock, so one is enough. */
static u8 scheduler_vectors[PAGE] __attribute__((aligned(64)));

#define ARGS_MAX 4096

/* Splits NUL-terminated strings into a vector ended by NULL. */
static char **strings_vector(u64 at, u64 bytes)
{
	u32 count = 0, n = 0;
	const char *text = (const char *)at;

	for (u64 i = 0; i < bytes; i++)
		count += !text[i];
	char **vector = kmalloc((count + 1) * sizeof(char *));
	if (!vector)
		return NULL;
	for (u64 i = 0; i < bytes && n < count; i += strlen(text + i) + 1)
		vector[n++] = (char *)text + i;
	return vector;
}

static void gs_set(struct thread *t)
{
	__asm__ volatile("wrgsbase %0" : : "r"(t) : "memory");
}

/* What exists once, made by the first processor, then its scheduler's loop. */
static void family_start(void)
{
	family.domain = CORE_DOMAIN;
	s64 auth = aril_cap_open(&CORE_DOMAIN->cap);
	if (auth < 0)
		exos_panic("exos: the domain's capability does not open: error %ld", (long)-auth);
	family.auth = auth;
	family.ncpus = family.domain->ncpus;
	family.online = family.domain->cpus;
	family.trace = !!(family.domain->flags & CORE_DOMAIN_TRACE);
	if (family.domain->flags & CORE_DOMAIN_SUMMARY)
		family.trace = TRACE_SUMMARY;
	family.profile = !!(family.domain->flags & CORE_DOMAIN_PROFILE);
	profile_start();
	family.realtime_offset = family.domain->realtime_offset;
	family.unguarded = !guard_boot();
	memory_boot(family.domain);
	sched_boot();
	futex_boot();
	sigframe_boot();
	rescue_boot();
	pressure_boot();
	swap_boot();
	family_lock();
	struct proc *p = proc_boot();
	family.init = current()->proc = p;
	p->mm = mm_create(NULL, 0);
	struct thread *first = thread_create(p, p->pid, NULL);
	if (!p->mm || !first || proc_env_create(p))
		exos_panic("exos: no memory for the first process");
	thread_add(first);
	files_boot();
	if (!p->fs)
		p->fs = fsinfo_create();
	console_boot(p);
	current()->proc = NULL;
	thread_start(first);
	__atomic_store_n(&family_booted, 1, __ATOMIC_RELEASE);
	family_unlock();
	sched_main();
}

/* The first program's path: its name where that has a slash, else where PATH has it. NULL: nowhere. */
static char *program_find(const char *name, char *const envp[])
{
	const char *path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	static char found[ARGS_MAX];

	if (strchr(name, '/'))
		return (char *)name;
	for (u32 i = 0; envp[i]; i++)
		if (!strncmp(envp[i], "PATH=", 5))
			path = envp[i] + 5;
	while (*path) {
		const char *end = strchr(path, ':');
		usize length = end ? (usize)(end - path) : strlen(path);
		struct inode *inode;
		char *absolute;

		if (length + strlen(name) + 2 <= sizeof(found)) {
			memcpy(found, path, length);
			found[length] = '/';
			core_copy_string(found + length + 1, name, sizeof(found) - length - 1);
			if (!inode_lookup_exec(found, &inode, &absolute)) {
				inode_put(inode);
				kfree(absolute);
				return found;
			}
		}
		path += length + !!end;
	}
	return NULL;
}

void first_main(void)
{
	const struct core_domain *d = family.domain;

	family_lock();
	if (family.unguarded) {
		static const char why[] =
			"aril: --guard: this machine's processor has no protection "
			"keys (PKU): give it one that has (QEMU: -cpu max), or "
			"leave --guard out\n";

		console_trace(why, sizeof(why) - 1);
		proc_exit(2 << 8);
	}
	char **argv = strings_vector(d->args_va, d->args_bytes),
	     **envp = strings_vector(d->env_va, d->env_bytes);
	if (!argv || !envp || !argv[0]) {
		exos_log("exos: no program is named");
		proc_exit(127 << 8);
	}
	char *path = program_find(argv[0], envp);
	s64 error = path ? proc_exec(path, argv, envp) : -ENOENT;
	if (error) {
		exos_log("exos: %s: cannot run: error %ld", argv[0], (long)-error);
		proc_exit((error == -ENOENT ? 127 : 126) << 8);
	}
	kfree(argv);
	kfree(envp);
	console_started();
	family_unlock();
}

/* Status as a shell has it. */
static u32 shell_status(s32 status)
{
	return status & 0x7f ? 128 + (status & 0x7f) : (status >> 8) & 0xff;
}

void family_end_if_over(void)
{
	if (family.init->state != PROC_ZOMBIE)
		return;
	u32 status = shell_status(family.init->exit_status);
	console_finish(status);
	aril_env_exit(status);
}

/* START of the scheduler on a processor: from the beginning, but after a nap. */
_Noreturn void family_boot(struct aril_context *ctx)
{
	struct thread *t = &schedulers[ctx->cpu];

	t->self = t;
	t->stack_top = CORE_STACK_TOP(ctx->cpu);
	t->scratch[1] = (u64)ctx;
	t->xsave = scheduler_vectors;
	if (t->switch_rsp)
		thread_resume(t, ctx);
	gs_set(t);
	if (family_failed)
		aril_env_exit(-1);
	if (!family_booted) {
		static u32 begun;

		if (__atomic_exchange_n(&begun, 1, __ATOMIC_ACQ_REL)) {
			for (;;) /* another processor is at it */
				aril_yield(0, 0);
		}
		stack_call(t->stack_top, ctx, family_start);
	}
	stack_call(t->stack_top, ctx, sched_main);
}

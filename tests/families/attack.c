/* SPDX-License-Identifier: MIT
 * A hostile Linux program of one family: it knows that it runs on Aril, makes kernel calls itself with all that its family
 * has (the domain's capability lies in its address space), and tries everything on what is another family's. One line for
 * each kind of thing: how much was tried, how much of it succeeded.
 *
 * usage: attack memory|guards|objects|unix|burn|masked|fork|hog|flood [SECONDS] */
#define _GNU_SOURCE
#include <aril/info.h>
#include <aril/upcall.h>
#include <aril_stubs.h>
#include <core/domain.h>

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define FRAMES ((const volatile struct aril_frame *)ARIL_INFO->frames_va)
#define ENVS ((const volatile struct aril_env_info *)ARIL_INFO->envs_va)
#define SOME 37 /* of frames: one in so many is tried with all calls */

static unsigned long tried, through;
static u32 auth;

static void attempt(s64 result, const char *what, u32 which)
{
	tried++;
	if (result < 0)
		return;
	through++;
	printf("attack: THROUGH %s %u: %ld\n", what, which, (long)result);
}

static void report(const char *what)
{
	printf("attack: %s: %lu tried, %lu got through\n", what, tried, through);
	fflush(stdout);
	tried = through = 0;
}

static u32 own_slot(void)
{
	return CORE_DOMAIN->account & 0xffff;
}

/* The space in which this runs. */
static u32 own_space(void)
{
	for (u32 cpu = 0; cpu < ARIL_INFO->ncpus; cpu++) {
		u32 env = ARIL_INFO->cpu[cpu].env & 0xffff;

		if (ENVS[env].account == CORE_DOMAIN->account && ENVS[env].id != CORE_DOMAIN->env)
			return ENVS[env].space;
	}
	exit(2);
}

/* Somebody else's: not free, not ours to have. */
static int is_foreign(u32 f)
{
	const struct core_run *archive = &CORE_DOMAIN->archive;

	if (f >= archive->first && f < archive->first + archive->count)
		return 0;
	if (FRAMES[f].state == ARIL_FRAME_KERNEL || FRAMES[f].state == ARIL_FRAME_ABSENT)
		return 1;
	return FRAMES[f].account && FRAMES[f].account != own_slot();
}

static void memory(void)
{
	static volatile char page[8192] __attribute__((aligned(4096)));
	u64 va = (u64)page;
	u32 space = own_space();
	struct aril_guard all = {.rights = ARIL_ALL}, ours = {.rights = ARIL_ALL};

	page[0] = page[4096] = 1;
	memcpy(ours.name, CORE_DOMAIN->cap.name, CORE_DOMAIN->cap.len);
	ours.len = CORE_DOMAIN->cap.len;
	for (u32 f = 0; f < ARIL_INFO->nframes; f++) {
		if (!is_foreign(f))
			continue;
		attempt(aril_page_bind(auth, space, va, f, 0, auth), "reading frame", f);
		if (f % SOME)
			continue;
		struct aril_frame_op op = {
			.first = f, .count = 1, .kind = ARIL_FRAME_GUARD, .guard = ours};
		attempt(aril_page_bind(auth, space, va, f, ARIL_BIND_WRITE, auth), "writing frame",
			f);
		attempt(aril_frame_update(auth, &op, 1), "guarding frame", f);
		op.guard = all;
		attempt(aril_frame_update(auth, &op, 1), "opening frame", f);
		op.kind = ARIL_FRAME_CHARGE;
		op.tag = CORE_DOMAIN->account;
		attempt(aril_frame_update(auth, &op, 1), "charging frame", f);
		attempt(aril_frame_reset(auth, f), "resetting frame", f);
		attempt(aril_frame_free(auth, f, 1), "freeing frame", f);
		attempt(aril_frame_alloc(auth, CORE_DOMAIN->account, f, 1, &ours), "taking frame",
			f);
		attempt(aril_wait(auth, f, 0, ~0u, 1), "waiting on frame", f);
		attempt(aril_wake(auth, f, 0, 1), "waking at frame", f);
		attempt(aril_space_table(auth, f, va, 1, f, f + 1), "space", f);
	}
	report("memory");
}

/* Names and numbers that it was not given. */
static void guards(void)
{
	struct aril_cap cap, made;
	u64 seed = (u64)time(NULL);

	for (u32 i = 0; i < 20000; i++) {
		cap = CORE_DOMAIN->cap;
		cap.len = (u8)(i % 3);
		cap.name[1] = cap.len > 1 ? (u8)(i / 3) : 0;
		if (!cap.len)
			cap.name[0] = 0;
		seed = seed * 6364136223846793005ul + 1442695040888963407ul;
		cap.mac[i & 1] ^= i < 10000 ? 1ul << i % 64 : seed;
		attempt(aril_cap_open(&cap), "capability", i);
		attempt(aril_cap_derive(&cap, (const u8 *)"x", 1, ARIL_ALL, 0, &made),
			"deriving from", i);
	}
	u32 foreign = 0;
	while (!is_foreign(foreign) || FRAMES[foreign].state != ARIL_FRAME_NORMAL)
		foreign++;
	for (u32 i = 0; i < 20000; i++)
		attempt(aril_frame_reset(i < 10000 ? i : (u32)(seed *= 6364136223846793005ul),
					 foreign),
			"index", i);
	report("guards");
}

/* Envs, slices, accounts, grants, devices. */
static void objects(void)
{
	struct aril_revocation want = {.kind = 0, .count = 1, .last = ~0u, .deadline = 1};
	struct aril_guard guard = {.rights = ARIL_ALL};

	for (u32 i = 1; i < ARIL_MAX_ENVS; i++) {
		u32 id = ENVS[i].id;

		if (ENVS[i].state != ARIL_ENV_ALIVE || ENVS[i].account == CORE_DOMAIN->account)
			continue;
		attempt(aril_frame_reset(auth, ENVS[i].frame), "env", i);
		attempt(aril_yield(auth, id), "yield to env", i);
		attempt(aril_gate(auth, id, 0), "gate of env", i);
		attempt(aril_env_context(auth, id, 0, 0, 0), "context of env", i);
		attempt(aril_page_bind(auth, ENVS[i].space, 0x10000, own_space(), 0, auth),
			"space of env", i);
		attempt(aril_page_unbind(auth, ENVS[i].space, CORE_DOMAIN_VA), "space of env", i);
		attempt(aril_env_space(auth, ENVS[i].space), "entering the space of env", i);
	}
	for (u32 cpu = 0; cpu < ARIL_INFO->ncpus; cpu++)
		for (u32 p = 0; p < ARIL_SLICES; p++) {
			const volatile struct aril_slice *s =
				(const volatile struct aril_slice *)ARIL_INFO->slices_va +
				cpu * ARIL_SLICES + p;

			if (s->account == own_slot())
				continue;
			if (s->account)
				attempt(aril_slice_free(auth, cpu, p), "slice", p);
			if (s->account)
				attempt(aril_slice_set(auth, cpu, p, CORE_DOMAIN->env, NULL),
					"slice", p);
			if (s->account)
				attempt(aril_slice_alloc(auth, CORE_DOMAIN->account, cpu, p,
							 &guard),
					"slice", p);
		}
	for (u32 i = 1; i < ARIL_MAX_ACCOUNTS; i++) {
		const volatile struct aril_account *a =
			(const volatile struct aril_account *)ARIL_INFO->accounts_va + i;

		if (!a->id || i == own_slot())
			continue;
		attempt(aril_account_set(auth, a->id, 0, 0), "account", i);
		attempt(aril_account_destroy(auth, a->id), "account", i);
		attempt(aril_account_guard(auth, a->id, &guard), "account", i);
		attempt(aril_revoke(auth, a->id, &want), "revoking from account", i);
	}
	/* Its own account: more than it was given. */
	attempt(aril_account_set(auth, CORE_DOMAIN->account, 0, ~0u), "own account", 0);
	attempt(aril_revoke(auth, CORE_DOMAIN->account, &want), "own account", 1);
	for (u32 i = 0; i < 64; i++) {
		if (i < 8 && i != CORE_DOMAIN->device)
			attempt(aril_device_close(auth, i), "device", i);
		attempt(aril_grant_destroy(auth, i), "grant", i);
		attempt(aril_grant_move(auth, i, CORE_DOMAIN->env, 0), "grant", i);
		struct aril_grant_desc port = {
			.env = CORE_DOMAIN->env, .first = 0xcf8, .count = 8, .kind = i % 4};
		attempt(aril_grant_create(auth, &port), "ports", i);
	}
	attempt(aril_machine_end(auth, 0), "the machine's end", 0);
	report("objects");
}

/* By UNIX's own means: what another family has does not exist here. */
static void unix_means(void)
{
	struct dirent *entry;
	struct stat st;
	DIR *proc = opendir("/proc");
	char path[300], name[64];

	for (int pid = 2; pid < 5000; pid++) {
		if (pid == getpid() || pid == getppid())
			continue;
		attempt(kill(pid, 0) ? -1 : 0, "kill", (u32)pid);
		attempt(kill(pid, SIGKILL) ? -1 : 0, "kill", (u32)pid);
		attempt(ptrace(PTRACE_ATTACH, pid, 0, 0) < 0 ? -1 : 0, "ptrace", (u32)pid);
	}
	while (proc && (entry = readdir(proc))) {
		FILE *f;

		if (!atoi(entry->d_name))
			continue;
		snprintf(path, sizeof path, "/proc/%s/comm", entry->d_name);
		f = fopen(path, "r");
		if (f && fgets(name, sizeof name, f))
			attempt(strstr(name, "victim") ? 0 : -1, name, (u32)atoi(entry->d_name));
		if (f)
			fclose(f);
	}
	attempt(stat("/tmp/secret", &st), "its file", 0);
	attempt(stat("/victim.only", &st), "its archive", 0);
	FILE *f = fopen("/tmp/secret", "w");
	fputs("overwritten by the other family\n", f);
	fclose(f);
	report("unix");
}

static double seconds_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* All of its slices. */
static void burn(double seconds)
{
	double end = seconds_now() + seconds;
	volatile u64 n = 0;

	while (seconds_now() < end)
		for (int i = 0; i < 1000000; i++)
			n++;
	printf("attack: burnt\n");
}

/* Hears of no slice's end, and leaves none by itself. */
static void masked(void)
{
	struct aril_context *context;

	__asm__ volatile("movq %%gs:24, %0" : "=r"(context)); /* as ExOS has it (sched.h) */
	printf("attack: masked\n");
	for (;;)
		*(volatile u32 *)&context->mask = ARIL_MASK_ALL;
}

static void fork_bomb(double seconds)
{
	double end = seconds_now() + seconds;
	unsigned long n = 0, refused = 0;

	while (seconds_now() < end) {
		pid_t pid = fork();

		if (!pid) {
			while (seconds_now() < end)
				if (fork() == 0)
					n = 0;
			_exit(0);
		}
		n += pid > 0;
		refused += pid < 0;
	}
	printf("attack: forked %s\n", n ? "some" : "none");
	fflush(stdout);
	kill(-1, SIGKILL);
}

/* All memory that there is, in two ways. */
static void hog(void)
{
	static char block[65536];
	unsigned long bytes = 0;
	FILE *f = fopen("/tmp/hog", "w");

	while (f && fwrite(block, 1, sizeof block, f) == sizeof block)
		bytes += sizeof block;
	printf("attack: a file until %s\n", strerror(errno));
	fflush(stdout);
	if (f)
		fclose(f);
	for (;;) {
		char *p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			       -1, 0);

		if (p == MAP_FAILED)
			break;
		memset(p, 1, 1 << 20);
	}
	printf("attack: memory until %s\n", strerror(errno));
}

static void flood(double seconds)
{
	double end = seconds_now() + seconds;
	static char line[200];

	memset(line, 'x', sizeof line - 1);
	while (seconds_now() < end)
		for (int i = 0; i < 1000; i++)
			puts(line);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	double seconds = argc > 2 ? atof(argv[2]) : 1;
	s64 opened = aril_cap_open(&CORE_DOMAIN->cap);

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (opened < 0) {
		printf("attack: its own capability does not open: %ld\n", (long)-opened);
		return 1;
	}
	auth = (u32)opened;
	if (!strcmp(what, "memory"))
		memory();
	else if (!strcmp(what, "guards"))
		guards();
	else if (!strcmp(what, "objects"))
		objects();
	else if (!strcmp(what, "unix"))
		unix_means();
	else if (!strcmp(what, "burn"))
		burn(seconds);
	else if (!strcmp(what, "masked"))
		masked();
	else if (!strcmp(what, "fork"))
		fork_bomb(seconds);
	else if (!strcmp(what, "hog"))
		hog();
	else if (!strcmp(what, "flood"))
		flood(seconds);
	else
		return 2;
	return 0;
}

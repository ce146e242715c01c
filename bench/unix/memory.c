/* SPDX-License-Identifier: MIT
 * Mapping, protecting, and faults that the program itself deals with. */
#define _GNU_SOURCE
#include "unix.h"
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#define PAGES 100ul /* of the region that is protected page by page */

static long map(u64 pages, int flags)
{
	return CALL(SYS_mmap, 0, pages * PAGE, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | flags, -1,
		    0);
}

static long protect(char *at, u64 pages, int prot)
{
	return CALL(SYS_mprotect, at, pages * PAGE, prot);
}

#define READ PROT_READ
#define BOTH (PROT_READ | PROT_WRITE)

/* Mapped and written once, or 0 with errno. */
static char *region(u64 pages)
{
	long at = map(pages, MAP_PRIVATE);

	if (at < 0)
		return errno = (int)-at, (char *)0;
	for (u64 i = 0; i < pages; i++)
		((volatile char *)at)[i * PAGE] = 1;
	return (char *)at;
}

/* Once in a process: a page more before and behind keeps what is protected in the middle of a mapping. */
static char *fixed_region(void)
{
	static char *at;

	if (!at && (at = region(PAGES + 2)))
		at += PAGE;
	return at;
}

/* Both beside a mapping that stays: else each makes and frees a page table, on Linux, too. */
static inline __attribute__((always_inline)) s64 mmap_munmap(u64 n, int touch)
{
	if (!fixed_region())
		return -errno;
	return BENCH_LOOP(n, {
		long at = map(1, MAP_PRIVATE);
		if (at < 0)
			return at;
		if (touch)
			*(volatile char *)at = 1;
		MUST(CALL(SYS_munmap, at, PAGE));
	});
}

static s64 mmap_touch(u64 n)
{
	return mmap_munmap(n, 1);
}

static s64 mmap_only(u64 n)
{
	return mmap_munmap(n, 0);
}

static s64 anon_fault(u64 n)
{
	long at = map(n, MAP_PRIVATE);

	if (at < 0)
		return at;
	s64 took = BENCH_LOOP(n, ((volatile char *)at)[i * PAGE] = 1);

	munmap((void *)at, n * PAGE);
	return took;
}

/* The pages of anon_fault by one call, none of them faulted on. */
static s64 populate(u64 n)
{
	u64 began = bench_now();
	long at = map(n, MAP_PRIVATE | MAP_POPULATE);
	s64 took = (s64)(bench_now() - began - bench_read);

	if (at < 0)
		return at;
	munmap((void *)at, n * PAGE);
	return took;
}

static s64 cow_fault(u64 n)
{
	char *at = region(n);
	long said = map(1, MAP_SHARED);
	int status = 0;

	if (!at || said < 0)
		return at ? said : -errno;
	pid_t child = fork();

	if (!child) {
		*(volatile s64 *)said = BENCH_LOOP(n, at[i * PAGE] = 2);
		_exit(0);
	}
	if (child < 0 || waitpid(child, &status, 0) != child || status)
		return -EPROTO;
	s64 took = *(volatile s64 *)said;

	munmap(at, n * PAGE);
	munmap((void *)said, PAGE);
	return took;
}

static s64 mprotect_1(u64 n)
{
	char *at = fixed_region();

	if (!at)
		return -errno;
	return BENCH_LOOP(n, MUST(protect(at + 50 * PAGE, 1, i & 1 ? BOTH : READ)));
}

static char *solo(void)
{
	static char *at;

	if (!at) {
		/* between two pages that are not mapped, so that it is a mapping by itself */
		at = region(3);
		if (at) {
			munmap(at, PAGE);
			munmap(at + 2 * PAGE, PAGE);
			at += PAGE;
		}
	}
	return at;
}

static s64 mprotect_1_solo(u64 n)
{
	char *at = solo();

	if (!at)
		return -errno;
	return BENCH_LOOP(n, MUST(protect(at, 1, i & 1 ? BOTH : READ)));
}

static s64 prot1_unprot1(u64 n)
{
	char *at = fixed_region();

	if (!at)
		return -errno;
	return BENCH_LOOP(n, {
		MUST(protect(at + 50 * PAGE, 1, READ));
		MUST(protect(at + 50 * PAGE, 1, BOTH));
		*(volatile char *)(at + 50 * PAGE) = 1;
	});
}

/* A region of exactly 100 pages, all by one call. */
static char *hundred(void)
{
	static char *at;

	if (!at && (at = region(PAGES + 2))) {
		munmap(at, PAGE);
		munmap(at + (PAGES + 1) * PAGE, PAGE);
		at += PAGE;
	}
	return at;
}

static s64 prot100(u64 n)
{
	char *at = hundred();

	if (!at)
		return -errno;
	return BENCH_PART(
		n,
		{
			MUST(protect(at, PAGES, BOTH));
			for (u64 p = 0; p < PAGES; p++)
				((volatile char *)at)[p * PAGE] = 1;
		},
		MUST(protect(at, PAGES, READ)));
}

static s64 unprot100(u64 n)
{
	char *at = hundred();

	if (!at)
		return -errno;
	return BENCH_PART(n, MUST(protect(at, PAGES, READ)), MUST(protect(at, PAGES, BOTH)));
}

/* Whether a page was written to, as Linux says it. */
static s64 pagemap_dirty(u64 n)
{
	u64 at = (u64)solo(), entry = 0;
	int fd = open("/proc/self/pagemap", O_RDONLY);

	if (!at || fd < 0)
		return -errno;
	s64 took = BENCH_LOOP(
		n, MUST(CALL(SYS_pread64, fd, &entry, sizeof(entry), at / PAGE * sizeof(entry))));

	close(fd);
	return took >= 0 && !(entry >> 55 & 1) ? -EPROTO : took;
}

/* --- faults to a handler of the program */

static volatile u64 faults;
static char *volatile other; /* the handler takes writing away from this page */

/* The store that faults is `movb $1, (%rdi)`: three bytes. */
static void on_fault_skip(int signal, siginfo_t *info, void *context)
{
	(void)signal, (void)info;
	faults++;
	((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP] += 3;
}

static void on_fault_unprotect(int signal, siginfo_t *info, void *context)
{
	(void)signal, (void)context;
	faults++;
	protect((char *)((u64)info->si_addr & ~(PAGE - 1)), 1, BOTH);
	if (other)
		protect(other, 1, READ);
}

static int faults_go_to(void (*handler)(int, siginfo_t *, void *))
{
	struct sigaction act = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};

	faults = 0;
	other = 0;
	return sigaction(SIGSEGV, &act, 0);
}

static inline void store(char *at)
{
	__asm__ volatile("movb $1, (%0)" ::"D"(at) : "memory");
}

static s64 segv_skip(u64 n)
{
	char *at = solo();

	if (!at || faults_go_to(on_fault_skip) || protect(at, 1, READ))
		return -EPROTO;
	s64 took = BENCH_LOOP(n, store(at));

	return faults != n ? -EPROTO : took;
}

static s64 fault_unprotect_at(char *at, u64 n)
{
	if (!at || faults_go_to(on_fault_unprotect))
		return -EPROTO;
	s64 took = BENCH_PART(n, MUST(protect(at, 1, READ)), store(at));

	return took >= 0 && faults != n ? -EPROTO : took;
}

static s64 fault_unprotect(u64 n)
{
	char *at = fixed_region();

	return fault_unprotect_at(at ? at + 50 * PAGE : 0, n);
}

static s64 fault_unprotect_solo(u64 n)
{
	return fault_unprotect_at(solo(), n);
}

static u64 dice(void)
{
	static u64 state = 88172645463325252ul;

	state ^= state << 13;
	state ^= state >> 7;
	return state ^= state << 17;
}

/* All protected but one; then: a fault on a random one that is protected, which the handler unprotects, and protects the
 * one that was not. */
static s64 appel1(u64 n)
{
	char *at = fixed_region();
	u64 open = 0;

	if (!at || faults_go_to(on_fault_unprotect) || protect(at, PAGES, READ) ||
	    protect(at, 1, BOTH))
		return -EPROTO;
	s64 took = BENCH_PART(
		n,
		{
			u64 next = dice() % PAGES;
			next = next == open ? (next + 1) % PAGES : next;
			other = at + open * PAGE;
			open = next;
		},
		store(at + open * PAGE));

	protect(at, PAGES, BOTH);
	return faults != n ? -EPROTO : took;
}

/* 100 protected by one call, then a fault on each in random order. */
static s64 appel2(u64 n)
{
	char *at = fixed_region();
	u64 order[PAGES];
	s64 took = 0;

	if (!at || faults_go_to(on_fault_unprotect))
		return -EPROTO;
	for (u64 done = 0; done < n && took >= 0; done += PAGES) {
		for (u64 i = 0; i < PAGES; i++) {
			u64 j = dice() % (i + 1);

			order[i] = order[j];
			order[j] = i;
		}
		u64 began = bench_now();

		if (protect(at, PAGES, READ))
			return -EPROTO;
		for (u64 i = 0; i < PAGES; i++)
			store(at + order[i] * PAGE);
		took += (s64)(bench_now() - began - bench_read);
	}
	return faults != n ? -EPROTO : took;
}

const struct metric metrics_memory[] = {
	{"mmap_touch_munmap", mmap_touch, 100, 21, "map a page, write to it, unmap"},
	{"mmap_munmap_notouch", mmap_only, 100, 21, "map a page, unmap"},
	{"anon_fault_per_page", anon_fault, 256, 21, "first write to a fresh page"},
	{"populate_per_page", populate, 256, 21,
	 "a page of 256 mapped by one call with MAP_POPULATE"},
	{"cow_fault_per_page", cow_fault, 256, 11, "first write to a page shared by fork"},
	{"mprotect_1", mprotect_1, 200, 21, "mprotect of one page in the middle of a mapping"},
	{"mprotect_1_solo_vma", mprotect_1_solo, 200, 21, "the same, a mapping of one page"},
	{"prot1_unprot1_touch", prot1_unprot1, 100, 21,
	 "protect a page, unprotect it, write to it"},
	{"prot100", prot100, 20, 21, "protect 100 pages in one call"},
	{"unprot100", unprot100, 20, 21, "unprotect 100 pages in one call"},
	{"pagemap_dirty", pagemap_dirty, 100, 21,
	 "whether a page was written to, of /proc/self/pagemap"},
	{"trap_sigsegv_skip", segv_skip, 200, 21, "protection fault to SIGSEGV, stepped over"},
	{"wfault_upcall_unprot", fault_unprotect, 100, 21,
	 "write fault, the handler unprotects the page"},
	{"wfault_upcall_unprot_solo_vma", fault_unprotect_solo, 100, 21,
	 "the same, a mapping of one page"},
	{"appel1_prot1_trap_unprot", appel1, 100, 21, "fault, unprotect it, protect another"},
	{"appel2_protN_trap_unprot", appel2, 100, 21, "protect 100, fault on each, per page"},
	{0},
};

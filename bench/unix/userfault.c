/* SPDX-License-Identifier: MIT
 * Protection by userfaultfd, write-protect mode: Linux's cheaper form of what memory.c measures by mprotect and SIGSEGV, as no mapping is
 * split. The fault comes as SIGBUS to the thread that made it, so that no other thread has to be woken. */
#define _GNU_SOURCE
#include "unix.h"
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGES 100ul

static int fd = -1;
static char *region;
static volatile u64 faults;
static char *volatile other;

/* n pages by one call: may not be written to, or may again. */
static inline long protect(char *at, u64 n, int on)
{
	struct uffdio_writeprotect w = {
		.range = {(u64)at, n * PAGE},
		.mode = on ? UFFDIO_WRITEPROTECT_MODE_WP : 0,
	};

	return CALL(SYS_ioctl, fd, UFFDIO_WRITEPROTECT, &w);
}

/* Once in a process: a hundred pages that were written to, registered; 0 or a negative errno. */
static long begun(void)
{
	struct uffdio_api api = {
		.api = UFFD_API,
		.features = UFFD_FEATURE_SIGBUS | UFFD_FEATURE_PAGEFAULT_FLAG_WP,
	};
	struct uffdio_register r = {.mode = UFFDIO_REGISTER_MODE_WP};

	if (region)
		return 0;
	long got = CALL(SYS_userfaultfd, O_CLOEXEC);

	if (got < 0)
		return got;
	fd = (int)got;
	char *at =
		mmap(0, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		return -errno;
	madvise(at, PAGES * PAGE, MADV_NOHUGEPAGE);
	for (u64 i = 0; i < PAGES; i++)
		((volatile char *)at)[i * PAGE] = 1;
	r.range.start = (u64)at;
	r.range.len = PAGES * PAGE;
	if (ioctl(fd, UFFDIO_API, &api) || ioctl(fd, UFFDIO_REGISTER, &r))
		return -errno;
	region = at;
	return 0;
}

static void on_fault(int signal, siginfo_t *info, void *context)
{
	(void)signal, (void)context;
	faults++;
	protect((char *)((u64)info->si_addr & ~(PAGE - 1)), 1, 0);
	if (other)
		protect(other, 1, 1);
}

static long faults_begun(void)
{
	struct sigaction act = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
	long error = begun();

	faults = 0;
	other = 0;
	return error ? error : sigaction(SIGBUS, &act, 0) ? -errno : 0;
}

static inline void store(char *at)
{
	__asm__ volatile("movb $1, (%0)" ::"D"(at) : "memory");
}

static s64 prot1(u64 n)
{
	long error = begun();

	if (error)
		return error;
	return BENCH_LOOP(n, MUST(protect(region + 50 * PAGE, 1, !(i & 1))));
}

static s64 prot100(u64 n)
{
	long error = begun();

	if (error)
		return error;
	return BENCH_PART(
		n,
		{
			MUST(protect(region, PAGES, 0));
			for (u64 p = 0; p < PAGES; p++)
				((volatile char *)region)[p * PAGE] = 1;
		},
		MUST(protect(region, PAGES, 1)));
}

static s64 unprot100(u64 n)
{
	long error = begun();

	if (error)
		return error;
	return BENCH_PART(n, MUST(protect(region, PAGES, 1)), MUST(protect(region, PAGES, 0)));
}

static s64 fault_unprotect(u64 n)
{
	long error = faults_begun();

	if (error)
		return error;
	s64 took =
		BENCH_PART(n, MUST(protect(region + 50 * PAGE, 1, 1)), store(region + 50 * PAGE));

	return took >= 0 && faults != n ? -EPROTO : took;
}

static u64 dice(void)
{
	static u64 state = 88172645463325252ul;

	state ^= state << 13;
	state ^= state >> 7;
	return state ^= state << 17;
}

/* As in memory.c. */
static s64 appel1(u64 n)
{
	long error = faults_begun();
	u64 open = 0;

	if (error)
		return error;
	if (protect(region, PAGES, 1) || protect(region, 1, 0))
		return -EPROTO;
	s64 took = BENCH_PART(
		n,
		{
			u64 next = dice() % PAGES;
			next = next == open ? (next + 1) % PAGES : next;
			other = region + open * PAGE;
			open = next;
		},
		store(region + open * PAGE));

	protect(region, PAGES, 0);
	return faults != n ? -EPROTO : took;
}

static s64 appel2(u64 n)
{
	long error = faults_begun();
	u64 order[PAGES];
	s64 took = 0;

	if (error)
		return error;
	for (u64 done = 0; done < n; done += PAGES) {
		for (u64 i = 0; i < PAGES; i++) {
			u64 j = dice() % (i + 1);

			order[i] = order[j];
			order[j] = i;
		}
		u64 began = bench_now();

		if (protect(region, PAGES, 1))
			return -EPROTO;
		for (u64 i = 0; i < PAGES; i++)
			store(region + order[i] * PAGE);
		took += (s64)(bench_now() - began - bench_read);
	}
	return faults != n ? -EPROTO : took;
}

const struct metric metrics_userfault[] = {
	{"uffd_prot1", prot1, 200, 21, "protect or unprotect a page by userfaultfd"},
	{"uffd_prot100", prot100, 20, 21, "protect 100 pages by userfaultfd"},
	{"uffd_unprot100", unprot100, 20, 21, "unprotect 100 pages by userfaultfd"},
	{"uffd_wfault_unprot", fault_unprotect, 100, 21,
	 "write fault by userfaultfd, the handler unprotects the page"},
	{"uffd_appel1", appel1, 100, 21, "appel1 by userfaultfd"},
	{"uffd_appel2", appel2, 100, 21, "appel2 by userfaultfd, per page"},
	{0},
};

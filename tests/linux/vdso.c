/* SPDX-License-Identifier: MIT
 * The vDSO: an ELF image with Linux's names and versions, whose clocks are those of the system calls. */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char *base;
static const Elf64_Dyn *dynamic;

static const void *entry(long tag)
{
	for (const Elf64_Dyn *d = dynamic; d->d_tag; d++)
		if (d->d_tag == tag)
			return base + d->d_un.d_ptr;
	return NULL;
}

static long value(long tag)
{
	for (const Elf64_Dyn *d = dynamic; d->d_tag; d++)
		if (d->d_tag == tag)
			return (long)d->d_un.d_val;
	return -1;
}

/* As C libraries look: by name, and the version's name. */
static void *symbol(const char *name, const char *version)
{
	const Elf64_Sym *symbols = entry(DT_SYMTAB);
	const char *strings = entry(DT_STRTAB);
	const Elf64_Half *versions = entry(DT_VERSYM);
	const Elf64_Word *hash = entry(DT_HASH);

	for (unsigned i = 1; hash && i < hash[1]; i++) {
		const Elf64_Verdef *d = entry(DT_VERDEF);

		if (strcmp(strings + symbols[i].st_name, name))
			continue;
		while (d->vd_ndx != (versions[i] & 0x7fff) && d->vd_next)
			d = (const void *)((const char *)d + d->vd_next);
		const Elf64_Verdaux *a = (const void *)((const char *)d + d->vd_aux);

		if (!strcmp(strings + a->vda_name, version))
			return (void *)(base + symbols[i].st_value);
	}
	return NULL;
}

static long long ns(const struct timespec *t)
{
	return t->tv_sec * 1000000000ll + t->tv_nsec;
}

/* By the vDSO and by the instruction in turns: never back, never far apart. */
static void clock_of(int (*by_library)(clockid_t, struct timespec *), clockid_t clock,
		     const char *name)
{
	struct timespec t;
	long long last = 0, now;
	int back = 0, apart = 0, refused = 0;

	for (int i = 0; i < 2000; i++) {
		refused += (i & 1 ? by_library(clock, &t)
				  : (int)syscall(SYS_clock_gettime, clock, &t)) != 0;
		now = ns(&t);
		back += now < last;
		apart += last && now - last > 30000000000ll;
		last = now;
	}
	printf("%s: refused %d, back %d, apart %d\n", name, refused, back, apart);
}

int main(void)
{
	base = (const char *)getauxval(AT_SYSINFO_EHDR);
	const Elf64_Ehdr *e = (const void *)base;
	const Elf64_Phdr *p = (const void *)(base + e->e_phoff);
	char line[512];
	unsigned long at;
	int status, listed = 0, loads = 0;

	for (int i = 0; i < e->e_phnum; i++) {
		loads += p[i].p_type == PT_LOAD && p[i].p_vaddr == 0 &&
			 p[i].p_flags == (PF_R | PF_X);
		if (p[i].p_type == PT_DYNAMIC)
			dynamic = (const void *)(base + p[i].p_vaddr);
	}
	printf("%.3s, type %d, machine %d, segment %d, %s\n", base + 1, e->e_type, e->e_machine,
	       loads, (const char *)entry(DT_STRTAB) + value(DT_SONAME));
	FILE *maps = fopen("/proc/self/maps", "r");
	while (fgets(line, sizeof line, maps))
		listed += strstr(line, "[vdso]") && strstr(line, "r-xp") &&
			  sscanf(line, "%lx-", &at) == 1 && at == (unsigned long)base;
	fclose(maps);
	printf("listed %d\n", listed);

	int (*get)(clockid_t, struct timespec *) = symbol("__vdso_clock_gettime", "LINUX_2.6");
	int (*res)(clockid_t, struct timespec *) = symbol("__vdso_clock_getres", "LINUX_2.6");
	int (*day)(struct timeval *, void *) = symbol("__vdso_gettimeofday", "LINUX_2.6");
	time_t (*seconds)(time_t *) = symbol("__vdso_time", "LINUX_2.6");
	long (*cpu)(unsigned *, unsigned *, void *) = symbol("__vdso_getcpu", "LINUX_2.6");
	printf("found %d %d %d %d %d, and no other version: %d\n", !!get, !!res, !!day, !!seconds,
	       !!cpu, !!symbol("__vdso_time", "LINUX_9"));

	clock_of(get, CLOCK_MONOTONIC, "monotonic");
	clock_of(get, CLOCK_REALTIME, "realtime");
	clock_of(get, CLOCK_BOOTTIME, "boottime");
	clock_of(get, CLOCK_MONOTONIC_RAW, "raw");
	clock_of(get, CLOCK_PROCESS_CPUTIME_ID, "process");
	clock_of(get, CLOCK_THREAD_CPUTIME_ID, "thread");
	struct timespec t, r;
	struct timeval v;
	time_t s, stored;
	unsigned c = ~0u, node = ~0u;
	printf("no such clock: %d\n", get(77, &t));
	printf("resolution: %d, %ld s, %d\n", res(CLOCK_MONOTONIC, &r), (long)r.tv_sec,
	       res(77, &r));
	get(CLOCK_REALTIME, &t);
	status = day(&v, NULL);
	printf("day: %d, near %d\n", status, v.tv_sec >= t.tv_sec && v.tv_sec - t.tv_sec < 30);
	s = seconds(&stored);
	printf("seconds: stored %d, near %d\n", s == stored,
	       s - t.tv_sec >= -1 && s - t.tv_sec < 30);
	status = (int)cpu(&c, &node, NULL);
	printf("processor: %d, %d, node %u\n", status, c < 64, node);

	/* a child has it, and may do without */
	if (!fork()) {
		status = get(CLOCK_MONOTONIC, &t);
		munmap((void *)base, 4096);
		_exit(!status && !syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &r) &&
				      ns(&r) >= ns(&t)
			      ? 3
			      : 1);
	}
	wait(&status);
	printf("a child's: %d, still %.3s\n", WEXITSTATUS(status), base + 1);
	return 0;
}

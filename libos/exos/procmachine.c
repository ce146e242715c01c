/* SPDX-License-Identifier: MIT
 * The texts of /proc about the machine, as far as it is the family's. */
#include "idle.h"
#include "mm.h"
#include "proc.h"
#include "proc_internal.h"
#include "procfs.h"
#include "swap.h"
#include "time.h"
#include <aril/info.h>
#include <core/print.h>

void proc_text_meminfo(struct proc_text *t, struct proc *p)
{
	u64 total = pages_total(), left = pages_free(), anonymous = 0, tables = 0, locked = 0;
	for (struct list *l = all_procs.next; l != &all_procs; l = l->next) {
		const struct proc *q = container_of(l, struct proc, all);
		struct memory_sums s;
		memory_sum(q, &s);
		anonymous += s.present - min(s.present, s.file);
		locked += s.locked;
		tables += q->mm ? q->mm->tables * 2ul : 0;
	}
	(void)p;
	text_add(t, "MemTotal:       %8lu kB\nMemFree:        %8lu kB\nMemAvailable:   %8lu kB\n",
		 total * 4, left * 4, left * 4);
	text_add(t, "Buffers:        %8u kB\nCached:         %8lu kB\nSwapCached:     %8u kB\n", 0,
		 cache_pages * 4, 0);
	text_add(t, "Active:         %8lu kB\nInactive:       %8u kB\n",
		 (cache_pages + anonymous) * 4, 0);
	text_add(t, "Mlocked:        %8lu kB\nSwapTotal:      %8u kB\nSwapFree:       %8u kB\n",
		 locked * 4, swap_counts.slots * 4, swap_free() * 4);
	text_add(t, "Dirty:          %8u kB\nWriteback:      %8u kB\nAnonPages:      %8lu kB\n", 0,
		 0, anonymous * 4);
	text_add(t, "Shmem:          %8lu kB\nSlab:           %8u kB\nSReclaimable:   %8u kB\n",
		 cache_pages * 4, 0, 0);
	text_add(t, "SUnreclaim:     %8u kB\nPageTables:     %8lu kB\n", 0, tables * 4);
	text_add(t, "CommitLimit:    %8lu kB\nHugePages_Total:   %5u\nHugePages_Free:    %5u\n",
		 (total + swap_counts.slots) * 4, 0, 0);
	text_add(t, "Hugepagesize:       2048 kB\n");
}

static u64 idle_ns(void)
{
	u64 sum = 0;
	for (u32 i = 0; i < family.ncpus; i++)
		sum += ARIL_INFO->cpu[i].idle_ns;
	return sum;
}

void proc_text_uptime(struct proc_text *t, struct proc *p)
{
	u64 up = now_ns() / TICK_NS, idle = idle_ns() / TICK_NS;
	(void)p;
	text_add(t, "%lu.%02lu %lu.%02lu\n", up / 100, up % 100, idle / 100, idle % 100);
}

static void cpuid(u32 leaf, u32 out[4])
{
	__asm__ volatile("cpuid"
			 : "=a"(out[0]), "=b"(out[1]), "=c"(out[2]), "=d"(out[3])
			 : "a"(leaf), "c"(0));
}

/* Names of feature bits of CPUID, as Linux calls those that programs look for. */
struct feature {
	u8 word, bit; /* of leaf 1: edx, ecx; of leaf 7: ebx, ecx; of leaf 0x80000001: edx, ecx */
	const char *name;
};
static const struct feature features[] = {
	{0, 0, "fpu"},	    {0, 4, "tsc"},	 {0, 8, "cx8"},		{0, 15, "cmov"},
	{0, 23, "mmx"},	    {0, 24, "fxsr"},	 {0, 25, "sse"},	{0, 26, "sse2"},
	{1, 0, "pni"},	    {1, 1, "pclmulqdq"}, {1, 9, "ssse3"},	{1, 12, "fma"},
	{1, 13, "cx16"},    {1, 19, "sse4_1"},	 {1, 20, "sse4_2"},	{1, 22, "movbe"},
	{1, 23, "popcnt"},  {1, 25, "aes"},	 {1, 26, "xsave"},	{1, 28, "avx"},
	{1, 29, "f16c"},    {1, 30, "rdrand"},	 {1, 31, "hypervisor"}, {2, 0, "fsgsbase"},
	{2, 3, "bmi1"},	    {2, 5, "avx2"},	 {2, 8, "bmi2"},	{2, 9, "erms"},
	{2, 18, "rdseed"},  {2, 19, "adx"},	 {2, 29, "sha_ni"},	{3, 3, "pku"},
	{4, 11, "syscall"}, {4, 20, "nx"},	 {4, 29, "lm"},		{5, 0, "lahf_lm"},
	{5, 5, "abm"},
};

static void text_features(struct proc_text *t)
{
	u32 word[6], r[4];
	cpuid(1, r);
	word[0] = r[3], word[1] = r[2];
	cpuid(7, r);
	word[2] = r[1], word[3] = r[2];
	cpuid(0x80000001u, r);
	word[4] = r[3], word[5] = r[2];
	text_add(t, "flags\t\t:");
	for (u32 i = 0; i < array_count(features); i++)
		if (word[features[i].word] >> features[i].bit & 1)
			text_add(t, " %s", features[i].name);
	text_add(t, "\n");
}

void proc_text_cpuinfo(struct proc_text *t, struct proc *p)
{
	u32 r[4], name[13] = {0};
	char vendor[13] = {0};
	(void)p;
	cpuid(0, r);
	__builtin_memcpy(vendor, &r[1], 4);
	__builtin_memcpy(vendor + 4, &r[3], 4);
	__builtin_memcpy(vendor + 8, &r[2], 4);
	for (u32 i = 0; i < 3; i++)
		cpuid(0x80000002u + i, &name[i * 4]);
	cpuid(1, r);
	u32 family_id = (r[0] >> 8 & 15) + (r[0] >> 20 & 255),
	    model = (r[0] >> 4 & 15) | (r[0] >> 12 & 0xf0);
	u64 khz = ARIL_INFO->clock.tsc_hz / 1000;
	for (u32 i = 0; i < family.ncpus; i++) {
		text_add(t, "processor\t: %u\nvendor_id\t: %s\ncpu family\t: %u\nmodel\t\t: %u\n",
			 i, vendor, family_id, model);
		text_add(t, "model name\t: %s\nstepping\t: %u\ncpu MHz\t\t: %lu.%03lu\n",
			 (const char *)name, r[0] & 15, khz / 1000, khz % 1000);
		text_add(t, "physical id\t: 0\nsiblings\t: %u\ncore id\t\t: %u\ncpu cores\t: %u\n",
			 family.ncpus, i, family.ncpus);
		text_features(t);
		text_add(t, "\n");
	}
}

void proc_text_version(struct proc_text *t, struct proc *p)
{
	(void)p;
	text_add(t, "%s version %s (ExOS) %s\n", machine_name.sysname, machine_name.release,
		 machine_name.version);
}

u32 threads_runnable(void)
{
	u32 count = 0;
	for (struct list *l = all_procs.next; l != &all_procs; l = l->next) {
		const struct proc *p = container_of(l, struct proc, all);
		for (struct list *at = p->threads.next; at != &p->threads; at = at->next) {
			u32 state = container_of(at, struct thread, sibling)->state;
			count += state == THREAD_RUNNABLE || state == THREAD_RUNNING;
		}
	}
	return count;
}

/* ---- the load: every 5 s the threads that could run, averaged with weights that fall by e in 1, 5, 15 minutes ---- */
#define LOAD_STEP (5 * SECOND)
#define LOAD_ONE 65536ul
static const u64 load_keep[3] = {60298, 64453, 65173}; /* exp(-5 s / 1, 5, 15 min) in 1/65536 */
static u64 load[3];
static struct timer load_timer;

static void load_step(u64 now)
{
	for (u32 i = 0; i < 3; i++)
		load[i] = (load[i] * load_keep[i] + now * (LOAD_ONE - load_keep[i])) / LOAD_ONE;
}

static void load_fire(struct timer *timer)
{
	load_step(threads_runnable() * LOAD_ONE);
	timer_set(timer, now_ns() + LOAD_STEP);
}

/* Nobody asked before: what the processors have done since the start stands for what nobody counted. */
static void load_begin(void)
{
	u64 up = max(now_ns(), 1ul), all = up * family.ncpus, idle = min(idle_ns(), all);
	u64 busy = (all - idle) / (up / LOAD_ONE + 1);
	for (u64 at = 0; at < up; at += LOAD_STEP)
		load_step(busy);
	load_timer.fire = load_fire;
	timer_set(&load_timer, now_ns() + LOAD_STEP);
}

void load_average(u64 to[3])
{
	if (!load_timer.fire)
		load_begin();
	__builtin_memcpy(to, load, sizeof(load));
}

void proc_text_loadavg(struct proc_text *t, struct proc *p)
{
	u32 all = 0, last = 0;
	u64 now[3];
	(void)p;
	load_average(now);
	for (struct list *l = all_procs.next; l != &all_procs; l = l->next) {
		const struct proc *q = container_of(l, struct proc, all);
		all += q->nthreads;
		last = max(last, q->pid);
	}
	for (u32 i = 0; i < 3; i++)
		text_add(t, "%lu.%02lu ", now[i] / LOAD_ONE, now[i] % LOAD_ONE * 100 / LOAD_ONE);
	text_add(t, "%u/%u %u\n", threads_runnable(), all, last);
}

/* What programs had ExOS do, of those that are here and those that were waited for. It does not fall when a process goes that
 * nobody waited for. */
static u64 system_ns(void)
{
	static u64 most;
	u64 sum = 0, user, system;
	for (struct list *l = all_procs.next; l != &all_procs; l = l->next) {
		const struct proc *p = container_of(l, struct proc, all);
		proc_times(p, &user, &system);
		sum += system + p->cstime_ns;
	}
	most = max(most, sum);
	return most;
}

/* Each processor's time as of one instant; what ExOS took of the busy time is divided among them. */
void proc_text_machine_stat(struct proc_text *t, struct proc *p)
{
	u64 now = now_ns(), system = system_ns(), busy[64], all = 0, interrupts = 0, switches = 0;
	u32 cpus_here = min(family.ncpus, 64u);
	(void)p;
	for (u32 i = 0; i < cpus_here; i++) {
		u64 idle = ARIL_INFO->cpu[i].idle_ns;
		busy[i] = now > idle ? now - idle : 0;
		all += busy[i];
		interrupts += ARIL_INFO->cpu[i].interrupts;
		switches += ARIL_INFO->cpu[i].switches;
	}
	system = min(system, all);
	text_add(t, "cpu  %lu 0 %lu %lu 0 0 0 0 0 0\n", (all - system) / TICK_NS, system / TICK_NS,
		 (now * cpus_here - all) / TICK_NS);
	for (u32 i = 0; i < cpus_here; i++) {
		u64 part = all >> 10 ? (busy[i] >> 10) * (system >> 10) / (all >> 10) << 10 : 0;
		part = min(part, busy[i]);
		text_add(t, "cpu%u %lu 0 %lu %lu 0 0 0 0 0 0\n", i, (busy[i] - part) / TICK_NS,
			 part / TICK_NS, (now - busy[i]) / TICK_NS);
	}
	text_add(t, "intr %lu\nctxt %lu\nbtime %ld\nprocesses %lu\n", interrupts, switches,
		 family.realtime_offset / (s64)SECOND, procs_ever);
	text_add(t, "procs_running %u\nprocs_blocked 0\nsoftirq 0\n", threads_runnable());
}

void proc_text_vmstat(struct proc_text *t, struct proc *p)
{
	u64 faults = 0;
	for (struct list *l = all_procs.next; l != &all_procs; l = l->next)
		faults += container_of(l, struct proc, all)->minflt;
	(void)p;
	text_add(t, "nr_free_pages %lu\nnr_file_pages %lu\nnr_shmem %lu\n", pages_free(),
		 cache_pages, cache_pages);
	text_add(t, "pgpgin 0\npgpgout 0\npswpin %lu\npswpout %lu\npgfault %lu\npgmajfault %lu\n",
		 swap_counts.in, swap_counts.out, faults, swap_counts.in);
}

void proc_text_filesystems(struct proc_text *t, struct proc *p)
{
	(void)p;
	text_add(t, "nodev\ttmpfs\nnodev\tproc\n");
}

void proc_text_command_line(struct proc_text *t, struct proc *p)
{
	char line[1024];
	u32 n = 0;
	(void)p;
	while (n < sizeof(line) - 1 && ARIL_INFO->cmdline[n]) {
		line[n] = ARIL_INFO->cmdline[n];
		n++;
	}
	text_bytes(t, line, n);
	text_add(t, "\n");
}

void proc_text_processors(struct proc_text *t, struct proc *p)
{
	(void)p;
	text_add(t, family.ncpus > 1 ? "0-%u\n" : "%u\n", family.ncpus - 1);
}

void proc_text_online(struct proc_text *t, struct proc *p)
{
	(void)p;
	text_ranges(t, family.online);
	text_add(t, "\n");
}

void proc_text_swaps(struct proc_text *t, struct proc *p)
{
	(void)p;
	text_add(t, "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n");
	if (swap_counts.slots)
		text_add(t, "swap                                    partition\t%u\t\t%u\t\t-2\n",
			 swap_counts.slots * 4, swap_counts.used * 4);
}

void proc_text_partitions(struct proc_text *t, struct proc *p)
{
	(void)p;
	text_add(t, "major minor  #blocks  name\n\n");
}

void proc_text_devices(struct proc_text *t, struct proc *p)
{
	(void)p;
	text_add(t, "Character devices:\n  1 mem\n  5 /dev/tty\n  5 /dev/console\n  5 "
		    "/dev/ptmx\n136 pts\n\n"
		    "Block devices:\n");
}

void proc_text_tty_drivers(struct proc_text *t, struct proc *p)
{
	(void)p;
	text_add(t, "/dev/tty             /dev/tty        5       0 system:/dev/tty\n"
		    "/dev/console         /dev/console    5       1 system:console\n"
		    "/dev/ptmx            /dev/ptmx       5       2 system\n"
		    "pty_slave            /dev/pts      136 0-1048575 pty:slave\n");
}

/* ---- /proc/sys ---- */
void proc_text_value(struct proc_text *t, struct proc *p)
{
	(void)p;
	text_add(t, "%lu\n", t->name->value);
}

void proc_text_ostype(struct proc_text *t, struct proc *p)
{
	(void)p;
	text_add(t, "%s\n", machine_name.sysname);
}

void proc_text_osrelease(struct proc_text *t, struct proc *p)
{
	(void)p;
	text_add(t, "%s\n", machine_name.release);
}

void proc_text_osversion(struct proc_text *t, struct proc *p)
{
	(void)p;
	text_add(t, "%s\n", machine_name.version);
}

void proc_text_hostname(struct proc_text *t, struct proc *p)
{
	(void)p;
	text_add(t, "%s\n", machine_name.nodename);
}

void proc_text_domainname(struct proc_text *t, struct proc *p)
{
	(void)p;
	text_add(t, "%s\n", machine_name.domainname);
}

void proc_text_core_pattern(struct proc_text *t, struct proc *p)
{
	(void)p;
	text_add(t, "core\n");
}

/* Descriptors that are open: a file that several share counts for each. */
void proc_text_file_nr(struct proc_text *t, struct proc *p)
{
	u64 count = 0;
	(void)p;
	for (struct list *l = all_procs.next; l != &all_procs; l = l->next) {
		const struct proc *q = container_of(l, struct proc, all);
		for (u32 fd = 0; q->files && fd < q->files->capacity; fd++)
			count += files_file(q->files, fd) != NULL;
	}
	text_add(t, "%lu\t0\t9223372036854775807\n", count);
}

static void text_uuid(struct proc_text *t, const u64 word[2])
{
	text_add(t, "%08x-%04x-4%03x-%04x-%012lx\n", (u32)(word[0] >> 32),
		 (u32)(word[0] >> 16) & 0xffff, (u32)word[0] & 0xfff,
		 (u32)(word[1] >> 48 & 0x3fff) | 0x8000, word[1] & 0xfffffffffffful);
}

void proc_text_uuid(struct proc_text *t, struct proc *p)
{
	u64 word[2] = {device_random(), device_random()};
	(void)p;
	text_uuid(t, word);
}

void proc_text_boot_id(struct proc_text *t, struct proc *p)
{
	static u64 word[2];
	(void)p;
	if (!word[0]) {
		word[0] = device_random();
		word[1] = device_random();
	}
	text_uuid(t, word);
}

/* SPDX-License-Identifier: MIT
 * The texts of /proc: what is true here, in Linux's formats. */
#include "mm.h"
#include "mm_internal.h"
#include "proc.h"
#include "proc_internal.h"
#include "procfs.h"
#include "time.h"
#include "tty.h"
#include <aril/info.h>
#include <core/print.h>

#define TICK_NS 10000000ul

static int text_room(struct proc_text *t, u64 more)
{
	if (t->length + more <= t->capacity)
		return 1;
	u64 n = max(t->capacity * 2, t->length + more + 1024);
	char *grown = t->failed ? NULL : kmalloc(n);
	if (!grown) {
		t->failed = 1;
		return 0;
	}
	if (t->length)
		__builtin_memcpy(grown, t->bytes, t->length);
	kfree(t->bytes);
	t->bytes = grown;
	t->capacity = n;
	return 1;
}

void text_bytes(struct proc_text *t, const void *bytes, u64 count)
{
	if (!count || !text_room(t, count))
		return;
	__builtin_memcpy(t->bytes + t->length, bytes, count);
	t->length += count;
}

void text_add(struct proc_text *t, const char *format, ...)
{
	char line[512];
	__builtin_va_list args;
	__builtin_va_start(args, format);
	int n = core_vformat(line, sizeof(line), format, args);
	__builtin_va_end(args);
	text_bytes(t, line, min((u64)n, sizeof(line) - 1));
}

/* A process's memory, page by page as it is there; what is not is left out. */
static void text_memory(struct proc_text *t, struct proc *p, u64 from, u64 to)
{
	to = min(to, from + 131072);
	for (u64 at = from; p->mm && at < to;) {
		u64 n = min(to - at, PAGE - at % PAGE);
		u64 *word = pages_word(p->mm, at & ~(PAGE - 1), 0);
		if (word && (*word & MAPPED))
			text_bytes(t, (u8 *)mapped_page(*word) + at % PAGE, n);
		at += n;
	}
}

void proc_text_cmdline(struct proc_text *t, struct proc *p)
{
	if (p->mm)
		text_memory(t, p, p->mm->arg_start, p->mm->arg_end);
}

void proc_text_environ(struct proc_text *t, struct proc *p)
{
	if (p->mm)
		text_memory(t, p, p->mm->env_start, p->mm->env_end);
}

void proc_text_maps(struct proc_text *t, struct proc *p)
{
	for (struct list *l = p->mm ? p->mm->areas.next : NULL; l && l != &p->mm->areas;
	     l = l->next) {
		struct area *a = container_of(l, struct area, link);
		char *name = a->inode ? tree_name_of(a->inode) : NULL;
		const char *what = name ? name : "";
		if (!a->inode && a->start < p->mm->brk && a->end > p->mm->brk_start)
			what = "[heap]";
		else if (!a->inode && p->mm->arg_start >= a->start && p->mm->arg_start < a->end)
			what = "[stack]";
		else if (!a->inode && p->mm->vdso == a->start)
			what = "[vdso]";
		text_add(t, "%08lx-%08lx %c%c%c%c %08lx 00:%02x %lu", a->start, a->end,
			 a->prot & PROT_READ ? 'r' : '-', a->prot & PROT_WRITE ? 'w' : '-',
			 a->prot & PROT_EXEC ? 'x' : '-', a->flags & MAP_SHARED ? 's' : 'p',
			 a->offset, a->inode ? a->inode->device : 0,
			 a->inode ? a->inode->ino : 0ul);
		if (*what)
			text_add(t, " %30s%s", "", what);
		text_add(t, "\n");
		kfree(name);
	}
}

static u64 mm_pages(const struct proc *p)
{
	u64 pages = 0;
	for (struct list *l = p->mm ? p->mm->areas.next : NULL; l && l != &p->mm->areas;
	     l = l->next) {
		struct area *a = container_of(l, struct area, link);
		pages += (a->end - a->start) / PAGE;
	}
	return pages;
}

/* The thread that a text is about; NULL: it is about the process. */
static const struct thread *text_thread(const struct proc_text *t, const struct proc *p)
{
	return t->tid != p->pid ? thread_find(t->tid) : NULL;
}

static char state_letter(const struct proc *p)
{
	if (p->state == PROC_ZOMBIE)
		return 'Z';
	if (p->state == PROC_STOPPED)
		return 'T';
	for (struct list *at = p->threads.next; at != &p->threads; at = at->next)
		if (container_of(at, struct thread, sibling)->state != THREAD_SLEEPING)
			return 'R';
	return 'S';
}

static char text_state(const struct proc_text *t, const struct proc *p)
{
	const struct thread *one = text_thread(t, p);
	if (!one || p->state != PROC_ALIVE)
		return state_letter(p);
	return one->state == THREAD_SLEEPING ? 'S' : 'R';
}

void proc_text_stat(struct proc_text *t, struct proc *p)
{
	u64 user = 0, system = 0;
	const struct thread *one = text_thread(t, p), *th = one ? one : proc_leader(p);
	proc_times(p, &user, &system);
	if (one) {
		user = ticks_ns(one->user_ticks);
		system = ticks_ns(one->system_ticks);
	}
	text_add(t, "%u (%s) %c %u %u %u %d %d 0 %lu 0 %lu 0 ", one ? one->tid : p->pid,
		 one ? one->comm : p->comm, text_state(t, p), p->ppid, p->pgid, p->sid,
		 p->tty ? (int)p->tty->rdev : 0, p->tty ? (int)p->tty->foreground : -1, p->minflt,
		 p->majflt);
	text_add(t, "%lu %lu %lu %lu 20 0 %u 0 %lu %lu %lu %lu ", user / TICK_NS, system / TICK_NS,
		 p->cutime_ns / TICK_NS, p->cstime_ns / TICK_NS, max(p->nthreads, 1u),
		 p->start_ns / TICK_NS, mm_pages(p) * PAGE, p->mm ? p->mm->rss : 0ul,
		 p->limit_cur[RLIMIT_RSS]);
	text_add(t, "1 1 %lu 0 0 %lu %lu 0 0 0 0 0 %u 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n",
		 p->mm ? p->mm->stack_top : 0ul, th ? th->pending.set : 0ul,
		 th ? th->sig_mask : 0ul, p->exit_signal);
}

void proc_text_statm(struct proc_text *t, struct proc *p)
{
	text_add(t, "%lu %lu 0 0 0 0 0\n", mm_pages(p), p->mm ? p->mm->rss : 0ul);
}

static void text_signals(struct proc_text *t, const struct proc *p)
{
	const struct thread *one = text_thread(t, p), *th = one ? one : proc_leader(p);
	u64 ignored = 0, caught = 0;
	for (u32 i = 0; p->sig && i < NSIG; i++) {
		if (p->sig->action[i].handler == SIG_IGN)
			ignored |= 1ul << i;
		else if (p->sig->action[i].handler != SIG_DFL)
			caught |= 1ul << i;
	}
	text_add(t,
		 "SigPnd:\t%016lx\nShdPnd:\t%016lx\nSigBlk:\t%016lx\nSigIgn:\t%016lx\nSigCgt:\t%"
		 "016lx\n",
		 th ? th->pending.set : 0ul, p->pending.set, th ? th->sig_mask : 0ul, ignored,
		 caught);
}

void proc_text_status(struct proc_text *t, struct proc *p)
{
	static const char *const names[] = {"R (running)", "S (sleeping)", "T (stopped)",
					    "Z (zombie)"};
	char s = text_state(t, p);
	const struct thread *one = text_thread(t, p);
	text_add(t,
		 "Name:\t%s\nUmask:\t%04o\nState:\t%s\nTgid:\t%u\nPid:\t%u\nPPid:\t%u\nTracerPid:"
		 "\t0\n",
		 one ? one->comm : p->comm, p->fs ? p->fs->umask : 0,
		 names[s == 'R'	  ? 0
		       : s == 'S' ? 1
		       : s == 'T' ? 2
				  : 3],
		 p->pid, one ? one->tid : p->pid, p->ppid);
	text_add(t, "Uid:\t%u\t%u\t%u\t%u\nGid:\t%u\t%u\t%u\t%u\nFDSize:\t%u\n", p->uid, p->euid,
		 p->suid, p->euid, p->gid, p->egid, p->sgid, p->egid,
		 p->files ? p->files->capacity : 0);
	if (p->mm)
		text_add(t, "VmSize:\t%8lu kB\nVmRSS:\t%8lu kB\n", mm_pages(p) * 4, p->mm->rss * 4);
	text_add(t, "Threads:\t%u\n", p->nthreads);
	text_signals(t, p);
}

void proc_text_comm(struct proc_text *t, struct proc *p)
{
	const struct thread *one = text_thread(t, p);
	text_add(t, "%s\n", one ? one->comm : p->comm);
}

void proc_text_limits(struct proc_text *t, struct proc *p)
{
	static const char *const names[] = {
		"Max cpu time",	       "Max file size",	     "Max data size",
		"Max stack size",      "Max core file size", "Max resident set",
		"Max processes",       "Max open files",     "Max locked memory",
		"Max address space",   "Max file locks",     "Max pending signals",
		"Max msgqueue size",   "Max nice priority",  "Max realtime priority",
		"Max realtime timeout"};
	text_add(t, "%-25s %-20s %-20s\n", "Limit", "Soft Limit", "Hard Limit");
	for (u32 i = 0; i < array_count(names); i++) {
		char cur[24] = "unlimited", most[24] = "unlimited";
		if (p->limit_cur[i] != RLIM_INFINITY)
			core_format(cur, sizeof(cur), "%lu", p->limit_cur[i]);
		if (p->limit_max[i] != RLIM_INFINITY)
			core_format(most, sizeof(most), "%lu", p->limit_max[i]);
		text_add(t, "%-25s %-20s %-20s\n", names[i], cur, most);
	}
}

void proc_text_mounts(struct proc_text *t, struct proc *p)
{
	(void)p;
	text_add(t, "archive / tmpfs rw 0 0\nproc /proc proc rw 0 0\n");
}

void proc_text_meminfo(struct proc_text *t, struct proc *p)
{
	(void)p;
	text_add(t, "MemTotal:       %8lu kB\nMemFree:        %8lu kB\nMemAvailable:   %8lu kB\n",
		 pages_total() * 4, pages_free() * 4, pages_free() * 4);
	text_add(t,
		 "Buffers:        %8u kB\nCached:         %8u kB\nSwapTotal:      %8u "
		 "kB\nSwapFree:       %8u kB\n",
		 0, 0, 0, 0);
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
		text_add(t, "model name\t: %s\nstepping\t: %u\ncpu MHz\t\t: %lu.%03lu\n\n",
			 (const char *)name, r[0] & 15, khz / 1000, khz % 1000);
	}
}

void proc_text_version(struct proc_text *t, struct proc *p)
{
	(void)p;
	text_add(t, "Linux version 6.1.0-aril (ExOS) #1 SMP\n");
}

void proc_text_machine_stat(struct proc_text *t, struct proc *p)
{
	u64 up = now_ns() / TICK_NS * family.ncpus, idle = idle_ns() / TICK_NS;
	(void)p;
	text_add(t, "cpu  %lu 0 0 %lu 0 0 0 0 0 0\n", up > idle ? up - idle : 0ul, idle);
	for (u32 i = 0; i < family.ncpus; i++) {
		u64 mine = ARIL_INFO->cpu[i].idle_ns / TICK_NS, all = now_ns() / TICK_NS;
		text_add(t, "cpu%u %lu 0 0 %lu 0 0 0 0 0 0\n", i, all > mine ? all - mine : 0ul,
			 mine);
	}
	text_add(t, "btime %ld\n", family.realtime_offset / (s64)SECOND);
}

void proc_text_loadavg(struct proc_text *t, struct proc *p)
{
	u32 all = 0, running = 0, last = 0;
	(void)p;
	for (struct list *l = all_procs.next; l != &all_procs; l = l->next) {
		struct proc *q = container_of(l, struct proc, all);
		all++;
		running += state_letter(q) == 'R';
		last = max(last, q->pid);
	}
	text_add(t, "0.00 0.00 0.00 %u/%u %u\n", running, all, last);
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

s64 proc_fd_name(struct proc *p, u32 fd, char *to, usize bytes)
{
	struct file *f = p->files ? files_file(p->files, fd) : NULL;
	char text[64];
	if (!f)
		return -ENOENT;
	const char *name = f->path;
	if (!name) {
		core_format(text, sizeof(text), "%s:[%lu]",
			    S_ISFIFO(f->inode->mode)   ? "pipe"
			    : S_ISSOCK(f->inode->mode) ? "socket"
						       : "file",
			    f->inode->ino);
		name = text;
	}
	usize n = min(__builtin_strlen(name), bytes);
	__builtin_memcpy(to, name, n);
	return (s64)n;
}

/* SPDX-License-Identifier: MIT
 * The texts of /proc about a process: what is true here, in Linux's formats. */
#include "mm.h"
#include "mm_internal.h"
#include "proc.h"
#include "proc_internal.h"
#include "procfs.h"
#include "sched.h"
#include "swap.h"
#include "tty.h"
#include <core/print.h>

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

static void text_swapped(struct proc_text *t, u32 slot, u64 from, u64 n)
{
	u8 *page = page_alloc(0);

	if (page && !swap_read(page, slot))
		text_bytes(t, page + from, n);
	if (page)
		page_put(page);
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
		else if (word && *word & SWAPPED)
			text_swapped(t, swapped_slot(*word), at % PAGE, n);
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
	const struct thread *leader =
		proc_leader(p); /* whose state it is with Linux, whatever the others do */
	return !leader || leader->state == THREAD_SLEEPING ? 'S' : 'R';
}

static char text_state(const struct proc_text *t, const struct proc *p)
{
	const struct thread *one = text_thread(t, p);
	if (!one || p->state != PROC_ALIVE)
		return state_letter(p);
	return one->state == THREAD_SLEEPING ? 'S' : 'R';
}

static void signal_actions(const struct proc *p, u64 *ignored, u64 *caught)
{
	*ignored = *caught = 0;
	for (u32 i = 0; p->sig && i < NSIG; i++) {
		if (p->sig->action[i].handler == SIG_IGN)
			*ignored |= 1ul << i;
		else if (p->sig->action[i].handler != SIG_DFL)
			*caught |= 1ul << i;
	}
}

void proc_text_stat(struct proc_text *t, struct proc *p)
{
	static const struct mm none;
	const struct mm *mm = p->mm ? p->mm : &none;
	u64 user = 0, system = 0, ignored, caught;
	const struct thread *one = text_thread(t, p), *th = one ? one : proc_leader(p);
	struct memory_sums sums;
	memory_sum(p, &sums);
	signal_actions(p, &ignored, &caught);
	proc_times(p, &user, &system);
	if (one) {
		user = ticks_ns(one->user_ticks);
		system = ticks_ns(one->system_ticks);
	}
	text_add(t, "%u (%s) %c %u %u %u %d %d 0 %lu 0 %lu 0 ", one ? one->tid : p->pid,
		 one ? one->comm : p->comm, text_state(t, p), p->ppid, p->pgid, p->sid,
		 p->tty ? (int)p->tty->rdev : 0, p->tty ? (int)p->tty->foreground : -1, p->minflt,
		 p->majflt);
	text_add(t, "%lu %lu %lu %lu %d %d %u 0 %lu %lu %lu %lu ", user / TICK_NS, system / TICK_NS,
		 p->cutime_ns / TICK_NS, p->cstime_ns / TICK_NS, 20 + (th ? th->nice : 0),
		 th ? th->nice : 0, max(p->nthreads, 1u), p->start_ns / TICK_NS, sums.mapped * PAGE,
		 sums.present, p->limit_cur[RLIMIT_RSS]);
	text_add(t,
		 "1 1 %lu 0 0 %lu %lu %lu %lu 0 0 0 %u 0 0 %u 0 0 0 0 0 %lu %lu %lu %lu %lu %d\n",
		 mm->stack_top, th ? th->pending.set & 0x7fffffff : 0ul,
		 th ? th->sig_mask & 0x7fffffff : 0ul, ignored & 0x7fffffff, caught & 0x7fffffff,
		 p->exit_signal, th ? th->policy : 0u, mm->brk_start, mm->arg_start, mm->arg_end,
		 mm->env_start, mm->env_end, p->state == PROC_ZOMBIE ? p->exit_status : 0);
}

static void text_signals(struct proc_text *t, const struct proc *p)
{
	const struct thread *one = text_thread(t, p), *th = one ? one : proc_leader(p);
	u64 ignored, caught;
	signal_actions(p, &ignored, &caught);
	text_add(t, "SigQ:\t%u/%lu\n", p->sig_queued, p->limit_cur[RLIMIT_SIGPENDING]);
	text_add(t, "SigPnd:\t%016lx\nShdPnd:\t%016lx\nSigBlk:\t%016lx\n",
		 th ? th->pending.set : 0ul, p->pending.set, th ? th->sig_mask : 0ul);
	text_add(t, "SigIgn:\t%016lx\nSigCgt:\t%016lx\n", ignored, caught);
}

static void text_memory_use(struct proc_text *t, const struct proc *p)
{
	struct memory_sums s;
	if (!p->mm)
		return;
	memory_sum(p, &s);
	text_add(t, "VmSize:\t%8lu kB\nVmLck:\t%8lu kB\nVmPin:\t%8u kB\nVmRSS:\t%8lu kB\n",
		 s.mapped * 4, s.locked * 4, 0, s.present * 4);
	text_add(t, "RssAnon:\t%8lu kB\nRssFile:\t%8lu kB\nRssShmem:\t%8u kB\n",
		 (s.present - s.file) * 4, s.file * 4, 0);
	text_add(t, "VmData:\t%8lu kB\nVmStk:\t%8lu kB\nVmExe:\t%8lu kB\n", s.data * 4, s.stack * 4,
		 s.text * 4);
	text_add(t, "VmPTE:\t%8u kB\nVmSwap:\t%8u kB\n", p->mm->tables * 8,
		 (u32)p->mm->swapped * 4);
}

void text_ranges(struct proc_text *t, u64 mask)
{
	const char *comma = "";

	for (u32 i = 0; i < 64; i++) {
		u32 first = i;

		if (!(mask >> i & 1))
			continue;
		while (i < 63 && mask >> (i + 1) & 1)
			i++;
		text_add(t, first == i ? "%s%u" : "%s%u-%u", comma, first, i);
		comma = ",";
	}
}

/* All of them, or those of a thread: as a mask, 32 bits a group, and as ranges. */
static void text_processors(struct proc_text *t, const struct thread *th)
{
	u64 mask = th ? sched_cpus(th) : family.online;
	if (mask >> 32)
		text_add(t, "Cpus_allowed:\t%x,%08x\nCpus_allowed_list:\t", (u32)(mask >> 32),
			 (u32)mask);
	else
		text_add(t, "Cpus_allowed:\t%x\nCpus_allowed_list:\t", (u32)mask);
	text_ranges(t, mask);
	text_add(t, "\nMems_allowed:\t1\nMems_allowed_list:\t0\n");
}

void proc_text_status(struct proc_text *t, struct proc *p)
{
	static const char *const names[] = {"R (running)", "S (sleeping)", "T (stopped)",
					    "Z (zombie)"};
	char s = text_state(t, p);
	const struct thread *one = text_thread(t, p);
	text_add(t,
		 "Name:\t%s\nUmask:\t%04o\nState:\t%s\nTgid:\t%u\nNgid:\t0\nPid:\t%u\nPPid:\t%u\n"
		 "TracerPid:\t0\n",
		 one ? one->comm : p->comm, p->fs ? p->fs->umask : 0,
		 names[s == 'R'	  ? 0
		       : s == 'S' ? 1
		       : s == 'T' ? 2
				  : 3],
		 p->pid, one ? one->tid : p->pid, p->ppid);
	text_add(t, "Uid:\t%u\t%u\t%u\t%u\nGid:\t%u\t%u\t%u\t%u\nFDSize:\t%u\nGroups:\t", p->uid,
		 p->euid, p->suid, p->euid, p->gid, p->egid, p->sgid, p->egid,
		 p->files ? p->files->capacity : 0);
	for (u32 i = 0; i < p->ngroups; i++)
		text_add(t, "%u ", p->groups[i]);
	text_add(t, "\nNStgid:\t%u\nNSpid:\t%u\nNSpgid:\t%u\nNSsid:\t%u\n", p->pid,
		 one ? one->tid : p->pid, p->pgid, p->sid);
	text_memory_use(t, p);
	text_add(t, "Threads:\t%u\n", p->nthreads);
	text_signals(t, p);
	text_add(t, "CapInh:\t%016lx\nCapPrm:\t%016lx\nCapEff:\t%016lx\nCapBnd:\t%016lx\n",
		 p->caps.inheritable, p->caps.permitted, p->caps.effective, p->caps.bounding);
	text_add(t, "CapAmb:\t%016lx\nNoNewPrivs:\t%u\nSeccomp:\t0\n", p->caps.ambient,
		 p->no_new_privs);
	text_processors(t, one ? one : proc_leader(p));
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
	text_add(t, "archive / tmpfs rw 0 0\nproc /proc proc rw 0 0\nsysfs /sys sysfs ro 0 0\n");
}

void proc_text_mountinfo(struct proc_text *t, struct proc *p)
{
	(void)p;
	text_add(t,
		 "1 1 0:%u / / rw - tmpfs archive rw\n2 1 0:%u / /proc rw - proc proc rw\n"
		 "3 1 0:%u / /sys ro - sysfs sysfs ro\n",
		 DEVICE_ROOT, DEVICE_PROC, DEVICE_PROC);
}

void proc_text_cgroup(struct proc_text *t, struct proc *p)
{
	(void)p;
	text_add(t, "0::/\n");
}

void proc_text_wchan(struct proc_text *t, struct proc *p)
{
	(void)p;
	text_add(t, "0"); /* nobody names the places where threads wait */
}

void proc_text_personality(struct proc_text *t, struct proc *p)
{
	text_add(t, "%08x\n", p->personality);
}

/* What of the family's memory it has, in thousandths. */
void proc_text_oom_score(struct proc_text *t, struct proc *p)
{
	text_add(t, "%lu\n", p->mm ? p->mm->rss * 1000 / max(pages_total(), 1ul) : 0ul);
}

void proc_text_fdinfo(struct proc_text *t, struct proc *p)
{
	const struct file *f = p->files ? files_file(p->files, (u32)t->key) : NULL;
	if (!f)
		return;
	u32 cloexec = p->files->slots[t->key].cloexec ? O_CLOEXEC : 0;
	text_add(t, "pos:\t%lu\nflags:\t0%o\nmnt_id:\t%u\nino:\t%lu\n", file_offset(f),
		 f->flags | cloexec, f->inode->device == DEVICE_PROC ? 2 : 1, f->inode->ino);
}

s64 proc_fd_name(struct proc *p, u32 fd, char *to, usize bytes)
{
	struct file *f = p->files ? files_file(p->files, fd) : NULL;
	char text[64];
	if (!f)
		return -ENOENT;
	char *path = file_path(f);
	const char *name = path;
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
	kfree(path);
	return (s64)n;
}

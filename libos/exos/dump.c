/* SPDX-License-Identifier: MIT
 * Core files: an ELF file of a process as a signal ends it, in the layout that debuggers know from Linux.
 *
 * Who dumps marks the others as ending and waits until each has come to leave ExOS, where its registers are whole; there it
 * copies them for the dump and waits until that is over (dump_stop). One that ends otherwise is not seen. The file is written from the
 * front: a place for the headers, notes, then memory; the headers last, when it is known what lies where. Pages of zeros
 * and pages that the program never touched are holes. */
#include "dump.h"
#include "inode.h"
#include "mm_internal.h"
#include "proc_internal.h"
#include "rewrite.h"
#include "sched.h"
#include "swap.h"
#include <aril/info.h>
#include <core/domain.h>
#include <core/elf64.h>
#include <core/print.h>
#include <core/string.h>

#define THREAD_STATE_AT 1024ul /* of struct dumped in its page: the vector state */
#define XCR0_AT 464	       /* where debuggers look for it in NT_X86_XSTATE */
#define FXSAVE_BYTES 512u
#define AUXV_BYTES 640
#define ARGS_BYTES 80
#define LEAF_BYTES (512 * PAGE)

enum note_type {
	NT_PRSTATUS = 1,
	NT_FPREGSET = 2,
	NT_PRPSINFO = 3,
	NT_AUXV = 6,
	NT_FILE = 0x46494c45,
	NT_SIGINFO = 0x53494749,
	NT_X86_XSTATE = 0x202,
};

struct note_status {
	s32 signo, code, errnum;
	u16 current_signal, pad;
	u64 pending, blocked;
	s32 pid, ppid, pgrp, sid;
	struct linux_timeval utime, stime, cutime, cstime;
	struct user_regs regs;
	u64 fs_base, gs_base, ds, es, fs, gs;
	s32 vectors_valid, pad2;
};
ARIL_ASSERT_SIZE(struct note_status, 336);

struct note_process {
	u8 state;
	char letter;
	u8 zombie, nice;
	u64 flags;
	u32 uid, gid;
	s32 pid, ppid, pgrp, sid;
	char name[16], args[ARGS_BYTES];
};
ARIL_ASSERT_SIZE(struct note_process, 136);

/* A thread as it was; a page, with its vector state behind. */
struct dumped {
	struct dumped *next;
	u32 tid;
	u64 pending, blocked, fs_base;
	struct user_regs regs;
};
_Static_assert(sizeof(struct dumped) <= THREAD_STATE_AT, "struct dumped");

struct dump {
	struct thread *by;
	u32 stopped;		     /* others that have come */
	struct waitq gather, finish; /* `by` sleeps on the first, the others on the second */
	struct dumped *threads;	     /* the others */
	struct inode *file;
	u64 at, limit; /* bytes written, and how many may be */
	s64 error;
};

struct inode *dump_last;

static u8 *dumped_vectors(struct dumped *d)
{
	return (u8 *)d + THREAD_STATE_AT;
}

/* The current thread with regs. NULL: no memory. */
static struct dumped *dumped_take(const struct thread *t, const struct user_regs *regs)
{
	struct dumped *d = page_zalloc(0);

	if (!d)
		return NULL;
	d->tid = t->tid;
	d->pending = t->pending.set & ~SIG_BIT(SIGKILL);
	d->blocked = t->sig_mask;
	d->regs = *regs;
	d->regs.rip = rewrite_shown(regs->rip);
	__asm__ volatile("rdfsbase %0" : "=r"(d->fs_base));
	vector_save(dumped_vectors(d));
	*(u64 *)(dumped_vectors(d) + XCR0_AT) = ARIL_INFO->xcr0;
	return d;
}

void dump_stop(struct thread *t, struct user_regs *regs)
{
	struct dump *dump = t->proc->dump;

	if (!dump || dump->by == t)
		return;
	struct dumped *d = dumped_take(t, regs);
	if (d) {
		d->next = dump->threads;
		dump->threads = d;
	}
	dump->stopped++;
	wake_all(&dump->gather);
	sleep_on(&dump->finish, 0, 0);
}

void dump_thread_ended(struct proc *p)
{
	if (p->dump)
		wake_all(&p->dump->gather);
}

/* ---- the file ---- */

/* Bytes at an offset, as far as the limit goes. */
static void dump_put(struct dump *d, const void *from, u64 bytes, u64 at)
{
	if (d->error || at >= d->limit)
		return;
	s64 n = inode_write_kernel(d->file, from, min(bytes, d->limit - at), at);
	if (n < 0)
		d->error = n;
}

static void dump_append(struct dump *d, const void *from, u64 bytes)
{
	dump_put(d, from, bytes, d->at);
	d->at += bytes;
}

static void note_begin(struct dump *d, const char *name, u32 type, u64 bytes)
{
	struct {
		u32 name_bytes, bytes, type;
		char name[8];
	} head = {.name_bytes = (u32)strlen(name) + 1, .bytes = (u32)bytes, .type = type};

	core_copy_string(head.name, name, sizeof(head.name));
	dump_append(d, &head, sizeof(head));
}

static void note(struct dump *d, const char *name, u32 type, const void *from, u64 bytes)
{
	static const u8 zeros[4];

	note_begin(d, name, type, bytes);
	dump_append(d, from, bytes);
	dump_append(d, zeros, -bytes & 3);
}

static void time_fill(struct linux_timeval *to, u64 ns)
{
	to->sec = (s64)(ns / 1000000000);
	to->usec = (s64)(ns % 1000000000 / 1000);
}

static void note_thread(struct dump *d, struct dumped *one, const struct siginfo_k *info)
{
	const struct proc *p = d->by->proc;
	struct note_status s = {
		.signo = info->signo,
		.code = info->code,
		.errnum = info->errnum,
		.current_signal = (u16)info->signo,
		.pending = one->pending,
		.blocked = one->blocked,
		.pid = (s32)one->tid,
		.ppid = (s32)p->ppid,
		.pgrp = (s32)p->pgid,
		.sid = (s32)p->sid,
		.regs = one->regs,
		.fs_base = one->fs_base,
		.vectors_valid = 1,
	};
	u64 user, system;

	proc_times(p, &user, &system);
	time_fill(&s.utime, user);
	time_fill(&s.stime, system);
	time_fill(&s.cutime, p->cutime_ns);
	time_fill(&s.cstime, p->cstime_ns);
	note(d, "CORE", NT_PRSTATUS, &s, sizeof(s));
}

static void note_vectors(struct dump *d, struct dumped *one)
{
	note(d, "CORE", NT_FPREGSET, dumped_vectors(one), FXSAVE_BYTES);
	note(d, "LINUX", NT_X86_XSTATE, dumped_vectors(one), ARIL_INFO->xsave_bytes);
}

static void note_program(struct dump *d)
{
	const struct proc *p = d->by->proc;
	u64 bytes = min(p->mm->arg_end - p->mm->arg_start, (u64)ARGS_BYTES - 1);
	struct note_process n = {
		.letter = 'R',
		.uid = p->uid,
		.gid = p->gid,
		.pid = (s32)p->pid,
		.ppid = (s32)p->ppid,
		.pgrp = (s32)p->pgid,
		.sid = (s32)p->sid,
	};

	memcpy(n.name, p->comm, sizeof(n.name));
	if (copy_in(n.args, p->mm->arg_start, bytes))
		memset(n.args, 0, sizeof(n.args));
	for (u64 i = 0; i + 1 < bytes; i++)
		if (!n.args[i])
			n.args[i] = ' ';
	note(d, "CORE", NT_PRPSINFO, &n, sizeof(n));
}

static void note_auxv(struct dump *d)
{
	u64 auxv[AUXV_BYTES / 8], words = 0;

	if (!d->by->proc->mm->auxv)
		return;
	do {
		if (copy_in(&auxv[words], d->by->proc->mm->auxv + words * 8, 16))
			return;
		words += 2;
	} while (auxv[words - 2] && words + 2 <= AUXV_BYTES / 8);
	note(d, "CORE", NT_AUXV, auxv, words * 8);
}

static struct area *area_at(struct list *at)
{
	return container_of(at, struct area, link);
}

/* A file's name for NT_FILE, or NULL. The caller's to free. */
static char *file_name(const struct area *area)
{
	return area->inode && area->inode->nlink ? tree_name_of(area->inode) : NULL;
}

/* Files that are mapped: their number, the unit of offsets, for each from, to, offset; then their names. */
static void note_files(struct dump *d)
{
	struct mm *mm = d->by->proc->mm;
	u64 head[2] = {0, PAGE}, bytes = sizeof(head);

	for (struct list *at = mm->areas.next; at != &mm->areas; at = at->next) {
		char *name = file_name(area_at(at));

		if (!name)
			continue;
		head[0]++;
		bytes += 24 + strlen(name) + 1;
		kfree(name);
	}
	note_begin(d, "CORE", NT_FILE, bytes);
	u64 words = d->at, names = d->at + sizeof(head) + head[0] * 24;
	dump_put(d, head, sizeof(head), words);
	words += sizeof(head);
	for (struct list *at = mm->areas.next; at != &mm->areas; at = at->next) {
		const struct area *area = area_at(at);
		char *name = file_name(area);
		u64 word[3] = {area->start, area->end, area->offset / PAGE};

		if (!name)
			continue;
		dump_put(d, word, sizeof(word), words);
		dump_put(d, name, strlen(name) + 1, names);
		words += sizeof(word);
		names += strlen(name) + 1;
		kfree(name);
	}
	d->at = (names + 3) & ~3ul;
}

static void notes(struct dump *d, struct dumped *own, const struct siginfo_k *info)
{
	struct linux_siginfo full;

	siginfo_to_linux(info, &full);
	note_thread(d, own, info);
	note_program(d);
	note(d, "CORE", NT_SIGINFO, &full, sizeof(full));
	note_auxv(d);
	note_files(d);
	note_vectors(d, own);
	for (struct dumped *one = d->threads; one; one = one->next) {
		note_thread(d, one, info);
		note_vectors(d, one);
	}
}

/* ---- memory ---- */

static int is_zero(const void *page)
{
	const u64 *word = page;

	for (u32 i = 0; i < PAGE / 8; i++)
		if (word[i])
			return 0;
	return 1;
}

/* How many bytes of an area the file gets: what has been changed of a private mapping or is no file's, all of it; of other
 * files' their first page where it is an ELF header, by which debuggers know which file it was. */
static u64 area_bytes(struct mm *mm, const struct area *area)
{
	struct page_walk w;

	if (area->flags & AREA_NO_DUMP)
		return 0;
	if (!area->inode)
		return area->end - area->start;
	if (area->flags & MAP_SHARED)
		return area->inode->nlink ? 0 : area->end - area->start;
	if (!(area->prot & PROT_EXEC)) {
		pages_walk(&w, mm, area->start, area->end, LEAF_USED);
		while (page_next(&w))
			if (*w.word & MAPPED_OWN)
				return area->end - area->start;
	}
	u8 magic[4] = {0};
	return area->offset == 0 && inode_read_kernel(area->inode, magic, 4, 0) == 4 &&
			       magic[0] == 0x7f && magic[1] == 'E' && magic[2] == 'L' &&
			       magic[3] == 'F'
		       ? PAGE
		       : 0;
}

/* The page at va into the file, wherever it is; a hole where there is nothing but zeros. */
static void page_dump(struct dump *d, struct mm *mm, const struct area *area, u64 va, u64 at)
{
	u64 *word = pages_word(mm, va, 0);

	sched_breathe();
	if (word && *word & MAPPED) {
		if (!is_zero(mapped_page(*word)))
			dump_put(d, mapped_page(*word), PAGE, at);
		return;
	}
	int swapped = word && *word & SWAPPED;
	if (!area->inode && !swapped)
		return;
	u8 *page = page_zalloc(0);
	if (!page)
		return;
	if (swapped) {
		if (!swap_read(page, swapped_slot(*word)) && !is_zero(page))
			dump_put(d, page, PAGE, at);
	} else if (inode_read_kernel(area->inode, page, PAGE, area->offset + (va - area->start)) >
			   0 &&
		   !is_zero(page))
		dump_put(d, page, PAGE, at);
	page_put(page);
}

static void area_dump(struct dump *d, struct mm *mm, const struct area *area, u64 bytes)
{
	u64 stop = area->start + bytes;
	struct page_walk w;

	if (area->inode || mm->swapped) {
		for (u64 va = area->start; va < stop && !d->error; va += PAGE)
			if (area->inode || leaf_find(mm, va, 0))
				page_dump(d, mm, area, va, d->at + (va - area->start));
			else /* nothing is there up to the next leaf */
				va |= LEAF_BYTES - PAGE;
	} else {
		pages_walk(&w, mm, area->start, stop, LEAF_USED);
		while (!d->error && page_next(&w))
			page_dump(d, mm, area, w.va, d->at + (w.va - area->start));
	}
	d->at += bytes;
}

static u32 segment_flags(u32 prot)
{
	return (prot & PROT_EXEC ? 1 : 0) | (prot & PROT_WRITE ? 2 : 0) |
	       (prot & PROT_READ ? 4 : 0);
}

static void dump_write(struct dump *d, struct dumped *own, const struct siginfo_k *info)
{
	struct mm *mm = d->by->proc->mm;
	struct elf64_header e = {
		.ident = {0x7f, 'E', 'L', 'F', 2, 1, 1},
		.type = ELF64_CORE,
		.machine = ELF64_X86_64,
		.version = 1,
		.segments = sizeof(e),
		.bytes = sizeof(e),
		.segment_bytes = sizeof(struct elf64_segment),
		.nsegments = 1,
	};

	for (struct list *at = mm->areas.next; at != &mm->areas; at = at->next)
		e.nsegments++;
	u64 header = sizeof(e) + e.nsegments * sizeof(struct elf64_segment), put = sizeof(e);
	d->at = header;
	notes(d, own, info);
	struct elf64_segment s = {
		.type = ELF64_NOTE, .offset = header, .file_bytes = d->at - header, .align = 4};
	dump_put(d, &e, sizeof(e), 0);
	dump_put(d, &s, sizeof(s), put);
	d->at = page_up(d->at);
	for (struct list *at = mm->areas.next; at != &mm->areas; at = at->next) {
		const struct area *area = area_at(at);

		s = (struct elf64_segment){.type = ELF64_LOAD,
					   .flags = segment_flags(area->prot),
					   .offset = d->at,
					   .va = area->start,
					   .file_bytes = area_bytes(mm, area),
					   .bytes = area->end - area->start,
					   .align = PAGE};
		put += sizeof(s);
		dump_put(d, &s, sizeof(s), put);
		area_dump(d, mm, area, s.file_bytes);
	}
	u64 end = min(d->at, d->limit);
	if (!d->error && inode_size(d->file) < end) /* it ends in a hole */
		d->error = inode_resize(d->file, end);
}

/* `core` in the process's directory, empty: a new file, or one that is its owner's alone. NULL: it may not be written. */
static struct inode *dump_create(struct proc *p)
{
	struct inode *dir = p->fs->cwd;
	struct dentry *there = tree_find(dir, "core", 4);

	if (there) {
		struct inode *i = there->inode;

		if (!S_ISREG(i->mode) || i->nlink != 1 || i->uid != p->euid ||
		    inode_permission(i, W_OK) || inode_resize(i, 0))
			return NULL;
		inode_get(i);
		return i;
	}
	if (dir->device != DEVICE_ROOT || inode_permission(dir, W_OK | X_OK))
		return NULL;
	struct inode *i = inode_create(S_IFREG | (0600 & ~p->fs->umask), DEVICE_ROOT);
	if (!i)
		return NULL;
	if (!tree_add(dir, "core", 4, i)) {
		inode_put(i);
		return NULL;
	}
	return i;
}

/* Others of the process, at the place where their registers are whole. */
static void others_stop(struct dump *d, struct proc *p, int sig)
{
	proc_kill(p, sig);
	p->dump = d;
	while (d->stopped + 1 < p->nthreads)
		sleep_on(&d->gather, 0, 0);
}

static int dump_core(struct thread *t, struct user_regs *regs, const struct siginfo_k *info)
{
	struct proc *p = t->proc;
	struct dump d = {.by = t, .limit = p->limit_cur[RLIMIT_CORE]};

	if (d.limit < PAGE || !p->dumpable || p->group_exit || !p->fs)
		return 0;
	waitq_init(&d.gather);
	waitq_init(&d.finish);
	struct dumped *own = dumped_take(t, regs);
	if (!own)
		return 0;
	others_stop(&d, p, info->signo);
	d.file = dump_create(p);
	if (d.file) {
		dump_write(&d, own, info);
		if (dump_last)
			inode_put(dump_last);
		dump_last = d.file;
		if (d.error)
			exos_log("exos: core of process %u (%s): error %ld", p->pid, p->comm,
				 (long)-d.error);
	}
	p->dump = NULL;
	wake_all(&d.finish);
	page_put(own);
	while (d.threads) {
		struct dumped *next = d.threads->next;

		page_put(d.threads);
		d.threads = next;
	}
	return d.file && !d.error;
}

/* ---- what is said ---- */

static const char *crash_name(int sig)
{
	static const char *const name[] = {
		[SIGQUIT] = "quit",
		[SIGILL] = "illegal instruction",
		[SIGTRAP] = "trap",
		[SIGABRT] = "aborted",
		[SIGBUS] = "bus error",
		[SIGFPE] = "arithmetic exception",
		[SIGSEGV] = "segmentation fault",
		[SIGXCPU] = "processor time exceeded",
		[SIGXFSZ] = "file too large",
		[SIGSYS] = "bad system call",
	};

	return (u32)sig < array_count(name) && name[sig] ? name[sig] : "signal";
}

static void crash_say(const struct proc *p, const struct user_regs *regs,
		      const struct siginfo_k *info)
{
	char line[320];
	u64 rip = rewrite_shown(regs->rip);
	const struct area *area = mm_find(p->mm, rip);
	char *name = area ? file_name(area) : NULL;
	int fault = info->code > 0 && info->code != SI_KERNEL &&
		    (info->signo == SIGSEGV || info->signo == SIGBUS);

	if (fault)
		core_format(line, sizeof(line), "aril: %s[%u]: %s at %lx, rip %lx, rsp %lx",
			    p->comm, p->pid, crash_name(info->signo), (unsigned long)info->addr,
			    (unsigned long)rip, (unsigned long)regs->rsp);
	else
		core_format(line, sizeof(line), "aril: %s[%u]: %s, rip %lx, rsp %lx", p->comm,
			    p->pid, crash_name(info->signo), (unsigned long)rip,
			    (unsigned long)regs->rsp);
	u32 n = (u32)strlen(line);
	if (fault && info->code == SEGV_PKUERR)
		n += (u32)core_format(line + n, sizeof(line) - n,
				      ", a write into ExOS's memory, which the guard stopped");
	if (name)
		core_format(line + n, sizeof(line) - n - 1, ", %s+%lx", name,
			    (unsigned long)(rip - area->start + area->offset));
	kfree(name);
	n = (u32)strlen(line);
	line[n] = '\n';
	console_trace(line, n + 1);
}

int dump_crash(struct user_regs *regs, const struct siginfo_k *info)
{
	struct thread *t = current();
	struct proc *p = t->proc;

	/* What others sent it is their affair, as abort is its own. */
	if ((p->pid == 1 || family.domain->flags & CORE_DOMAIN_CORE) && !p->group_exit &&
	    (info->code > 0 || info->signo == SIGABRT))
		crash_say(p, regs, info);
	return dump_core(t, regs, info);
}

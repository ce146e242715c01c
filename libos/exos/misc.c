/* SPDX-License-Identifier: MIT
 * System calls that tell a program about the machine, its limits and itself. */
#include <core/domain.h>
#include <aril/info.h>

#include "caps.h"
#include "ipc.h"
#include "limits.h"
#include "proc_calls.h"
#include "proc_internal.h"
#include "procfs.h"
#include "sched.h"
#include "swap.h"
#include "time.h"

#define NOFILE_MAX 1048576
#define RANDOM_TRIES 10 /* of RDRAND, as its maker advises */

struct linux_utsname machine_name = {
	.sysname = "Linux",
	.nodename = "aril",
	.release = "6.1.0-aril",
	.version = "#1 ExOS on Aril",
	.machine = "x86_64",
	.domainname = "(none)",
};

s64 sys_uname(u64 to)
{
	return copy_out(to, &machine_name, sizeof(machine_name));
}

/* The family's own name: other families do not see it. */
static s64 name_set(char *name, u64 from, u64 bytes)
{
	char text[sizeof(machine_name.nodename)] = {0};
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (bytes >= sizeof(text))
		return -EINVAL;
	if (copy_in(text, from, bytes))
		return -EFAULT;
	__builtin_memcpy(name, text, sizeof(text));
	return 0;
}

s64 sys_sethostname(u64 from, u64 bytes)
{
	return name_set(machine_name.nodename, from, bytes);
}

s64 sys_setdomainname(u64 from, u64 bytes)
{
	return name_set(machine_name.domainname, from, bytes);
}

static int random_word(u64 *word)
{
	for (int i = 0; i < RANDOM_TRIES; i++) {
		u8 good;
		__asm__ volatile("rdrand %0; setc %1" : "=r"(*word), "=qm"(good) : : "cc");
		if (good)
			return 1;
	}
	return 0;
}

static int cpu_has_rdrand(void)
{
	u32 a = 1, b, c = 0, d;
	__asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
	return (c >> 30) & 1;
}

/* Runs without the family lock. Without RDRAND there is nothing to draw from: -ENOSYS, and libraries look
 * elsewhere. */
s64 sys_getrandom(u64 to, u64 bytes, u64 flags)
{
	u64 done = 0, word;
	if (flags & ~(u64)(GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE))
		return -EINVAL;
	if ((flags & (GRND_RANDOM | GRND_INSECURE)) == (GRND_RANDOM | GRND_INSECURE))
		return -EINVAL;
	if (!cpu_has_rdrand())
		return -ENOSYS;
	bytes = min(bytes, 0x7ffff000ul);
	while (done < bytes) {
		u64 now = min(bytes - done, 8ul);
		if (!random_word(&word))
			return done ? (s64)done : -EAGAIN;
		if (copy_out(to + done, &word, now))
			return done ? (s64)done : -EFAULT;
		done += now;
	}
	return (s64)done;
}

s64 sys_sysinfo(u64 to)
{
	struct linux_sysinfo out = {
		.uptime = (s64)(now_ns() / SECOND),
		.totalram = pages_total(),
		.freeram = pages_free(),
		.totalswap = swap_counts.slots,
		.freeswap = swap_free(),
		.mem_unit = PAGE,
	};
	load_average(out.loads);
	for (struct list *at = all_procs.next; at != &all_procs; at = at->next)
		out.procs = (u16)(out.procs + container_of(at, struct proc, all)->nthreads);
	out.sharedram = cache_pages;
	return copy_out(to, &out, sizeof(out));
}

static void limit_init(struct proc *p, u32 resource, u64 cur, u64 most)
{
	p->limit_cur[resource] = cur;
	p->limit_max[resource] = most;
}

void limits_init(struct proc *p)
{
	for (u32 i = 0; i < RLIM_NLIMITS; i++)
		limit_init(p, i, RLIM_INFINITY, RLIM_INFINITY);
	limit_init(p, RLIMIT_STACK, 8ul << 20, RLIM_INFINITY);
	limit_init(p, RLIMIT_CORE, family.domain->flags & CORE_DOMAIN_CORE ? RLIM_INFINITY : 0,
		   RLIM_INFINITY);
	limit_init(p, RLIMIT_NPROC, ARIL_MAX_ENVS, ARIL_MAX_ENVS);
	limit_init(p, RLIMIT_NOFILE, 1024, NOFILE_MAX);
	limit_init(p, RLIMIT_SIGPENDING, SIG_QUEUE_MAX, SIG_QUEUE_MAX);
	limit_init(p, RLIMIT_MEMLOCK, 8ul << 20, 8ul << 20);
	limit_init(p, RLIMIT_MSGQUEUE, MQ_LIMIT, MQ_LIMIT);
	limit_init(p, RLIMIT_NICE, 0, 0);
	limit_init(p, RLIMIT_RTPRIO, 0, 0);
}

s64 sys_prlimit64(u64 pid, u64 resource, u64 set, u64 old)
{
	struct proc *p = (u32)pid ? proc_find((u32)pid) : current()->proc;
	struct linux_rlimit wanted;
	if ((u32)resource >= RLIM_NLIMITS)
		return -EINVAL;
	resource = (u32)resource;
	if (set && copy_in(&wanted, set, sizeof(wanted)))
		return -EFAULT;
	if (!p)
		return -ESRCH;
	if (!proc_may_limit(p))
		return -EPERM;
	struct linux_rlimit before = {p->limit_cur[resource], p->limit_max[resource]};
	if (set) {
		if (wanted.cur > wanted.max)
			return -EINVAL;
		if (resource == RLIMIT_NOFILE && wanted.max > NOFILE_MAX)
			return -EPERM;
		if (wanted.max > before.max && !capable(CAP_SYS_RESOURCE))
			return -EPERM;
		limit_init(p, (u32)resource, wanted.cur, wanted.max);
		if (resource == RLIMIT_CPU && wanted.cur != RLIM_INFINITY)
			limit_time_begin();
	}
	return old ? copy_out(old, &before, sizeof(before)) : 0;
}

s64 sys_getrlimit(u64 resource, u64 to)
{
	return to ? sys_prlimit64(0, resource, 0, to) : -EFAULT;
}

s64 sys_setrlimit(u64 resource, u64 from)
{
	return from ? sys_prlimit64(0, resource, from, 0) : -EFAULT;
}

/* FS is the program's; GS is ExOS's in every process. */
s64 sys_arch_prctl(u64 code, u64 addr)
{
	u64 base;
	switch (code) {
	case ARCH_SET_FS:
		if (addr >= ARIL_USER_TOP)
			return -EPERM;
		__asm__ volatile("wrfsbase %0" : : "r"(addr));
		current()->fs_base = addr;
		return 0;
	case ARCH_GET_FS:
		__asm__ volatile("rdfsbase %0" : "=r"(base));
		return copy_out(addr, &base, sizeof(base));
	case ARCH_SET_GS:
		exos_log_once("exos: a program wants GS, which ExOS needs (EINVAL)");
		return -EINVAL;
	default:
		return -EINVAL;
	}
}

static s64 prctl_name(int set, u64 addr)
{
	struct thread *t = current();
	char name[sizeof(t->comm)];
	if (!set)
		return copy_out(addr, t->comm, sizeof(t->comm));
	s64 length = string_in(name, addr, sizeof(name));
	if (length == -ENAMETOOLONG)
		length = copy_in(name, addr, sizeof(name) - 1) ? -EFAULT : (s64)sizeof(name) - 1;
	if (length < 0)
		return length;
	__builtin_memset(t->comm, 0, sizeof(t->comm));
	__builtin_memcpy(t->comm, name, (usize)length);
	if (t->tid == t->proc->pid)
		__builtin_memcpy(t->proc->comm, t->comm, sizeof(t->comm));
	return 0;
}

s64 sys_prctl(u64 option, u64 a, u64 b, u64 c, u64 d)
{
	struct proc *p = current()->proc;
	switch ((u32)option) {
	case PR_SET_NAME:
		return prctl_name(1, a);
	case PR_GET_NAME:
		return prctl_name(0, a);
	case PR_GET_DUMPABLE:
		return p->dumpable;
	case PR_SET_DUMPABLE:
		if (a > 1)
			return -EINVAL;
		p->dumpable = (u32)a;
		return 0;
	case PR_SET_NO_NEW_PRIVS:
		if (a != 1 || b || c || d)
			return -EINVAL;
		p->no_new_privs = 1; /* caps_exec */
		return 0;
	case PR_GET_NO_NEW_PRIVS:
		return a || b || c || d ? -EINVAL : (s64)p->no_new_privs;
	default:
		return prctl_more((u32)option, a, b, c, d);
	}
}

/* Linux's plain persona, and the one whose addresses are always the same: here they are. What can be read can be run:
 * prot_implied, until the next program. */
s64 sys_personality(u64 persona)
{
	struct proc *p = current()->proc;
	u32 before = p->personality;
	if ((u32)persona == 0xffffffff)
		return before;
	if ((u32)persona & ~(ADDR_NO_RANDOMIZE | READ_IMPLIES_EXEC))
		return -EINVAL;
	p->personality = (u32)persona;
	return before;
}

s64 sys_set_tid_address(u64 addr)
{
	current()->clear_tid = addr;
	return current()->tid;
}

s64 sys_getcpu(u64 cpu, u64 node, u64 unused)
{
	static const u32 only;
	u32 here = this_context()->cpu;
	(void)unused;
	if ((cpu && copy_out(cpu, &here, sizeof(here))) ||
	    (node && copy_out(node, &only, sizeof(only))))
		return -EFAULT;
	return 0;
}

/* SPDX-License-Identifier: MIT
 * What a process may beyond its identity: capabilities, which user 0 has all and others none; what it says of itself
 * (prctl) and of its input and output. */
#include "caps.h"
#include "linux.h"
#include "proc.h"
#include "proc_calls.h"
#include "proc_internal.h"

#define CAP_VERSION_1 0x19980330u
#define CAP_VERSION_2 0x20071026u
#define CAP_VERSION_3 0x20080522u
#define CAP_LAST 40

struct cap_header {
	u32 version;
	s32 pid;
};
struct cap_data {
	u32 effective, permitted, inheritable;
};

/* The words of data that the caller's version has; else says which version is here. 0 and *words, or -E. */
static s64 header_in(u64 from, struct cap_header *h, u32 *words)
{
	if (copy_in(h, from, sizeof(*h)))
		return -EFAULT;
	*words = h->version == CAP_VERSION_1 ? 1 : 2;
	if (h->version == CAP_VERSION_1 || h->version == CAP_VERSION_2 ||
	    h->version == CAP_VERSION_3)
		return 0;
	h->version = CAP_VERSION_3;
	return copy_out(from, h, sizeof(*h)) ? -EFAULT : -EINVAL;
}

static u64 caps_of(const struct proc *p)
{
	return p->euid ? 0 : CAPABILITIES;
}

s64 sys_capget(u64 header, u64 data)
{
	struct cap_header h;
	struct cap_data out[2];
	u32 words;
	s64 error = header_in(header, &h, &words);
	if (!data && (!error || error == -EINVAL))
		return 0; /* that was the question */
	if (error)
		return error;
	if (h.pid < 0)
		return -EINVAL;
	const struct thread *t = h.pid ? thread_find((u32)h.pid) : current();
	if (!t)
		return -ESRCH;
	u64 caps = caps_of(t->proc);
	for (u32 i = 0; i < 2; i++)
		out[i] = (struct cap_data){(u32)(caps >> i * 32), (u32)(caps >> i * 32), 0};
	return copy_out(data, out, words * sizeof(out[0])) ? -EFAULT : 0;
}

/* They come with the identity and go with it: nothing else gives or takes them. */
s64 sys_capset(u64 header, u64 data)
{
	struct cap_header h;
	struct cap_data in[2] = {{0, 0, 0}, {0, 0, 0}};
	u32 words;
	s64 error = header_in(header, &h, &words);
	if (error)
		return error;
	if (h.pid && (u32)h.pid != current()->tid)
		return -EPERM;
	if (copy_in(in, data, words * sizeof(in[0])))
		return -EFAULT;
	u64 caps = caps_of(current()->proc);
	for (u32 i = 0; i < words; i++)
		if (in[i].effective != (u32)(caps >> i * 32) ||
		    in[i].permitted != (u32)(caps >> i * 32) || in[i].inheritable)
			return -EPERM;
	return 0;
}

/* The file system's identity is the effective one: others are not taken. Linux's calls say the one before. */
s64 sys_setfsuid(u64 uid)
{
	(void)uid;
	return current()->proc->euid;
}

s64 sys_setfsgid(u64 gid)
{
	(void)gid;
	return current()->proc->egid;
}

/* ---- input and output: files are memory, so that no request waits for another, whatever its class ---- */
#define IOPRIO_CLASS(p) ((u32)(p) >> 13)

static int io_is(const struct proc *p, u32 which, u32 who)
{
	const struct proc *me = current()->proc;
	if (which == 1)
		return p == (who ? thread_find(who) ? thread_find(who)->proc : NULL : me);
	return which == 2 ? p->pgid == (who ? who : me->pgid) : p->uid == (who ? who : me->uid);
}

/* Of several, the highest class and the lowest number in it. */
s64 sys_ioprio_get(u64 which, u64 who)
{
	s64 best = -ESRCH;
	if ((u32)which < 1 || (u32)which > 3)
		return -EINVAL;
	for (struct list *at = all_procs.next; at != &all_procs; at = at->next) {
		const struct proc *p = container_of(at, struct proc, all);
		if (!io_is(p, (u32)which, (u32)who))
			continue;
		if (best < 0 || (p->ioprio && (!best || p->ioprio < best)))
			best = p->ioprio;
	}
	return best;
}

s64 sys_ioprio_set(u64 which, u64 who, u64 priority)
{
	u32 class = IOPRIO_CLASS(priority);
	s64 result = -ESRCH;
	if (class > 3 || (priority & 0x1fff) > 7 || (!class && priority))
		return -EINVAL;
	if (class == 1 && current()->proc->euid)
		return -EPERM;
	if ((u32)which < 1 || (u32)which > 3)
		return -EINVAL;
	for (struct list *at = all_procs.next; at != &all_procs; at = at->next) {
		struct proc *p = container_of(at, struct proc, all);
		if (!io_is(p, (u32)which, (u32)who))
			continue;
		if (!proc_may_change(p))
			return -EPERM;
		p->ioprio = (u32)priority;
		result = 0;
	}
	return result;
}

/* ---- prctl's smaller options ---- */
#define PR_GET_TIMING 13
#define PR_SET_TIMING 14
#define PR_GET_SECCOMP 21
#define PR_CAPBSET_READ 23
#define PR_CAPBSET_DROP 24
#define PR_GET_TSC 25
#define PR_GET_SECUREBITS 27
#define PR_SET_TIMERSLACK 29
#define PR_GET_TIMERSLACK 30
#define PR_SET_CHILD_SUBREAPER 36
#define PR_GET_CHILD_SUBREAPER 37
#define PR_GET_TID_ADDRESS 40
#define PR_GET_KEEPCAPS 7
#define SLACK_DEFAULT 50000ul /* ns */

static s64 int_out(u64 to, s32 value)
{
	return copy_out(to, &value, sizeof(value)) ? -EFAULT : 0;
}

s64 prctl_more(u32 option, u64 a)
{
	struct proc *p = current()->proc;
	switch (option) {
	case PR_SET_PDEATHSIG:
		if (a > NSIG)
			return -EINVAL;
		p->death_signal = (u32)a;
		return 0;
	case PR_GET_PDEATHSIG:
		return int_out(a, (s32)p->death_signal);
	case PR_SET_CHILD_SUBREAPER:
		p->subreaper = a != 0;
		return 0;
	case PR_GET_CHILD_SUBREAPER:
		return int_out(a, (s32)p->subreaper);
	case PR_CAPBSET_READ:
		return a > CAP_LAST ? -EINVAL : 1;
	case PR_CAPBSET_DROP:
		return a > CAP_LAST ? -EINVAL : -EPERM;
	case PR_SET_TIMERSLACK: /* how late a timer may be: none is late by design */
		p->timer_slack = a;
		return 0;
	case PR_GET_TIMERSLACK:
		return (s64)(p->timer_slack ? p->timer_slack : SLACK_DEFAULT);
	case PR_GET_TSC:
		return int_out(a, 1);
	case PR_GET_TID_ADDRESS:
		return copy_out(a, &current()->clear_tid, 8) ? -EFAULT : 0;
	case PR_SET_TIMING:
		return a ? -EINVAL : 0;
	case PR_GET_TIMING:
	case PR_GET_SECCOMP:
	case PR_GET_SECUREBITS:
	case PR_GET_KEEPCAPS:
		return 0;
	default:
		return -EINVAL;
	}
}

void parent_ended(struct proc *child)
{
	struct siginfo_k info = {.signo = (s32)child->death_signal, .code = SI_USER};
	if (child->death_signal)
		signal_send(child, (int)child->death_signal, &info);
}

struct proc *reaper_of(const struct proc *p)
{
	for (struct proc *up = p->parent; up; up = up->parent)
		if (up->subreaper && !up->exiting)
			return up;
	return family.init;
}

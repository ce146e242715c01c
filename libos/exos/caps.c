/* SPDX-License-Identifier: MIT
 * What a process may beyond its identity: capabilities by Linux's rules, for programs without any of their own (files have none
 * here); what it says of itself (prctl) and of its input and output.
 *
 * Invariants. effective is within permitted; ambient within permitted and inheritable. permitted grows by user 0's programs alone, to
 * what bounding and inheritable leave; bounding only shrinks. */
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

#define SECURE_NOROOT 1u
#define SECURE_NO_FIXUP 4u
#define SECURE_KEEP 0x10u
#define SECURE_NO_AMBIENT 0x40u
#define SECURE_ALL 0xffu
#define SECURE_LOCKS 0xaau /* each behind what it locks */

void caps_all(struct proc *p)
{
	p->caps.effective = p->caps.permitted = p->caps.bounding = CAPABILITIES;
}

void caps_identity(struct proc *p, u32 uid, u32 euid, u32 suid)
{
	struct capabilities *c = &p->caps;
	if (c->secure & SECURE_NO_FIXUP)
		return;
	if ((!uid || !euid || !suid) && p->uid && p->euid && p->suid) {
		if (!(c->secure & SECURE_KEEP))
			c->permitted = c->effective = 0;
		c->ambient = 0;
	}
	if (!euid && p->euid)
		c->effective = 0;
	if (euid && !p->euid)
		c->effective = c->permitted;
}

void caps_exec(struct proc *p)
{
	struct capabilities *c = &p->caps;
	u64 before = c->permitted;
	int root = !(c->secure & SECURE_NOROOT) && (!p->uid || !p->euid);
	c->permitted = root ? c->bounding | c->inheritable : 0;
	if (c->permitted & ~before && p->no_new_privs) {
		c->permitted &= before;
		p->euid = p->uid;
		p->egid = p->gid;
	}
	p->suid = p->euid;
	p->sgid = p->egid;
	c->permitted |= c->ambient;
	c->effective = root && !p->euid ? c->permitted : c->ambient;
	c->secure &= ~SECURE_KEEP;
	if (c->permitted & ~before)
		p->dumpable = 0;
}

u64 caps_real(const struct proc *p)
{
	if (p->caps.secure & SECURE_NO_FIXUP)
		return p->caps.effective;
	return p->uid ? 0 : p->caps.permitted;
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
	const struct capabilities *c = &t->proc->caps;
	for (u32 i = 0; i < 2; i++)
		out[i] = (struct cap_data){(u32)(c->effective >> i * 32),
					   (u32)(c->permitted >> i * 32),
					   (u32)(c->inheritable >> i * 32)};
	return copy_out(data, out, words * sizeof(out[0])) ? -EFAULT : 0;
}

s64 sys_capset(u64 header, u64 data)
{
	struct cap_header h;
	struct cap_data in[2] = {{0, 0, 0}, {0, 0, 0}};
	struct capabilities *c = &current()->proc->caps;
	u32 words;
	s64 error = header_in(header, &h, &words);
	if (error)
		return error;
	if (h.pid && (u32)h.pid != current()->tid)
		return -EPERM;
	if (copy_in(in, data, words * sizeof(in[0])))
		return -EFAULT;
	u64 effective = (in[0].effective | (u64)in[1].effective << 32) & CAPABILITIES;
	u64 permitted = (in[0].permitted | (u64)in[1].permitted << 32) & CAPABILITIES;
	u64 inheritable = (in[0].inheritable | (u64)in[1].inheritable << 32) & CAPABILITIES;
	if (!capable(CAP_SETPCAP) && inheritable & ~(c->inheritable | c->permitted))
		return -EPERM;
	if (inheritable & ~(c->inheritable | c->bounding))
		return -EPERM;
	if (permitted & ~c->permitted)
		return -EPERM;
	if (effective & ~permitted)
		return -EPERM;
	c->effective = effective;
	c->permitted = permitted;
	c->inheritable = inheritable;
	c->ambient &= permitted & inheritable;
	return 0;
}

static s64 bounding_drop(u64 cap)
{
	if (!capable(CAP_SETPCAP))
		return -EPERM;
	if (cap > CAP_LAST)
		return -EINVAL;
	current()->proc->caps.bounding &= ~CAP_BIT(cap);
	return 0;
}

static s64 secure_set(struct capabilities *c, u64 bits)
{
	u64 locked = (c->secure & SECURE_LOCKS) >> 1;
	if (bits & ~(u64)SECURE_ALL || (bits ^ c->secure) & locked ||
	    c->secure & SECURE_LOCKS & ~bits)
		return -EPERM;
	if (!capable(CAP_SETPCAP))
		return -EPERM;
	c->secure = (u32)bits;
	return 0;
}

static s64 keep_set(struct capabilities *c, u64 keep)
{
	if (keep > 1)
		return -EINVAL;
	if (c->secure & SECURE_KEEP << 1)
		return -EPERM;
	c->secure = (c->secure & ~SECURE_KEEP) | (keep ? SECURE_KEEP : 0);
	return 0;
}

enum { AMBIENT_IS_SET = 1, AMBIENT_RAISE, AMBIENT_LOWER, AMBIENT_CLEAR };

static s64 ambient(struct capabilities *c, u64 what, u64 cap, u64 rest)
{
	if (what == AMBIENT_CLEAR) {
		if (cap | rest)
			return -EINVAL;
		c->ambient = 0;
		return 0;
	}
	if (rest || cap > CAP_LAST || what < AMBIENT_IS_SET || what > AMBIENT_CLEAR)
		return -EINVAL;
	if (what == AMBIENT_IS_SET)
		return (c->ambient & CAP_BIT(cap)) != 0;
	if (what == AMBIENT_RAISE &&
	    (!(c->permitted & c->inheritable & CAP_BIT(cap)) || c->secure & SECURE_NO_AMBIENT))
		return -EPERM;
	c->ambient = what == AMBIENT_RAISE ? c->ambient | CAP_BIT(cap) : c->ambient & ~CAP_BIT(cap);
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
	if (class == 1 && !capable(CAP_SYS_NICE) && !capable(CAP_SYS_ADMIN))
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
#define PR_SET_KEEPCAPS 8
#define PR_SET_SECUREBITS 28
#define PR_CAP_AMBIENT 47
#define SLACK_DEFAULT 50000ul /* ns */

static s64 int_out(u64 to, s32 value)
{
	return copy_out(to, &value, sizeof(value)) ? -EFAULT : 0;
}

s64 prctl_more(u32 option, u64 a, u64 b, u64 c, u64 d)
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
		return a > CAP_LAST ? -EINVAL : (s64)(p->caps.bounding >> a & 1);
	case PR_CAPBSET_DROP:
		return bounding_drop(a);
	case PR_GET_SECUREBITS:
		return p->caps.secure;
	case PR_SET_SECUREBITS:
		return secure_set(&p->caps, a);
	case PR_GET_KEEPCAPS:
		return (p->caps.secure & SECURE_KEEP) != 0;
	case PR_SET_KEEPCAPS:
		return keep_set(&p->caps, a);
	case PR_CAP_AMBIENT:
		return ambient(&p->caps, a, b, c | d);
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

/* SPDX-License-Identifier: MIT
 * User and group identities, by Linux's rules; who has CAP_SETUID, CAP_SETGID may take any. */
#include "caps.h"
#include "proc_calls.h"
#include "proc_internal.h"

#define KEEP (~0u) /* -1: leave as it is */

int proc_may_change(const struct proc *p)
{
	const struct proc *me = current()->proc;
	return capable(CAP_SYS_NICE) || me->euid == p->uid || me->euid == p->euid;
}

int proc_same(const struct proc *p)
{
	const struct proc *me = current()->proc;
	return me->uid == p->uid && me->uid == p->euid && me->uid == p->suid && me->gid == p->gid &&
	       me->gid == p->egid && me->gid == p->sgid;
}

int proc_may_limit(const struct proc *p)
{
	return p == current()->proc || capable(CAP_SYS_RESOURCE) || proc_same(p);
}

s64 sys_getuid(void)
{
	return current()->proc->uid;
}

s64 sys_getgid(void)
{
	return current()->proc->gid;
}

s64 sys_geteuid(void)
{
	return current()->proc->euid;
}

s64 sys_getegid(void)
{
	return current()->proc->egid;
}

/* One kind of identity: real, effective, saved. */
struct identity {
	u32 *real, *effective, *saved;
	u32 any; /* the capability to take any */
};

static struct identity identity_user(struct proc *p)
{
	return (struct identity){&p->uid, &p->euid, &p->suid, CAP_SETUID};
}

static struct identity identity_group(struct proc *p)
{
	return (struct identity){&p->gid, &p->egid, &p->sgid, CAP_SETGID};
}

static int identity_allowed(const struct identity *i, u32 id)
{
	return id == KEEP || capable(i->any) || id == *i->real || id == *i->effective ||
	       id == *i->saved;
}

/* Who has become another has what nobody else of that identity may look at, until its next program. */
static void effective_set(const struct identity *i, u32 id)
{
	if (*i->effective != id)
		current()->proc->dumpable = 0;
	*i->effective = id;
}

static s64 identity_set(struct identity i, u32 id)
{
	if (id == KEEP)
		return -EINVAL;
	if (capable(i.any))
		*i.real = *i.saved = id;
	else if (id != *i.real && id != *i.saved)
		return -EPERM;
	effective_set(&i, id);
	return 0;
}

static s64 identity_set_all(struct identity i, u32 real, u32 effective, u32 saved)
{
	if (!identity_allowed(&i, real) || !identity_allowed(&i, effective) ||
	    !identity_allowed(&i, saved))
		return -EPERM;
	if (real != KEEP)
		*i.real = real;
	if (effective != KEEP)
		effective_set(&i, effective);
	if (saved != KEEP)
		*i.saved = saved;
	return 0;
}

/* setreuid, setregid: the saved identity follows the effective one where the real one changes, or the effective
 * one becomes another than the real one was. */
static s64 identity_set_pair(struct identity i, u32 real, u32 effective)
{
	u32 before = *i.real;
	int privileged = capable(i.any);
	if (!privileged && real != KEEP && real != *i.real && real != *i.effective)
		return -EPERM;
	if (!identity_allowed(&i, effective))
		return -EPERM;
	if (real != KEEP)
		*i.real = real;
	if (effective != KEEP)
		effective_set(&i, effective);
	if (real != KEEP || (effective != KEEP && effective != before))
		*i.saved = *i.effective;
	return 0;
}

/* The user identities, as they are before a call changes them. */
struct users {
	u32 real, effective, saved;
};

static struct users users_now(void)
{
	const struct proc *p = current()->proc;
	return (struct users){p->uid, p->euid, p->suid};
}

/* With them goes what comes and goes with user 0. */
static s64 users_changed(struct users before, s64 error)
{
	if (!error)
		caps_identity(current()->proc, before.real, before.effective, before.saved);
	return error;
}

s64 sys_setuid(u64 uid)
{
	struct users before = users_now();
	return users_changed(before, identity_set(identity_user(current()->proc), (u32)uid));
}

s64 sys_setgid(u64 gid)
{
	return identity_set(identity_group(current()->proc), (u32)gid);
}

s64 sys_setreuid(u64 real, u64 effective)
{
	struct users before = users_now();
	return users_changed(before, identity_set_pair(identity_user(current()->proc), (u32)real,
						       (u32)effective));
}

s64 sys_setregid(u64 real, u64 effective)
{
	return identity_set_pair(identity_group(current()->proc), (u32)real, (u32)effective);
}

s64 sys_setresuid(u64 real, u64 effective, u64 saved)
{
	struct users before = users_now();
	return users_changed(before, identity_set_all(identity_user(current()->proc), (u32)real,
						      (u32)effective, (u32)saved));
}

s64 sys_setresgid(u64 real, u64 effective, u64 saved)
{
	return identity_set_all(identity_group(current()->proc), (u32)real, (u32)effective,
				(u32)saved);
}

static s64 identity_out(struct identity i, u64 real, u64 effective, u64 saved)
{
	if (copy_out(real, i.real, 4) || copy_out(effective, i.effective, 4) ||
	    copy_out(saved, i.saved, 4))
		return -EFAULT;
	return 0;
}

s64 sys_getresuid(u64 real, u64 effective, u64 saved)
{
	return identity_out(identity_user(current()->proc), real, effective, saved);
}

s64 sys_getresgid(u64 real, u64 effective, u64 saved)
{
	return identity_out(identity_group(current()->proc), real, effective, saved);
}

s64 sys_getgroups(u64 count, u64 to)
{
	struct proc *p = current()->proc;
	if ((s32)count < 0 || (count && (u32)count < p->ngroups))
		return -EINVAL;
	if (count && copy_out(to, p->groups, p->ngroups * sizeof(u32)))
		return -EFAULT;
	return p->ngroups;
}

s64 sys_setgroups(u64 count, u64 from)
{
	struct proc *p = current()->proc;
	u32 groups[array_count(p->groups)];
	if (!capable(CAP_SETGID))
		return -EPERM;
	if ((u32)count > array_count(groups))
		return -EINVAL;
	if (copy_in(groups, from, (u32)count * sizeof(u32)))
		return -EFAULT;
	__builtin_memcpy(p->groups, groups, (u32)count * sizeof(u32));
	p->ngroups = (u32)count;
	return 0;
}

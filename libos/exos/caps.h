/* SPDX-License-Identifier: MIT
 * Capabilities, and what belongs to a process beside its identity. Family lock throughout, but for `capable`. */
#ifndef EXOS_CAPS_H
#define EXOS_CAPS_H

#include "exos.h"

enum {
	CAP_CHOWN = 0,
	CAP_DAC_OVERRIDE = 1,
	CAP_DAC_READ_SEARCH = 2,
	CAP_FOWNER = 3,
	CAP_FSETID = 4,
	CAP_KILL = 5,
	CAP_SETGID = 6,
	CAP_SETUID = 7,
	CAP_SETPCAP = 8,
	CAP_IPC_LOCK = 14,
	CAP_IPC_OWNER = 15,
	CAP_SYS_CHROOT = 18,
	CAP_SYS_PTRACE = 19,
	CAP_SYS_ADMIN = 21,
	CAP_SYS_NICE = 23,
	CAP_SYS_RESOURCE = 24,
	CAP_MKNOD = 27,
};
#define CAP_BIT(cap) (1ul << (cap))

/* Whether the current process has it now. */
static inline int capable(u32 cap)
{
	return (current()->proc->caps.effective & CAP_BIT(cap)) != 0;
}
/* All of them, for the first process. */
void caps_all(struct proc *p);
/* p's user identities were these: what comes and goes with user 0. */
void caps_identity(struct proc *p, u32 uid, u32 euid, u32 suid);
/* p begins another program. */
void caps_exec(struct proc *p);
/* Those by which p looks for permission as its real user: access. */
u64 caps_real(const struct proc *p);

s64 sys_capget(u64 header, u64 data);
s64 sys_capset(u64 header, u64 data);
s64 sys_setfsuid(u64 uid);
s64 sys_setfsgid(u64 gid);
s64 sys_ioprio_get(u64 which, u64 who);
s64 sys_ioprio_set(u64 which, u64 who, u64 priority);
/* prctl's options that concern the process alone. The result, or -EINVAL: there is no such. */
s64 prctl_more(u32 option, u64 a, u64 b, u64 c, u64 d);
/* The parent of child ends: child hears of it, if it asked to. */
void parent_ended(struct proc *child);
/* Who is the parent of p's children when p has ended. */
struct proc *reaper_of(const struct proc *p);

#endif

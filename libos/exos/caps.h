/* SPDX-License-Identifier: MIT
 * Capabilities, and what belongs to a process beside its identity. Family lock throughout. */
#ifndef EXOS_CAPS_H
#define EXOS_CAPS_H

#include "exos.h"

s64 sys_capget(u64 header, u64 data);
s64 sys_capset(u64 header, u64 data);
s64 sys_setfsuid(u64 uid);
s64 sys_setfsgid(u64 gid);
s64 sys_ioprio_get(u64 which, u64 who);
s64 sys_ioprio_set(u64 which, u64 who, u64 priority);
/* prctl's options that concern the process alone; a: the first argument. The result, or -EINVAL: there is no such. */
s64 prctl_more(u32 option, u64 a);
/* The parent of child ends: child hears of it, if it asked to. */
void parent_ended(struct proc *child);
/* Who is the parent of p's children when p has ended. */
struct proc *reaper_of(const struct proc *p);

#endif

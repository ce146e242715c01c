/* SPDX-License-Identifier: MIT
 * Processes as files. Family lock throughout. */
#ifndef EXOS_PIDFD_H
#define EXOS_PIDFD_H

#include "exos.h"

/* A descriptor of p; flags: O_NONBLOCK. Or -EMFILE, -ENFILE, -ENOMEM. */
s64 pidfd_create(const struct proc *p, u32 flags);
/* The number of a descriptor's process. -EBADF: it is no such descriptor, -ESRCH: the process is gone. */
s64 pidfd_pid(u64 fd, u32 *nonblock);
/* Some process has ended. */
void pidfd_notify(void);
/* Whether the caller may look into p, as a debugger would. */
int proc_may_look(const struct proc *p);

s64 sys_pidfd_open(u64 pid, u64 flags);
s64 sys_pidfd_send_signal(u64 fd, u64 sig, u64 info, u64 flags);
s64 sys_pidfd_getfd(u64 fd, u64 other, u64 flags);
s64 sys_kcmp(u64 pid, u64 pid2, u64 type, u64 fd, u64 fd2);

#endif

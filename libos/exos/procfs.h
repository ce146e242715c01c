/* SPDX-License-Identifier: MIT
 * /proc: what procfs.c (the tree) and proctext.c (the texts) share. */
#ifndef EXOS_PROCFS_H
#define EXOS_PROCFS_H

#include "inode.h"

/* A text in the making; grows. `failed`: no memory. */
struct proc_text {
	char *bytes;
	u64 length, capacity;
	u32 failed;
	u32 tid; /* whose, where it is a thread's and not its whole process's */
};
void text_add(struct proc_text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_bytes(struct proc_text *t, const void *bytes, u64 count);

/* Texts of a process (p) and of the machine (p is NULL). */
void proc_text_cmdline(struct proc_text *t, struct proc *p);
void proc_text_environ(struct proc_text *t, struct proc *p);
void proc_text_maps(struct proc_text *t, struct proc *p);
void proc_text_stat(struct proc_text *t, struct proc *p);
void proc_text_statm(struct proc_text *t, struct proc *p);
void proc_text_status(struct proc_text *t, struct proc *p);
void proc_text_comm(struct proc_text *t, struct proc *p);
void proc_text_limits(struct proc_text *t, struct proc *p);
void proc_text_mounts(struct proc_text *t, struct proc *p);
void proc_text_meminfo(struct proc_text *t, struct proc *p);
void proc_text_idle(struct proc_text *t, struct proc *p);
void proc_text_uptime(struct proc_text *t, struct proc *p);
void proc_text_cpuinfo(struct proc_text *t, struct proc *p);
void proc_text_version(struct proc_text *t, struct proc *p);
void proc_text_machine_stat(struct proc_text *t, struct proc *p);
void proc_text_loadavg(struct proc_text *t, struct proc *p);
void proc_text_filesystems(struct proc_text *t, struct proc *p);
void proc_text_command_line(struct proc_text *t, struct proc *p);

/* A descriptor of a process as /proc/PID/fd shows it: length, or -ENOENT. */
s64 proc_fd_name(struct proc *p, u32 fd, char *to, usize bytes);

#endif

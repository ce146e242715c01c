/* SPDX-License-Identifier: MIT
 * /proc: what procfs.c (the tree), procnames.c (its names) and the texts (proctext.c, procmem.c, procmachine.c) share. */
#ifndef EXOS_PROCFS_H
#define EXOS_PROCFS_H

#include "inode.h"

enum {
	KIND_ROOT,
	KIND_PROCESS,
	KIND_FD,
	KIND_TEXT,
	KIND_EXE,
	KIND_CWD,
	KIND_ROOT_LINK,
	KIND_SELF,
	KIND_FD_LINK,
	KIND_MOUNTS,
	KIND_TASK,
	KIND_THREAD_SELF,
	KIND_FDINFO,
	KIND_FDINFO_TEXT,
	KIND_DIR, /* holds names alone */
};

struct proc_name;
/* A text in the making; grows. `failed`: no memory. */
struct proc_text {
	char *bytes;
	u64 length, capacity;
	u32 failed;
	u32 tid; /* whose, where it is a thread's and not its whole process's */
	const struct proc_name *name;
	u64 key; /* fdinfo: the descriptor */
};

/* The names of a directory. */
struct proc_dir {
	const struct proc_name *names;
	u32 count;
};
struct proc_name {
	const char *name;
	u32 kind, mode;
	void (*text)(struct proc_text *t, struct proc *p);
	const struct proc_dir *dir; /* DIR */
	u64 value;		    /* proc_text_value */
};
extern const struct proc_dir proc_root_dir, proc_process_dir;
extern const struct proc_name proc_fdinfo_name, proc_sysfs_name;

#define TICK_NS 10000000ul

void text_add(struct proc_text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Bits as Linux lists them: 0,2-3. */
void text_ranges(struct proc_text *t, u64 mask);
void text_bytes(struct proc_text *t, const void *bytes, u64 count);

/* Texts of a process (p) and of the machine (p is NULL). */
void proc_text_cmdline(struct proc_text *t, struct proc *p);
void proc_text_environ(struct proc_text *t, struct proc *p);
void proc_text_stat(struct proc_text *t, struct proc *p);
void proc_text_status(struct proc_text *t, struct proc *p);
void proc_text_comm(struct proc_text *t, struct proc *p);
void proc_text_limits(struct proc_text *t, struct proc *p);
void proc_text_mounts(struct proc_text *t, struct proc *p);
void proc_text_mountinfo(struct proc_text *t, struct proc *p);
void proc_text_cgroup(struct proc_text *t, struct proc *p);
void proc_text_wchan(struct proc_text *t, struct proc *p);
void proc_text_personality(struct proc_text *t, struct proc *p);
void proc_text_oom_score(struct proc_text *t, struct proc *p);
void proc_text_fdinfo(struct proc_text *t, struct proc *p);
/* procmem.c */
void proc_text_maps(struct proc_text *t, struct proc *p);
void proc_text_smaps(struct proc_text *t, struct proc *p);
void proc_text_smaps_rollup(struct proc_text *t, struct proc *p);
void proc_text_statm(struct proc_text *t, struct proc *p);
/* procmachine.c */
void proc_text_meminfo(struct proc_text *t, struct proc *p);
void proc_text_idle(struct proc_text *t, struct proc *p);
void proc_text_uptime(struct proc_text *t, struct proc *p);
void proc_text_cpuinfo(struct proc_text *t, struct proc *p);
void proc_text_version(struct proc_text *t, struct proc *p);
void proc_text_machine_stat(struct proc_text *t, struct proc *p);
void proc_text_vmstat(struct proc_text *t, struct proc *p);
void proc_text_loadavg(struct proc_text *t, struct proc *p);
void proc_text_filesystems(struct proc_text *t, struct proc *p);
void proc_text_command_line(struct proc_text *t, struct proc *p);
void proc_text_processors(struct proc_text *t, struct proc *p);
void proc_text_online(struct proc_text *t, struct proc *p);
void proc_text_swaps(struct proc_text *t, struct proc *p);
void proc_text_partitions(struct proc_text *t, struct proc *p);
void proc_text_devices(struct proc_text *t, struct proc *p);
void proc_text_tty_drivers(struct proc_text *t, struct proc *p);
/* procnet.c */
void proc_text_unix(struct proc_text *t, struct proc *p);
/* of /proc/sys */
void proc_text_value(struct proc_text *t, struct proc *p);
void proc_text_ostype(struct proc_text *t, struct proc *p);
void proc_text_osrelease(struct proc_text *t, struct proc *p);
void proc_text_osversion(struct proc_text *t, struct proc *p);
void proc_text_hostname(struct proc_text *t, struct proc *p);
void proc_text_domainname(struct proc_text *t, struct proc *p);
void proc_text_core_pattern(struct proc_text *t, struct proc *p);
void proc_text_file_nr(struct proc_text *t, struct proc *p);
void proc_text_boot_id(struct proc_text *t, struct proc *p);
void proc_text_uuid(struct proc_text *t, struct proc *p);

/* procmem.c: pages of a process's memory: all that is mapped, and of that, there. */
struct memory_sums {
	u64 mapped, present;
	u64 file;	       /* there, of files and shared memory */
	u64 text, data, stack; /* mapped: programs, private and writable, the stack */
	u64 locked;
};
void memory_sum(const struct proc *p, struct memory_sums *s);

/* The process whose directory an inode is; 0: it is none. */
u32 proc_directory_pid(const struct inode *i);
/* How many of the family's threads could run now. */
u32 threads_runnable(void);
/* The load of the last 1, 5 and 15 minutes in 1/65536. Measured from when somebody first asks. */
void load_average(u64 load[3]);
/* A descriptor of a process as /proc/PID/fd shows it: length, or -ENOENT. */
s64 proc_fd_name(struct proc *p, u32 fd, char *to, usize bytes);

#endif

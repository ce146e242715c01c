/* SPDX-License-Identifier: MIT
 * The handlers of Linux's calls on processes, signals, time and identity. Each is Linux's call of that name: the
 * result or -errno. They run with the family lock unless the table (syscalls.h) says otherwise. */
#ifndef EXOS_PROC_CALLS_H
#define EXOS_PROC_CALLS_H

#include "exos.h"

/* proc.c, clone.c, wait.c, job.c, exec_call.c */
s64 sys_fork(void);
s64 sys_vfork(void);
s64 sys_clone(u64 flags, u64 stack, u64 parent_tid, u64 child_tid, u64 tls);
s64 sys_clone3(u64 args, u64 bytes);
s64 sys_execve(u64 path, u64 argv, u64 envp);
s64 sys_execveat(u64 dir, u64 path, u64 argv, u64 envp, u64 flags);
s64 sys_exit(u64 status);
s64 sys_exit_group(u64 status);
s64 sys_wait4(u64 pid, u64 status, u64 options, u64 rusage);
s64 sys_waitid(u64 which, u64 pid, u64 info, u64 options, u64 rusage);
s64 sys_getpid(void);
s64 sys_getppid(void);
s64 sys_gettid(void);
s64 sys_setpgid(u64 pid, u64 pgid);
s64 sys_getpgid(u64 pid);
s64 sys_getpgrp(void);
s64 sys_setsid(void);
s64 sys_getsid(u64 pid);

/* sigcalls.c, sigframe.c */
s64 sys_rt_sigaction(u64 sig, u64 act, u64 old, u64 bytes);
s64 sys_rt_sigprocmask(u64 how, u64 set, u64 old, u64 bytes);
s64 sys_rt_sigpending(u64 set, u64 bytes);
s64 sys_rt_sigsuspend(u64 set, u64 bytes);
s64 sys_rt_sigtimedwait(u64 set, u64 info, u64 timeout, u64 bytes);
s64 sys_rt_sigqueueinfo(u64 pid, u64 sig, u64 info);
s64 sys_rt_tgsigqueueinfo(u64 pid, u64 tid, u64 sig, u64 info);
s64 sys_rt_sigreturn(void);
s64 sys_sigaltstack(u64 new_stack, u64 old_stack);
s64 sys_pause(void);
s64 sys_kill(u64 pid, u64 sig);
s64 sys_tkill(u64 tid, u64 sig);
s64 sys_tgkill(u64 pid, u64 tid, u64 sig);

/* time.c, timer.c */
s64 sys_nanosleep(u64 wanted, u64 remaining);
s64 sys_clock_nanosleep(u64 clock, u64 flags, u64 wanted, u64 remaining);
s64 sys_restart_syscall(void);
s64 sys_clock_gettime(u64 clock, u64 to);
s64 sys_clock_getres(u64 clock, u64 to);
s64 sys_gettimeofday(u64 to, u64 zone);
s64 sys_time(u64 to);
s64 sys_alarm(u64 seconds);
s64 sys_getitimer(u64 which, u64 to);
s64 sys_setitimer(u64 which, u64 from, u64 old);
s64 sys_timer_create(u64 clock, u64 event, u64 id);
s64 sys_timer_settime(u64 id, u64 flags, u64 from, u64 old);
s64 sys_timer_gettime(u64 id, u64 to);
s64 sys_timer_getoverrun(u64 id);
s64 sys_timer_delete(u64 id);
s64 sys_times(u64 to);
s64 sys_getrusage(u64 who, u64 to);

/* misc.c, futex.c */
s64 sys_uname(u64 to);
s64 sys_sethostname(u64 from, u64 bytes);
s64 sys_setdomainname(u64 from, u64 bytes);
s64 sys_getrandom(u64 to, u64 bytes, u64 flags);
s64 sys_sysinfo(u64 to);
s64 sys_prlimit64(u64 pid, u64 resource, u64 set, u64 old);
s64 sys_getrlimit(u64 resource, u64 to);
s64 sys_setrlimit(u64 resource, u64 from);
s64 sys_arch_prctl(u64 code, u64 addr);
s64 sys_prctl(u64 option, u64 a, u64 b, u64 c, u64 d);
s64 sys_personality(u64 persona);
s64 sys_set_tid_address(u64 addr);
s64 sys_set_robust_list(u64 head, u64 bytes);
s64 sys_get_robust_list(u64 pid, u64 head, u64 bytes);
s64 sys_getcpu(u64 cpu, u64 node, u64 unused);
s64 sys_futex(u64 addr, u64 op, u64 value, u64 timeout, u64 addr2, u64 value3);

/* sched_calls.c */
s64 sys_sched_yield(void);
s64 sys_sched_getaffinity(u64 tid, u64 bytes, u64 to);
s64 sys_sched_setaffinity(u64 tid, u64 bytes, u64 from);
s64 sys_sched_setscheduler(u64 tid, u64 policy, u64 param);
s64 sys_sched_setparam(u64 tid, u64 param);
s64 sys_sched_getscheduler(u64 tid);
s64 sys_sched_setattr(u64 tid, u64 from, u64 flags);
s64 sys_sched_getattr(u64 tid, u64 to, u64 bytes, u64 flags);
s64 sys_sched_rr_get_interval(u64 tid, u64 to);
s64 sys_sched_getparam(u64 tid, u64 param);
s64 sys_sched_get_priority_max(u64 policy);
s64 sys_sched_get_priority_min(u64 policy);
s64 sys_membarrier(u64 command, u64 flags, u64 cpu);
s64 sys_rseq(u64 area, u64 bytes, u64 flags, u64 signature);

/* cred.c */
s64 sys_getuid(void);
s64 sys_getgid(void);
s64 sys_geteuid(void);
s64 sys_getegid(void);
s64 sys_setuid(u64 uid);
s64 sys_setgid(u64 gid);
s64 sys_setreuid(u64 real, u64 effective);
s64 sys_setregid(u64 real, u64 effective);
s64 sys_setresuid(u64 real, u64 effective, u64 saved);
s64 sys_setresgid(u64 real, u64 effective, u64 saved);
s64 sys_getresuid(u64 real, u64 effective, u64 saved);
s64 sys_getresgid(u64 real, u64 effective, u64 saved);
s64 sys_getgroups(u64 count, u64 to);
s64 sys_setgroups(u64 count, u64 from);

#endif

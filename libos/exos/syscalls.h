/* SPDX-License-Identifier: MIT
 * Linux's system calls that ExOS has: number, name, how many arguments, how a trace shows them, flags.
 *
 * CALL(number, name, arguments, flags): the handler is sys_NAME. `arguments` has a letter for each argument:
 *   d u x p  int, unsigned, hexadecimal, address     f D      descriptor, descriptor of a *at call
 *   s        string                                  b B      bytes in (length follows), bytes out (result)
 *   o O G    mode, open flags, of pipe2 and dup3      a e      argument vector, environment
 *   S h      signal, how of sigprocmask              k K      signal set in, out
 *   j J      sigaction in, out                       t T      timespec in, out
 *   w W      wait status out, wait options           i F      ioctl request, fcntl command
 *   m M      PROT_, MAP_ flags                       P        two descriptors out
 *   q        struct stat out                         c C      clone flags, clock
 *   r R      resource, rlimit out                    y        whence
 *   l        64-bit signed                           L        rlimit in
 * Letters of out-arguments (B K J T w P q R) are shown after the call; those after them too. */
#ifndef EXOS_SYSCALLS_H
#define EXOS_SYSCALLS_H

#include "exos.h"

#define CALL_NOLOCK 1 /* touches only the thread's own things: runs without the family lock */
#define CALL_HEX 2    /* the result is an address */
#define CALL_ENTRY 4  /* does not return: shown on entry */

#define EXOS_SYSCALLS(CALL)                         \
	CALL(0, read, "fBu", 0)                     \
	CALL(1, write, "fbu", 0)                    \
	CALL(2, open, "sOo", 0)                     \
	CALL(3, close, "f", 0)                      \
	CALL(4, stat, "sq", 0)                      \
	CALL(5, fstat, "fq", 0)                     \
	CALL(6, lstat, "sq", 0)                     \
	CALL(7, poll, "pud", 0)                     \
	CALL(8, lseek, "fly", 0)                    \
	CALL(9, mmap, "pumMdx", CALL_HEX)           \
	CALL(10, mprotect, "pum", 0)                \
	CALL(11, munmap, "pu", 0)                   \
	CALL(12, brk, "p", CALL_HEX)                \
	CALL(13, rt_sigaction, "SjJu", CALL_NOLOCK) \
	CALL(14, rt_sigprocmask, "hkKu", 0)         \
	CALL(15, rt_sigreturn, "", CALL_NOLOCK)     \
	CALL(16, ioctl, "fip", 0)                   \
	CALL(17, pread64, "fBul", 0)                \
	CALL(18, pwrite64, "fbul", 0)               \
	CALL(19, readv, "fpu", 0)                   \
	CALL(20, writev, "fpu", 0)                  \
	CALL(21, access, "sx", 0)                   \
	CALL(22, pipe, "P", 0)                      \
	CALL(23, select, "dpppp", 0)                \
	CALL(24, sched_yield, "", 0)                \
	CALL(25, mremap, "puuxp", CALL_HEX)         \
	CALL(26, msync, "pux", 0)                   \
	CALL(27, mincore, "pup", 0)                 \
	CALL(28, madvise, "pud", 0)                 \
	CALL(29, shmget, "xux", 0)                  \
	CALL(30, shmat, "dpx", 0)                   \
	CALL(31, shmctl, "dup", 0)                  \
	CALL(32, dup, "f", 0)                       \
	CALL(33, dup2, "ff", 0)                     \
	CALL(34, pause, "", 0)                      \
	CALL(35, nanosleep, "tT", 0)                \
	CALL(36, getitimer, "dp", 0)                \
	CALL(37, alarm, "u", 0)                     \
	CALL(38, setitimer, "dpp", 0)               \
	CALL(39, getpid, "", CALL_NOLOCK)           \
	CALL(40, sendfile, "ffpu", 0)               \
	CALL(41, socket, "uxu", 0)                  \
	CALL(42, connect, "fpu", 0)                 \
	CALL(43, accept, "fpp", 0)                  \
	CALL(44, sendto, "fbuxpu", 0)               \
	CALL(45, recvfrom, "fBuxpp", 0)             \
	CALL(46, sendmsg, "fpx", 0)                 \
	CALL(47, recvmsg, "fpx", 0)                 \
	CALL(48, shutdown, "fu", 0)                 \
	CALL(49, bind, "fpu", 0)                    \
	CALL(50, listen, "fd", 0)                   \
	CALL(51, getsockname, "fpp", 0)             \
	CALL(52, getpeername, "fpp", 0)             \
	CALL(53, socketpair, "uxuP", 0)             \
	CALL(54, setsockopt, "fuupu", 0)            \
	CALL(55, getsockopt, "fuupp", 0)            \
	CALL(56, clone, "cpppp", 0)                 \
	CALL(57, fork, "", 0)                       \
	CALL(58, vfork, "", 0)                      \
	CALL(59, execve, "sae", 0)                  \
	CALL(60, exit, "d", CALL_ENTRY)             \
	CALL(61, wait4, "dwWp", 0)                  \
	CALL(62, kill, "dS", CALL_NOLOCK)           \
	CALL(63, uname, "p", 0)                     \
	CALL(64, semget, "xdx", 0)                  \
	CALL(65, semop, "dpu", 0)                   \
	CALL(66, semctl, "ddup", 0)                 \
	CALL(67, shmdt, "p", 0)                     \
	CALL(68, msgget, "xx", 0)                   \
	CALL(69, msgsnd, "dpux", 0)                 \
	CALL(70, msgrcv, "dpulx", 0)                \
	CALL(71, msgctl, "dup", 0)                  \
	CALL(72, fcntl, "fFp", 0)                   \
	CALL(73, flock, "fx", 0)                    \
	CALL(74, fsync, "f", 0)                     \
	CALL(75, fdatasync, "f", 0)                 \
	CALL(76, truncate, "sl", 0)                 \
	CALL(77, ftruncate, "fl", 0)                \
	CALL(78, getdents, "fpu", 0)                \
	CALL(79, getcwd, "pu", 0)                   \
	CALL(80, chdir, "s", 0)                     \
	CALL(81, fchdir, "f", 0)                    \
	CALL(82, rename, "ss", 0)                   \
	CALL(83, mkdir, "so", 0)                    \
	CALL(84, rmdir, "s", 0)                     \
	CALL(85, creat, "so", 0)                    \
	CALL(86, link, "ss", 0)                     \
	CALL(87, unlink, "s", 0)                    \
	CALL(88, symlink, "ss", 0)                  \
	CALL(89, readlink, "sBu", 0)                \
	CALL(90, chmod, "so", 0)                    \
	CALL(91, fchmod, "fo", 0)                   \
	CALL(92, chown, "sdd", 0)                   \
	CALL(93, fchown, "fdd", 0)                  \
	CALL(94, lchown, "sdd", 0)                  \
	CALL(95, umask, "o", 0)                     \
	CALL(96, gettimeofday, "pp", CALL_NOLOCK)   \
	CALL(97, getrlimit, "rR", 0)                \
	CALL(98, getrusage, "dp", 0)                \
	CALL(99, sysinfo, "p", 0)                   \
	CALL(100, times, "p", 0)                    \
	CALL(102, getuid, "", CALL_NOLOCK)          \
	CALL(104, getgid, "", CALL_NOLOCK)          \
	CALL(105, setuid, "u", 0)                   \
	CALL(106, setgid, "u", 0)                   \
	CALL(107, geteuid, "", CALL_NOLOCK)         \
	CALL(108, getegid, "", CALL_NOLOCK)         \
	CALL(109, setpgid, "dd", 0)                 \
	CALL(110, getppid, "", 0)                   \
	CALL(111, getpgrp, "", 0)                   \
	CALL(112, setsid, "", 0)                    \
	CALL(113, setreuid, "dd", 0)                \
	CALL(114, setregid, "dd", 0)                \
	CALL(115, getgroups, "dp", 0)               \
	CALL(116, setgroups, "dp", 0)               \
	CALL(117, setresuid, "ddd", 0)              \
	CALL(118, getresuid, "ppp", 0)              \
	CALL(119, setresgid, "ddd", 0)              \
	CALL(120, getresgid, "ppp", 0)              \
	CALL(121, getpgid, "d", 0)                  \
	CALL(122, setfsuid, "u", 0)                 \
	CALL(123, setfsgid, "u", 0)                 \
	CALL(124, getsid, "d", 0)                   \
	CALL(125, capget, "pp", 0)                  \
	CALL(126, capset, "pp", 0)                  \
	CALL(127, rt_sigpending, "Ku", 0)           \
	CALL(128, rt_sigtimedwait, "kptu", 0)       \
	CALL(129, rt_sigqueueinfo, "dSp", 0)        \
	CALL(130, rt_sigsuspend, "ku", 0)           \
	CALL(131, sigaltstack, "pp", 0)             \
	CALL(132, utime, "sp", 0)                   \
	CALL(133, mknod, "sox", 0)                  \
	CALL(135, personality, "x", 0)              \
	CALL(137, statfs, "sp", 0)                  \
	CALL(138, fstatfs, "fp", 0)                 \
	CALL(140, getpriority, "dd", 0)             \
	CALL(141, setpriority, "ddd", 0)            \
	CALL(142, sched_setparam, "dp", 0)          \
	CALL(143, sched_getparam, "dp", 0)          \
	CALL(144, sched_setscheduler, "ddp", 0)     \
	CALL(145, sched_getscheduler, "d", 0)       \
	CALL(146, sched_get_priority_max, "d", 0)   \
	CALL(147, sched_get_priority_min, "d", 0)   \
	CALL(148, sched_rr_get_interval, "dT", 0)   \
	CALL(149, mlock, "pu", 0)                   \
	CALL(150, munlock, "pu", 0)                 \
	CALL(151, mlockall, "x", 0)                 \
	CALL(152, munlockall, "", 0)                \
	CALL(157, prctl, "dxxxx", 0)                \
	CALL(158, arch_prctl, "xp", CALL_NOLOCK)    \
	CALL(160, setrlimit, "rL", 0)               \
	CALL(161, chroot, "s", 0)                   \
	CALL(162, sync, "", 0)                      \
	CALL(164, settimeofday, "pp", 0)            \
	CALL(170, sethostname, "bu", 0)             \
	CALL(171, setdomainname, "bu", 0)           \
	CALL(186, gettid, "", CALL_NOLOCK)          \
	CALL(187, readahead, "flu", 0)              \
	CALL(188, setxattr, "sspux", 0)             \
	CALL(189, lsetxattr, "sspux", 0)            \
	CALL(190, fsetxattr, "fspux", 0)            \
	CALL(191, getxattr, "sspu", 0)              \
	CALL(192, lgetxattr, "sspu", 0)             \
	CALL(193, fgetxattr, "fspu", 0)             \
	CALL(194, listxattr, "spu", 0)              \
	CALL(195, llistxattr, "spu", 0)             \
	CALL(196, flistxattr, "fpu", 0)             \
	CALL(197, removexattr, "ss", 0)             \
	CALL(198, lremovexattr, "ss", 0)            \
	CALL(199, fremovexattr, "fs", 0)            \
	CALL(200, tkill, "dS", CALL_NOLOCK)         \
	CALL(201, time, "p", CALL_NOLOCK)           \
	CALL(202, futex, "pxupp", 0)                \
	CALL(203, sched_setaffinity, "dup", 0)      \
	CALL(204, sched_getaffinity, "dup", 0)      \
	CALL(213, epoll_create, "u", 0)             \
	CALL(217, getdents64, "fpu", 0)             \
	CALL(218, set_tid_address, "p", 0)          \
	CALL(219, restart_syscall, "", 0)           \
	CALL(220, semtimedop, "dput", 0)            \
	CALL(221, fadvise64, "flld", 0)             \
	CALL(222, timer_create, "Cpp", 0)           \
	CALL(223, timer_settime, "dxpp", 0)         \
	CALL(224, timer_gettime, "dp", 0)           \
	CALL(225, timer_getoverrun, "d", 0)         \
	CALL(226, timer_delete, "d", 0)             \
	CALL(227, clock_settime, "Ct", 0)           \
	CALL(228, clock_gettime, "CT", CALL_NOLOCK) \
	CALL(229, clock_getres, "CT", CALL_NOLOCK)  \
	CALL(230, clock_nanosleep, "CxtT", 0)       \
	CALL(231, exit_group, "d", CALL_ENTRY)      \
	CALL(232, epoll_wait, "fpud", 0)            \
	CALL(233, epoll_ctl, "fdfp", 0)             \
	CALL(234, tgkill, "ddS", CALL_NOLOCK)       \
	CALL(235, utimes, "sp", 0)                  \
	CALL(237, mbind, "puxpux", 0)               \
	CALL(238, set_mempolicy, "xpu", 0)          \
	CALL(239, get_mempolicy, "ppupx", 0)        \
	CALL(240, mq_open, "sGop", 0)               \
	CALL(241, mq_unlink, "s", 0)                \
	CALL(242, mq_timedsend, "fbuut", 0)         \
	CALL(243, mq_timedreceive, "fBupt", 0)      \
	CALL(244, mq_notify, "fp", 0)               \
	CALL(245, mq_getsetattr, "fpp", 0)          \
	CALL(247, waitid, "ddpWp", 0)               \
	CALL(251, ioprio_set, "ddx", 0)             \
	CALL(252, ioprio_get, "dd", 0)              \
	CALL(253, inotify_init, "", 0)              \
	CALL(254, inotify_add_watch, "fsx", 0)      \
	CALL(255, inotify_rm_watch, "fd", 0)        \
	CALL(257, openat, "DsOo", 0)                \
	CALL(258, mkdirat, "Dso", 0)                \
	CALL(259, mknodat, "Dsox", 0)               \
	CALL(260, fchownat, "Dsddx", 0)             \
	CALL(261, futimesat, "Dsp", 0)              \
	CALL(262, newfstatat, "Dsqx", 0)            \
	CALL(263, unlinkat, "Dsx", 0)               \
	CALL(264, renameat, "DsDs", 0)              \
	CALL(265, linkat, "DsDsx", 0)               \
	CALL(266, symlinkat, "sDs", 0)              \
	CALL(267, readlinkat, "DsBu", 0)            \
	CALL(268, fchmodat, "Dso", 0)               \
	CALL(269, faccessat, "Dsx", 0)              \
	CALL(270, pselect6, "dppptp", 0)            \
	CALL(271, ppoll, "putku", 0)                \
	CALL(273, set_robust_list, "pu", 0)         \
	CALL(274, get_robust_list, "dpp", 0)        \
	CALL(275, splice, "fpfpux", 0)              \
	CALL(276, tee, "ffux", 0)                   \
	CALL(277, sync_file_range, "fllx", 0)       \
	CALL(278, vmsplice, "fpux", 0)              \
	CALL(280, utimensat, "Dspx", 0)             \
	CALL(281, epoll_pwait, "fpudku", 0)         \
	CALL(282, signalfd, "fku", 0)               \
	CALL(283, timerfd_create, "Cx", 0)          \
	CALL(284, eventfd, "u", 0)                  \
	CALL(285, fallocate, "fxll", 0)             \
	CALL(286, timerfd_settime, "fxpp", 0)       \
	CALL(287, timerfd_gettime, "fp", 0)         \
	CALL(288, accept4, "fppG", 0)               \
	CALL(289, signalfd4, "fkux", 0)             \
	CALL(290, eventfd2, "ux", 0)                \
	CALL(291, epoll_create1, "x", 0)            \
	CALL(292, dup3, "ffG", 0)                   \
	CALL(293, pipe2, "PG", 0)                   \
	CALL(294, inotify_init1, "x", 0)            \
	CALL(295, preadv, "fpul", 0)                \
	CALL(296, pwritev, "fpul", 0)               \
	CALL(297, rt_tgsigqueueinfo, "ddSp", 0)     \
	CALL(299, recvmmsg, "fpuxp", 0)             \
	CALL(302, prlimit64, "drLR", 0)             \
	CALL(303, name_to_handle_at, "Dsppx", 0)    \
	CALL(306, syncfs, "f", 0)                   \
	CALL(307, sendmmsg, "fpux", 0)              \
	CALL(309, getcpu, "ppp", 0)                 \
	CALL(310, process_vm_readv, "dpupux", 0)    \
	CALL(311, process_vm_writev, "dpupux", 0)   \
	CALL(312, kcmp, "dddxx", 0)                 \
	CALL(314, sched_setattr, "dpx", 0)          \
	CALL(315, sched_getattr, "dpux", 0)         \
	CALL(316, renameat2, "DsDsx", 0)            \
	CALL(318, getrandom, "Bux", CALL_NOLOCK)    \
	CALL(319, memfd_create, "sx", 0)            \
	CALL(322, execveat, "Dsaex", 0)             \
	CALL(324, membarrier, "xxd", 0)             \
	CALL(325, mlock2, "pux", 0)                 \
	CALL(326, copy_file_range, "fpfpux", 0)     \
	CALL(327, preadv2, "fpullx", 0)             \
	CALL(328, pwritev2, "fpullx", 0)            \
	CALL(329, pkey_mprotect, "pumd", 0)         \
	CALL(330, pkey_alloc, "xx", 0)              \
	CALL(331, pkey_free, "d", 0)                \
	CALL(332, statx, "Dsxxp", 0)                \
	CALL(334, rseq, "puxx", CALL_NOLOCK)        \
	CALL(424, pidfd_send_signal, "fSpx", 0)     \
	CALL(434, pidfd_open, "dx", 0)              \
	CALL(435, clone3, "pu", CALL_NOLOCK)        \
	CALL(436, close_range, "uux", 0)            \
	CALL(437, openat2, "Dspu", 0)               \
	CALL(438, pidfd_getfd, "ffx", 0)            \
	CALL(439, faccessat2, "Dsxx", 0)            \
	CALL(441, epoll_pwait2, "fputku", 0)        \
	CALL(452, fchmodat2, "Dsox", 0)

/* What calls lack (tools/gensyscalls.py puts it into docs/44-linux-calls.md): names, then what is not done and how
 * that is refused; of calls that are not there, why.
 *
 * open, openat, creat: O_DIRECT, O_SYNC and O_DSYNC mean nothing: files are memory
 * stat, fstat, lstat, newfstatat, statx: times of access stay as they were made
 * poll, ppoll, select, pselect6: POLLPRI of pseudo-terminals alone
 * mmap: MAP_HUGETLB: EINVAL; MAP_SYNC: EOPNOTSUPP; devices: ENODEV; private memory is promised beyond what is there
 * pkey_alloc, pkey_mprotect, pkey_free: there are no keys to be had: ENOSPC; pkey_mprotect with key -1 is mprotect; others: EINVAL
 * mremap: MREMAP_DONTUNMAP: EINVAL
 * madvise: REMOVE, DONTFORK, DOFORK, MERGEABLE, WIPEONFORK, COLLAPSE, GUARD_INSTALL and newer advice: EINVAL
 * ioctl: terminals (linux_tty.h), FIONREAD, FIONBIO, FIOCLEX, SIOCOUTQ; others: ENOTTY
 * fcntl: leases, F_NOTIFY, F_SETOWN, F_SETSIG: EINVAL; O_ASYNC and O_DIRECT by F_SETFL: EINVAL
 * sendfile, copy_file_range: through a buffer: nothing is shared between the files
 * clone, clone3: namespaces, CLONE_PIDFD, CLONE_PTRACE, CLONE_PARENT, set_tid, cgroups, threads with files or a directory of
 *   their own: ENOSYS
 * socket, socketpair: the UNIX family only: others EAFNOSUPPORT
 * sendto, sendmsg, sendmmsg, recvfrom, recvmsg, recvmmsg: MSG_OOB: EOPNOTSUPP; MSG_ERRQUEUE means nothing; descriptors of
 *     sockets that lie in their own queue are not found and freed
 * setsockopt, getsockopt: SO_TYPE, ERROR, SNDBUF, RCVBUF, RCVTIMEO, SNDTIMEO, PASSCRED, PEERCRED, ACCEPTCONN, DOMAIN, PROTOCOL,
 *     and REUSEADDR, KEEPALIVE, BROADCAST, which mean nothing here; others: ENOPROTOOPT
 * getrlimit, setrlimit, prlimit64: kept for all; RSS, LOCKS, RTPRIO, RTTIME limit nothing
 * shmget: SHM_HUGETLB: EINVAL
 * mq_notify: SIGEV_THREAD: the library wants a netlink socket for it: EAFNOSUPPORT
 * getrusage: times, maxrss, faults; other fields are 0
 * prctl: NAME, DUMPABLE, NO_NEW_PRIVS, PDEATHSIG, CHILD_SUBREAPER, TIMERSLACK, KEEPCAPS, SECUREBITS, CAPBSET_READ, CAPBSET_DROP, CAP_AMBIENT,
 *     and what asks (TSC, TIMING, SECCOMP, TID_ADDRESS); others: EINVAL
 * capset, capget: of the process, all its threads; files have none
 * setfsuid, setfsgid: always the effective identity: others are not taken
 * ioprio_set: kept; files are memory, and no request waits for another
 * sched_setattr: policies as of sched_setscheduler
 * kcmp: KCMP_EPOLL_TFD: EINVAL
 * name_to_handle_at: EOPNOTSUPP: files have no handles
 * settimeofday, clock_settime: EPERM: the clock is the machine's
 * readahead, sync_file_range: files are memory: nothing is to be done
 * set_mempolicy, mbind, get_mempolicy: of one node; the policy that is said is the default, to which all come
 * arch_prctl: FS only: ARCH_SET_GS: EINVAL
 * personality: Linux's plain one, READ_IMPLIES_EXEC, and ADDR_NO_RANDOMIZE: addresses are never random; others: EINVAL
 * setgroups, getgroups: 32 groups at most
 * flock: between open files of one family
 * fallocate: KEEP_SIZE, PUNCH_HOLE, ZERO_RANGE; COLLAPSE_RANGE, INSERT_RANGE, UNSHARE_RANGE: EOPNOTSUPP
 * memfd_create: MFD_HUGETLB, MFD_EXEC, MFD_NOEXEC_SEAL: EINVAL
 * preadv2, pwritev2: RWF_NOWAIT: EOPNOTSUPP; RWF_DSYNC, SYNC, HIPRI mean nothing: files are memory
 * inotify_add_watch: what runs a program, maps a file or sets an attribute of the extended ones is not told; /proc, pipes:
 *     EOPNOTSUPP
 * timer_create: CLOCK_REALTIME, MONOTONIC, BOOTTIME; clocks of processor time: EINVAL
 * fadvise64: taken as read: files are memory
 * renameat2: RENAME_WHITEOUT: EINVAL
 * setxattr, lsetxattr, fsetxattr, getxattr, lgetxattr, fgetxattr: user., trusted., security.; system. (access lists): EOPNOTSUPP
 * epoll_ctl: EPOLLEXCLUSIVE wakes all, which it may; EPOLLWAKEUP means nothing
 * timerfd_create: CLOCK_REALTIME, MONOTONIC, BOOTTIME; alarms of a machine that sleeps: EINVAL
 * timerfd_settime: the clock is never set, so that TFD_TIMER_CANCEL_ON_SET never cancels
 * mknod, mknodat: files, FIFOs, character devices that ExOS has; block devices, sockets: EPERM
 * syncfs, sync, fsync, fdatasync, msync: files are memory, and gone with the machine: nothing is to be done
 * execve, execveat: no set-user-id
 * rseq: none of it, ENOSYS without a word in the log: libraries go on without
 * futex: FUTEX_WAIT_REQUEUE_PI, FUTEX_CMP_REQUEUE_PI: ENOSYS; there are no priorities that a lock's owner could inherit
 * sched_setscheduler, sched_setparam: SCHED_OTHER, BATCH (as OTHER), IDLE; SCHED_FIFO and SCHED_RR: EPERM, DEADLINE: EINVAL
 * membarrier: GLOBAL and PRIVATE_EXPEDITED; others: EINVAL
 * ptrace: no debugger inside; ./aril gdb
 * io_uring_setup: programs go on with ordinary calls
 * mount, umount2, pivot_root, unshare, setns: one tree of files, no namespaces
 * init_module, finit_module, delete_module, kexec_load, bpf, perf_event_open, iopl, ioperm, reboot: the machine is not a program's
 */
enum { SYSCALL_MAX = 462 }; /* numbers beyond are nobody's */

/* What a call number means; name NULL: ExOS does not have it. */
struct syscall_desc {
	const char *name;
	const char *args;
	u32 flags;
};
extern const struct syscall_desc syscall_descs[SYSCALL_MAX];

#endif

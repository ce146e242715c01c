/* SPDX-License-Identifier: MIT
 * The handlers of Linux's calls on files. Each is Linux's call of that name, with Linux's arguments: the result or
 * -errno. They run with the family lock. */
#ifndef EXOS_FILE_CALLS_H
#define EXOS_FILE_CALLS_H

#include "exos.h"

s64 sys_read(u64 fd, u64 to, u64 bytes);
s64 sys_write(u64 fd, u64 from, u64 bytes);
s64 sys_open(u64 path, u64 flags, u64 mode);
s64 sys_close(u64 fd);
s64 sys_creat(u64 path, u64 mode);
s64 sys_openat(u64 dir, u64 path, u64 flags, u64 mode);
s64 sys_openat2(u64 dir, u64 path, u64 from, u64 bytes);
s64 sys_lseek(u64 fd, u64 offset, u64 whence);
s64 sys_ioctl(u64 fd, u64 request, u64 arg);
s64 sys_pread64(u64 fd, u64 to, u64 bytes, u64 offset);
s64 sys_pwrite64(u64 fd, u64 from, u64 bytes, u64 offset);
s64 sys_readv(u64 fd, u64 vec, u64 count);
s64 sys_writev(u64 fd, u64 vec, u64 count);
s64 sys_preadv(u64 fd, u64 vec, u64 count, u64 offset);
s64 sys_pwritev(u64 fd, u64 vec, u64 count, u64 offset);
s64 sys_sendfile(u64 out, u64 in, u64 offset, u64 bytes);
s64 sys_copy_file_range(u64 in, u64 in_offset, u64 out, u64 out_offset, u64 bytes, u64 flags);
s64 sys_fallocate(u64 fd, u64 mode, u64 offset, u64 bytes);
s64 sys_fadvise64(u64 fd, u64 offset, u64 bytes, u64 advice);
s64 sys_ftruncate(u64 fd, u64 bytes);
s64 sys_truncate(u64 path, u64 bytes);
s64 sys_fsync(u64 fd);
s64 sys_fdatasync(u64 fd);
s64 sys_sync(void);
s64 sys_syncfs(u64 fd);
s64 sys_dup(u64 fd);
s64 sys_dup2(u64 fd, u64 to);
s64 sys_dup3(u64 fd, u64 to, u64 flags);
s64 sys_fcntl(u64 fd, u64 command, u64 arg);
s64 sys_flock(u64 fd, u64 operation);
s64 sys_close_range(u64 first, u64 last, u64 flags);
s64 sys_stat(u64 path, u64 to);
s64 sys_fstat(u64 fd, u64 to);
s64 sys_lstat(u64 path, u64 to);
s64 sys_newfstatat(u64 dir, u64 path, u64 to, u64 flags);
s64 sys_statx(u64 dir, u64 path, u64 flags, u64 mask, u64 to);
s64 sys_statfs(u64 path, u64 to);
s64 sys_fstatfs(u64 fd, u64 to);
s64 sys_access(u64 path, u64 mode);
s64 sys_faccessat(u64 dir, u64 path, u64 mode);
s64 sys_faccessat2(u64 dir, u64 path, u64 mode, u64 flags);
s64 sys_readlink(u64 path, u64 to, u64 bytes);
s64 sys_readlinkat(u64 dir, u64 path, u64 to, u64 bytes);
s64 sys_getdents(u64 fd, u64 to, u64 bytes);
s64 sys_getdents64(u64 fd, u64 to, u64 bytes);
s64 sys_getcwd(u64 to, u64 bytes);
s64 sys_chdir(u64 path);
s64 sys_fchdir(u64 fd);
s64 sys_umask(u64 mask);
s64 sys_chroot(u64 path);
s64 sys_mkdir(u64 path, u64 mode);
s64 sys_mkdirat(u64 dir, u64 path, u64 mode);
s64 sys_mknod(u64 path, u64 mode, u64 dev);
s64 sys_mknodat(u64 dir, u64 path, u64 mode, u64 dev);
s64 sys_rmdir(u64 path);
s64 sys_unlink(u64 path);
s64 sys_unlinkat(u64 dir, u64 path, u64 flags);
s64 sys_rename(u64 from, u64 to);
s64 sys_renameat(u64 from_dir, u64 from, u64 to_dir, u64 to);
s64 sys_renameat2(u64 from_dir, u64 from, u64 to_dir, u64 to, u64 flags);
s64 sys_link(u64 from, u64 to);
s64 sys_linkat(u64 from_dir, u64 from, u64 to_dir, u64 to, u64 flags);
s64 sys_symlink(u64 target, u64 path);
s64 sys_symlinkat(u64 target, u64 dir, u64 path);
s64 sys_chmod(u64 path, u64 mode);
s64 sys_fchmod(u64 fd, u64 mode);
s64 sys_fchmodat(u64 dir, u64 path, u64 mode);
s64 sys_fchmodat2(u64 dir, u64 path, u64 mode, u64 flags);
s64 sys_chown(u64 path, u64 uid, u64 gid);
s64 sys_fchown(u64 fd, u64 uid, u64 gid);
s64 sys_lchown(u64 path, u64 uid, u64 gid);
s64 sys_fchownat(u64 dir, u64 path, u64 uid, u64 gid, u64 flags);
s64 sys_utime(u64 path, u64 times);
s64 sys_utimes(u64 path, u64 times);
s64 sys_futimesat(u64 dir, u64 path, u64 times);
s64 sys_utimensat(u64 dir, u64 path, u64 times, u64 flags);
s64 sys_pipe(u64 fds);
s64 sys_pipe2(u64 fds, u64 flags);
s64 sys_poll(u64 fds, u64 count, u64 timeout);
s64 sys_ppoll(u64 fds, u64 count, u64 timeout, u64 mask, u64 bytes);
s64 sys_select(u64 count, u64 in, u64 out, u64 except, u64 timeout);
s64 sys_pselect6(u64 count, u64 in, u64 out, u64 except, u64 timeout, u64 mask);
s64 sys_preadv2(u64 fd, u64 vec, u64 count, u64 offset, u64 high, u64 flags);
s64 sys_pwritev2(u64 fd, u64 vec, u64 count, u64 offset, u64 high, u64 flags);

/* memfd.c, inotify.c */
s64 sys_memfd_create(u64 name, u64 flags);
s64 sys_inotify_init(void);
s64 sys_inotify_init1(u64 flags);
s64 sys_inotify_add_watch(u64 fd, u64 path, u64 mask);
s64 sys_inotify_rm_watch(u64 fd, u64 watch);

/* xattr.c */
s64 sys_setxattr(u64 path, u64 name, u64 value, u64 bytes, u64 flags);
s64 sys_lsetxattr(u64 path, u64 name, u64 value, u64 bytes, u64 flags);
s64 sys_fsetxattr(u64 fd, u64 name, u64 value, u64 bytes, u64 flags);
s64 sys_getxattr(u64 path, u64 name, u64 value, u64 bytes);
s64 sys_lgetxattr(u64 path, u64 name, u64 value, u64 bytes);
s64 sys_fgetxattr(u64 fd, u64 name, u64 value, u64 bytes);
s64 sys_listxattr(u64 path, u64 to, u64 bytes);
s64 sys_llistxattr(u64 path, u64 to, u64 bytes);
s64 sys_flistxattr(u64 fd, u64 to, u64 bytes);
s64 sys_removexattr(u64 path, u64 name);
s64 sys_lremovexattr(u64 path, u64 name);
s64 sys_fremovexattr(u64 fd, u64 name);

/* epoll.c, eventfd.c, signalfd.c */
s64 sys_epoll_create(u64 size);
s64 sys_epoll_create1(u64 flags);
s64 sys_epoll_ctl(u64 epfd, u64 op, u64 fd, u64 event);
s64 sys_epoll_wait(u64 epfd, u64 to, u64 most, u64 timeout);
s64 sys_epoll_pwait(u64 epfd, u64 to, u64 most, u64 timeout, u64 mask, u64 bytes);
s64 sys_epoll_pwait2(u64 epfd, u64 to, u64 most, u64 timeout, u64 mask, u64 bytes);
s64 sys_eventfd(u64 initial);
s64 sys_eventfd2(u64 initial, u64 flags);
s64 sys_timerfd_create(u64 clock, u64 flags);
s64 sys_timerfd_settime(u64 fd, u64 flags, u64 from, u64 old);
s64 sys_timerfd_gettime(u64 fd, u64 to);
s64 sys_signalfd(u64 fd, u64 set, u64 bytes);
s64 sys_signalfd4(u64 fd, u64 set, u64 bytes, u64 flags);

/* socket.c */
s64 sys_socket(u64 domain, u64 type, u64 protocol);
s64 sys_socketpair(u64 domain, u64 type, u64 protocol, u64 fds);
s64 sys_bind(u64 fd, u64 address, u64 bytes);
s64 sys_listen(u64 fd, u64 backlog);
s64 sys_connect(u64 fd, u64 address, u64 bytes);
s64 sys_accept(u64 fd, u64 address, u64 length);
s64 sys_accept4(u64 fd, u64 address, u64 length, u64 flags);
s64 sys_shutdown(u64 fd, u64 how);
s64 sys_getsockname(u64 fd, u64 to, u64 length);
s64 sys_getpeername(u64 fd, u64 to, u64 length);
s64 sys_sendto(u64 fd, u64 from, u64 bytes, u64 flags, u64 address, u64 length);
s64 sys_recvfrom(u64 fd, u64 to, u64 bytes, u64 flags, u64 address, u64 length);
s64 sys_sendmsg(u64 fd, u64 header, u64 flags);
s64 sys_recvmsg(u64 fd, u64 header, u64 flags);
s64 sys_sendmmsg(u64 fd, u64 headers, u64 count, u64 flags);
s64 sys_recvmmsg(u64 fd, u64 headers, u64 count, u64 flags, u64 timeout);
s64 sys_setsockopt(u64 fd, u64 level, u64 option, u64 from, u64 bytes);
s64 sys_getsockopt(u64 fd, u64 level, u64 option, u64 to, u64 length_at);

#endif

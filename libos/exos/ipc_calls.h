/* SPDX-License-Identifier: MIT
 * The handlers of Linux's calls for shared memory, semaphores and message queues. Each is Linux's call of that name: the
 * result or -errno. Family lock. */
#ifndef EXOS_IPC_CALLS_H
#define EXOS_IPC_CALLS_H

#include "exos.h"

/* sysv_shm.c, sysv_sem.c, sysv_msg.c */
s64 sys_shmget(u64 key, u64 bytes, u64 flags);
s64 sys_shmat(u64 id, u64 addr, u64 flags);
s64 sys_shmdt(u64 addr);
s64 sys_shmctl(u64 id, u64 command, u64 buffer);
s64 sys_semget(u64 key, u64 count, u64 flags);
s64 sys_semop(u64 id, u64 ops, u64 count);
s64 sys_semtimedop(u64 id, u64 ops, u64 count, u64 timeout);
s64 sys_semctl(u64 id, u64 number, u64 command, u64 arg);
s64 sys_msgget(u64 key, u64 flags);
s64 sys_msgsnd(u64 id, u64 from, u64 bytes, u64 flags);
s64 sys_msgrcv(u64 id, u64 to, u64 bytes, u64 type, u64 flags);
s64 sys_msgctl(u64 id, u64 command, u64 buffer);

/* mqueue.c */
s64 sys_mq_open(u64 path, u64 flags, u64 mode, u64 attributes);
s64 sys_mq_unlink(u64 path);
s64 sys_mq_timedsend(u64 fd, u64 from, u64 bytes, u64 priority, u64 timeout);
s64 sys_mq_timedreceive(u64 fd, u64 to, u64 bytes, u64 priority, u64 timeout);
s64 sys_mq_notify(u64 fd, u64 event);
s64 sys_mq_getsetattr(u64 fd, u64 from, u64 to);

#endif

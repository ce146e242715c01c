/* SPDX-License-Identifier: MIT
 * System V shared memory, semaphores and message queues; POSIX message queues. Family lock throughout. */
#ifndef EXOS_IPC_H
#define EXOS_IPC_H

#include "exos.h"

/* Limits, Linux's own. */
#define IPC_MOST 32768u
#define SHM_MAX 18446744073692774399ul
#define SHM_ALL 18446744073692774399ul
#define SHM_SEGMENTS 4096u
#define SEM_PER_SET 32000u
#define SEM_ALL 1024000000u
#define SEM_OPS 500u
#define SEM_SETS 32000u
#define MSG_MAX 8192u
#define MSG_QUEUE_BYTES 16384u
#define MSG_QUEUES 32000u
#define MQ_MESSAGES 10u
#define MQ_BYTES 8192u
#define MQ_QUEUES 256u
#define MQ_LIMIT 819200u /* RLIMIT_MSGQUEUE */

#define IPC_PRIVATE 0
#define IPC_CREAT 01000u
#define IPC_EXCL 02000u
#define IPC_NOWAIT 04000u
#define IPC_RMID 0
#define IPC_SET 1
#define IPC_STAT 2
#define IPC_INFO 3
#define IPC_READ 0444u
#define IPC_WRITE 0222u

struct linux_ipc_perm {
	s32 key;
	u32 uid, gid, cuid, cgid, mode;
	u16 seq, pad;
	u64 unused[2];
};
ARIL_ASSERT_SIZE(struct linux_ipc_perm, 48);

/* What the three kinds have in common. It lives while somebody has a reference: its table until it is removed, and each
 * thread that sleeps on it. */
struct ipc {
	u32 refs, removed;
	s32 id, key; /* id: sequence * IPC_MOST + place in the table */
	u32 uid, gid, cuid, cgid, mode;
	s64 ctime; /* s since 1970 */
};

struct ipc_table {
	struct ipc **slots;
	u32 capacity, count, most;
	u32 sequence, last;
	void (*free)(struct ipc *i);
};

/* What a *get call asks for. */
struct ipc_request {
	s32 key;
	u32 flags; /* IPC_*, permissions */
	u64 size;
	struct ipc *(*create)(const struct ipc_request *r, s64 *error);
	s64 (*fits)(const struct ipc *i,
		    const struct ipc_request *r); /* 0, or why it is not that */
};
/* The number that has the key, made if that is asked for. Or -ENOENT, -EEXIST, -EACCES, -ENOSPC and what create and fits
 * say. */
s64 ipc_get(struct ipc_table *t, const struct ipc_request *r);
/* What a number names; NULL and -EINVAL: nothing, -EIDRM: it is another by now. No reference. */
struct ipc *ipc_find(const struct ipc_table *t, s32 id, s64 *error);
/* What is at a place of the table. NULL and -EINVAL: nothing. */
struct ipc *ipc_at(const struct ipc_table *t, u32 index, s64 *error);
/* Whether the caller may: IPC_READ, IPC_WRITE, or both. 0 or -EACCES. */
s64 ipc_permission(const struct ipc *i, u32 want);
/* Whether it may change or remove it. 0 or -EPERM. */
s64 ipc_owner(const struct ipc *i);
void ipc_perm_out(const struct ipc *i, struct linux_ipc_perm *to);
/* IPC_SET: takes over owner and mode. */
void ipc_perm_set(struct ipc *i, const struct linux_ipc_perm *from);
/* Takes it out of its table: nobody finds it any more. */
void ipc_remove(struct ipc_table *t, struct ipc *i);
void ipc_put(struct ipc_table *t, struct ipc *i);
/* The highest place that is used, or 0. */
s64 ipc_highest(const struct ipc_table *t);
s64 realtime_seconds(void);

/* sysv_shm.c */
struct inode;
/* An area of a segment is no longer there: the current process has left it. */
void shm_detached(struct inode *i);
/* The process whose memory it is ends: it leaves its segments now, and not when its parent hears of it. */
struct mm;
void shm_exit(struct mm *mm);
/* How maps shows a segment. */
const char *shm_area_name(const struct inode *i, char room[48]);
/* sysv_sem.c: the process ends, and what it did with SEM_UNDO is undone. */
void sem_exit(struct proc *p);

struct proc_text;
void proc_text_shm(struct proc_text *t, struct proc *p);
void proc_text_sem(struct proc_text *t, struct proc *p);
void proc_text_msg(struct proc_text *t, struct proc *p);
void proc_text_sem_limits(struct proc_text *t, struct proc *p);

#endif

/* SPDX-License-Identifier: MIT
 * System V shared memory, semaphores and message queues: results and errors as on the host. Numbers that the kernel gives
 * are not shown. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "asleep.h"
#include "say.h"
/* Only whether it succeeded. */
#define S(call)                                                                        \
	do {                                                                           \
		errno = 0;                                                             \
		long result = (long)(call);                                            \
		printf("%s: %s\n", #call, result == -1 ? strerror(errno) : "success"); \
	} while (0)

union semun {
	int val;
	struct semid_ds *buf;
	unsigned short *array;
	struct seminfo *info;
};
static key_t key;

static int child(void (*what)(int), int arg)
{
	int status;
	fflush(stdout);
	pid_t pid = fork();
	if (!pid) {
		what(arg);
		fflush(stdout);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	return status;
}

/* ---- shared memory ---- */
static void other_user(int id)
{
	setresgid(1000, 1000, 1000);
	setresuid(1000, 1000, 1000);
	struct shmid_ds ds;
	S(shmat(id, NULL, SHM_RDONLY));
	S(shmat(id, NULL, 0));
	T(shmctl(id, IPC_STAT, &ds));
	T(shmctl(id, IPC_RMID, NULL));
	T(shmget(key, 10, 0600));
	S(shmget(key, 10, 0400));
}

static void show(int id)
{
	struct shmid_ds ds;
	T(shmctl(id, IPC_STAT, &ds));
	printf("size %zu attached %ld mode %o creator %d last %d times %d %d %d\n", ds.shm_segsz,
	       (long)ds.shm_nattch, ds.shm_perm.mode, ds.shm_cpid == getpid(),
	       ds.shm_lpid == getpid(), ds.shm_atime > 0, ds.shm_dtime > 0, ds.shm_ctime > 0);
}

static void detaches(int id)
{
	char *m = shmat(id, NULL, 0);
	strcpy(m, "from the child");
	struct shmid_ds ds;
	shmctl(id, IPC_STAT, &ds);
	printf("attached with the child's: %ld\n", (long)ds.shm_nattch);
}

static void shared(void)
{
	T(shmget(key, 100, 0600));
	T(shmget(key, 0, IPC_CREAT | 0600));
	int id = shmget(key, 10000, IPC_CREAT | IPC_EXCL | 0640);
	printf("made: %d\n", id >= 0);
	T(shmget(key, 10000, IPC_CREAT | IPC_EXCL | 0600));
	printf("same: %d\n", shmget(key, 10000, 0) == id);
	T(shmget(key, 10001, 0));
	show(id);
	char *m = shmat(id, NULL, 0);
	printf("zero: %d\n", m[0] || m[9999] || m[12287]);
	strcpy(m + 5000, "text");
	T(shmat(id, m + 1, 0));
	T(shmat(id, m, 0));
	T(shmat(id, NULL, SHM_REMAP));
	T(shmat(-1, NULL, 0));
	char *n = shmat(id, NULL, SHM_RDONLY);
	printf("%s %d\n", n + 5000, m != n);
	T(mprotect(n, 4096, PROT_READ | PROT_WRITE));
	show(id);
	child(detaches, id);
	printf("%s\n", m);
	show(id);
	T(shmdt(m + 4096));
	T(shmdt(m + 1));
	T(munmap(n + 4096, 4096));
	show(id);
	T(shmdt(n));
	show(id);
	void *at = (void *)0x10000000;
	printf("there: %d\n", shmat(id, (char *)at + 100, SHM_RND) == at);
	T(shmat(id, at, 0));
	printf("over it: %d\n", shmat(id, at, SHM_REMAP) == at);
	show(id);
	T(shmdt(at));
	child(other_user, id);
	struct shmid_ds ds;
	shmctl(id, IPC_STAT, &ds);
	ds.shm_perm.mode = 0444;
	T(shmctl(id, IPC_SET, &ds));
	child(other_user, id);
	T(shmctl(id, SHM_LOCK, NULL));
	show(id);
	T(shmctl(id, SHM_UNLOCK, NULL));
	T(shmctl(id, 999, NULL));
	T(shmctl(-1, IPC_STAT, &ds));
	T(shmctl(id, IPC_STAT, (void *)8));
	struct shminfo info;
	printf("%d\n", shmctl(0, IPC_INFO, (void *)&info) >= 0);
	printf("%lx %ld %ld %lx\n", info.shmmax, info.shmmin, info.shmmni, info.shmall);
	/* removed, and there until the last one has left */
	T(shmctl(id, IPC_RMID, NULL));
	T(shmget(key, 100, 0600));
	show(id);
	n = shmat(id, NULL, 0);
	printf("still: %s\n", n + 5000);
	T(shmdt(m));
	T(shmdt(n));
	T(shmctl(id, IPC_STAT, &ds));
	T(shmctl(id, IPC_RMID, NULL));
}

/* ---- semaphores ---- */
static void sem_show(int id)
{
	unsigned short v[3];
	T(semctl(id, 0, GETALL, (union semun){.array = v}));
	printf("%d %d %d\n", v[0], v[1], v[2]);
}

static void takes(int id)
{
	struct sembuf ops[2] = {{1, -2, 0}, {2, 1, 0}};
	T(semop(id, ops, 2));
}

static void undoes(int id)
{
	struct sembuf ops[2] = {{0, 3, SEM_UNDO}, {1, -1, SEM_UNDO}};
	T(semop(id, ops, 2));
	sem_show(id);
}

static void undone_by_set(int id)
{
	struct sembuf op = {0, 3, SEM_UNDO};
	T(semop(id, &op, 1));
	T(semctl(id, 0, SETVAL, (union semun){.val = 7}));
}

static void zero(int id)
{
	struct sembuf op = {0, 0, 0};
	T(semop(id, &op, 1));
}

static void removed(int id)
{
	struct sembuf op = {2, -5, 0};
	T(semop(id, &op, 1));
}

static void handler(int sig)
{
	(void)sig;
}

static void interrupted(int id)
{
	struct sembuf op = {2, -5, 0};
	struct sigaction a = {.sa_handler = handler, .sa_flags = SA_RESTART};
	sigaction(SIGALRM, &a, NULL);
	ualarm(20000, 20000); /* again and again: one may come before the call */
	T(semop(id, &op, 1));
	ualarm(0, 0);
}

static pid_t start(void (*what)(int), int id)
{
	fflush(stdout);
	pid_t pid = fork();
	if (!pid) {
		what(id);
		fflush(stdout);
		_exit(0);
	}
	return pid;
}

static void semaphores(void)
{
	struct semid_ds ds;
	T(semget(key, 3, 0600));
	T(semget(key, 0, IPC_CREAT | 0600));
	T(semget(key, 32001, IPC_CREAT | 0600));
	int id = semget(key, 3, IPC_CREAT | 0600);
	T(semget(key, 4, 0600));
	printf("same: %d\n", semget(key, 0, 0) == id);
	sem_show(id);
	T(semctl(id, 0, SETVAL, (union semun){.val = 5}));
	T(semctl(id, 0, SETVAL, (union semun){.val = 32768}));
	T(semctl(id, 0, SETVAL, (union semun){.val = -1}));
	T(semctl(id, 3, GETVAL));
	T(semctl(id, 0, GETVAL));
	printf("%d\n", semctl(id, 0, GETPID) == getpid());
	struct sembuf ops[3] = {{0, -2, 0}, {1, 1, 0}, {2, -1, IPC_NOWAIT}};
	T(semop(id, ops, 3));
	sem_show(id);
	T(semop(id, ops, 2));
	sem_show(id);
	T(semop(id, ops, 0));
	T(semop(id, ops, 501));
	T(semop(-1, ops, 1));
	T(semop(id, (void *)8, 1));
	T(semop(id, &(struct sembuf){3, 1, 0}, 1));
	T(semop(id, &(struct sembuf){0, 32767, 0}, 1));
	T(semop(id, &(struct sembuf){2, 0, 0}, 1));
	struct timespec t = {0, 10000000}, bad = {0, -1};
	T(semtimedop(id, &(struct sembuf){2, -1, 0}, 1, &t));
	T(semtimedop(id, &(struct sembuf){2, -1, 0}, 1, &bad));
	pid_t pid = start(takes, id);
	until_asleep(pid, pid);
	T(semctl(id, 1, GETNCNT));
	T(semctl(id, 1, GETZCNT));
	T(semop(id, &(struct sembuf){1, 1, 0}, 1));
	waitpid(pid, NULL, 0);
	sem_show(id);
	printf("%d\n", semctl(id, 2, GETPID) == pid);
	semctl(id, 1, SETVAL, (union semun){.val = 4});
	child(undoes, id);
	sem_show(id);
	child(undone_by_set, id);
	sem_show(id);
	pid = start(zero, id);
	until_asleep(pid, pid);
	T(semctl(id, 0, GETZCNT));
	T(semop(id, &(struct sembuf){0, -7, 0}, 1));
	waitpid(pid, NULL, 0);
	child(interrupted, id);
	unsigned short all[3] = {1, 2, 3}, large[3] = {1, 2, 40000};
	T(semctl(id, 0, SETALL, (union semun){.array = large}));
	T(semctl(id, 0, SETALL, (union semun){.array = all}));
	sem_show(id);
	T(semctl(id, 0, IPC_STAT, (union semun){.buf = &ds}));
	printf("%ld %o %d %d\n", (long)ds.sem_nsems, ds.sem_perm.mode, ds.sem_otime > 0,
	       ds.sem_ctime > 0);
	struct seminfo info;
	printf("%d\n", semctl(0, 0, IPC_INFO, (union semun){.info = &info}) >= 0);
	printf("%d %d %d %d %d\n", info.semmni, info.semmns, info.semmsl, info.semopm, info.semvmx);
	T(semctl(id, 0, 999));
	pid = start(removed, id);
	until_asleep(pid, pid);
	T(semctl(id, 0, IPC_RMID));
	waitpid(pid, NULL, 0);
	S(semctl(id, 0, GETVAL));
}

/* Two processes that take turns, ten thousand times. */
static void turns(int id)
{
	struct sembuf take = {1, -1, 0}, give = {0, 1, 0};
	for (int i = 0; i < 2000; i++) {
		semop(id, &take, 1);
		semop(id, &give, 1);
	}
}

static void many_turns(void)
{
	int id = semget(IPC_PRIVATE, 2, 0600), n = 0;
	pid_t pid = start(turns, id);
	for (int i = 0; i < 2000; i++) {
		n += !semop(id, &(struct sembuf){1, 1, 0}, 1);
		n += !semop(id, &(struct sembuf){0, -1, 0}, 1);
	}
	waitpid(pid, NULL, 0);
	printf("%d turns\n", n);
	T(semctl(id, 0, IPC_RMID));
}

/* ---- messages ---- */
struct message {
	long type;
	char text[9000];
};
static struct message m;

static void sends(int id)
{
	m.type = 7;
	memset(m.text, 'x', 8192);
	T(msgsnd(id, &m, 8192, 0)); /* waits for room */
}

static void receives(int id)
{
	T(msgrcv(id, &m, 100, 42, 0));
	printf("%ld %s\n", m.type, m.text);
}

static void receives_none(int id)
{
	T(msgrcv(id, &m, 100, 43, 0));
}

static void messages(void)
{
	struct msqid_ds ds;
	T(msgget(key, 0600));
	int id = msgget(key, IPC_CREAT | 0600);
	T(msgget(key, IPC_CREAT | IPC_EXCL | 0600));
	printf("same: %d\n", msgget(key, 0) == id);
	for (int i = 1; i <= 5; i++) {
		m.type = i;
		sprintf(m.text, "message %d", i);
		T(msgsnd(id, &m, 10, 0));
	}
	m.type = 0;
	T(msgsnd(id, &m, 10, 0));
	m.type = 1;
	T(msgsnd(id, &m, 8193, 0));
	T(msgsnd(id, &m, -1, 0));
	T(msgsnd(-1, &m, 10, 0));
	T(msgsnd(id, (void *)8, 10, 0));
	T(msgctl(id, IPC_STAT, &ds));
	printf("%lu %lu %d %d %d\n", (long)ds.msg_qnum, (long)ds.msg_qbytes,
	       ds.msg_lspid == getpid(), ds.msg_lrpid, ds.msg_stime > 0);
	T(msgrcv(id, &m, 5, 3, 0));
	T(msgrcv(id, &m, 5, 3, MSG_NOERROR));
	printf("%ld %.5s\n", m.type, m.text);
	T(msgrcv(id, &m, 100, -4, 0));
	printf("%ld\n", m.type);
	T(msgrcv(id, &m, 100, 2, MSG_EXCEPT));
	printf("%ld\n", m.type);
	T(msgrcv(id, &m, 100, 9, IPC_NOWAIT));
	T(msgrcv(id, &m, 100, 0, 0));
	printf("%ld\n", m.type);
	T(msgrcv(id, &m, -1, 0, 0));
	for (int i = 0; i < 2; i++) {
		m.type = 6;
		errno = 0;
		T(msgsnd(id, &m, 8000, IPC_NOWAIT));
	}
	T(msgsnd(id, &m, 8192, IPC_NOWAIT));
	pid_t pid = start(sends, id);
	until_asleep(pid, pid);
	for (int i = 0; i < 3; i++) {
		T(msgrcv(id, &m, 9000, 0, 0));
		printf("%ld\n", m.type);
	}
	waitpid(pid, NULL, 0);
	T(msgrcv(id, &m, 9000, 0, 0));
	pid = start(receives, id);
	until_asleep(pid, pid);
	m.type = 41;
	T(msgsnd(id, &m, 10, 0));
	m.type = 42;
	strcpy(m.text, "for you");
	T(msgsnd(id, &m, 10, 0));
	waitpid(pid, NULL, 0);
	struct msginfo info;
	printf("%d\n", msgctl(0, IPC_INFO, (void *)&info) >= 0);
	printf("%d %d %d\n", info.msgmax, info.msgmnb, info.msgmni);
	ds.msg_qbytes = 20;
	ds.msg_perm.mode = 0600;
	T(msgctl(id, IPC_SET, &ds));
	T(msgsnd(id, &m, 11, IPC_NOWAIT));
	T(msgsnd(id, &m, 10, IPC_NOWAIT));
	pid = start(receives_none, id);
	until_asleep(pid, pid);
	T(msgctl(id, IPC_RMID, NULL));
	waitpid(pid, NULL, 0);
	S(msgsnd(id, &m, 10, 0));
}

int main(void)
{
	key = 0x41000000 | getpid();
	shared();
	semaphores();
	many_turns();
	messages();
	return 0;
}

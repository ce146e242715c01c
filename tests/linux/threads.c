/* SPDX-License-Identifier: MIT
 * POSIX threads: making, joining, locks, conditions, barriers, thread-local storage, cancellation; printed, and
 * compared with the host's. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 8, ROUNDS = 2000 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_barrier_t barrier;
static long counter, turn, pairs[2];
static __thread long own = 5;
static atomic_int torn, late;

static void *returns(void *arg)
{
	own += (long)arg;
	return (void *)(own * 10);
}

static void join(void)
{
	pthread_t t[THREADS];
	void *result;

	for (long i = 0; i < THREADS; i++)
		printf("create %d\n", pthread_create(&t[i], 0, returns, (void *)i));
	for (int i = 0; i < THREADS; i++) {
		pthread_join(t[i], &result);
		printf("joined %ld\n", (long)result);
	}
	printf("mine %ld\n", own);
}

static void *adds(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		pthread_mutex_lock(&lock);
		counter++;
		if (i % 64 == 0)
			sched_yield();
		pthread_mutex_unlock(&lock);
	}
	return arg;
}

static void *takes_turns(void *arg)
{
	long me = (long)arg;

	for (int i = 0; i < 100; i++) {
		pthread_mutex_lock(&lock);
		while (turn % THREADS != me)
			pthread_cond_wait(&changed, &lock);
		turn++;
		pthread_cond_broadcast(&changed);
		pthread_mutex_unlock(&lock);
	}
	return 0;
}

static void *reads_writes(void *arg)
{
	for (int i = 0; i < 500; i++) {
		if ((long)arg < 2) {
			pthread_rwlock_wrlock(&rwlock);
			pairs[0]++;
			if (i % 16 == 0)
				sched_yield();
			pairs[1]++;
			pthread_rwlock_unlock(&rwlock);
		} else {
			pthread_rwlock_rdlock(&rwlock);
			if (pairs[0] != pairs[1])
				torn++;
			pthread_rwlock_unlock(&rwlock);
		}
	}
	return 0;
}

static atomic_int here;
static void *meets(void *arg)
{
	for (int i = 1; i <= 50; i++) {
		here++;
		pthread_barrier_wait(&barrier);
		if (here != i * THREADS)
			late++;
		pthread_barrier_wait(&barrier);
	}
	return arg;
}

static void all(void *(*run)(void *))
{
	pthread_t t[THREADS];

	for (long i = 0; i < THREADS; i++)
		pthread_create(&t[i], 0, run, (void *)i);
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], 0);
}

static void *waits_late(void *arg)
{
	struct timespec at;
	int r = 0;

	clock_gettime(CLOCK_REALTIME, &at);
	at.tv_nsec += 20000000;
	at.tv_sec += at.tv_nsec / 1000000000;
	at.tv_nsec %= 1000000000;
	pthread_mutex_lock(&lock);
	while (!r)
		r = pthread_cond_timedwait(&changed, &lock, &at);
	pthread_mutex_unlock(&lock);
	return (void *)(long)r;
}

static void cleanup(void *arg)
{
	*(int *)arg += 1;
}

static int cleaned;
static void *cancelled_asleep(void *arg)
{
	pthread_cleanup_push(cleanup, &cleaned);
	if (arg)
		pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, 0);
	for (;;)
		if (!arg)
			pause();
	pthread_cleanup_pop(0);
	return 0;
}

static void cancel(void)
{
	pthread_t t;
	void *result;

	for (long asynchronous = 0; asynchronous < 2; asynchronous++) {
		pthread_create(&t, 0, cancelled_asleep, (void *)asynchronous);
		usleep(5000);
		printf("cancel %d\n", pthread_cancel(t));
		pthread_join(t, &result);
		printf("cancelled %d cleaned %d\n", result == PTHREAD_CANCELED, cleaned);
	}
}

static thrd_t c11;
static int c11_run(void *arg)
{
	return *(int *)arg + 1;
}

static once_flag once = ONCE_FLAG_INIT;
static void first(void)
{
	puts("once");
}

static void names(void)
{
	char name[16];
	cpu_set_t set;

	pthread_setname_np(pthread_self(), "a-name");
	pthread_getname_np(pthread_self(), name, sizeof(name));
	printf("name %s main %d\n", name, gettid() == getpid());
	CPU_ZERO(&set);
	printf("no cpu %d\n", pthread_setaffinity_np(pthread_self(), sizeof(set), &set));
	printf("policy %d priorities %d %d\n", sched_getscheduler(0),
	       sched_get_priority_min(SCHED_FIFO), sched_get_priority_max(SCHED_FIFO));
}

static void *its_tid(void *arg)
{
	*(pid_t *)arg = gettid();
	printf("thread: pid same %d tid other %d\n", getpid() == *(pid_t *)(arg + 4),
	       gettid() != getpid());
	return 0;
}

static atomic_int ready, leave;
static void *stays(void *arg)
{
	*(pid_t *)arg = gettid();
	ready = 1;
	while (!leave)
		usleep(500);
	return 0;
}

/* What /proc says of a thread, and a name that another gives it. */
static void proc_task(void)
{
	char path[64], line[128] = "";
	pthread_t t;
	pid_t tid;
	int entries = 0;

	pthread_create(&t, 0, stays, &tid);
	while (!ready)
		usleep(500);
	printf("set name %d\n", pthread_setname_np(t, "other-name"));
	snprintf(path, sizeof(path), "/proc/self/task/%d/comm", tid);
	FILE *f = fopen(path, "r");
	if (f && fgets(line, sizeof(line), f))
		printf("its name %s", line);
	if (f)
		fclose(f);
	f = fopen("/proc/thread-self/status", "r");
	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, "Threads", 7) || !strncmp(line, "Name", 4))
			fputs(line, stdout);
	if (f)
		fclose(f);
	DIR *d = opendir("/proc/self/task");
	for (struct dirent *e; d && (e = readdir(d));)
		entries += e->d_name[0] != '.';
	printf("entries %d\n", entries);
	leave = 1;
	pthread_join(t, 0);
	printf("then %d\n", access(path, F_OK));
}

int main(void)
{
	pthread_t t;
	void *result;
	int seven = 7, status;
	pid_t ids[2] = {0, getpid()};
	sem_t sem;

	join();
	all(adds);
	printf("counter %ld\n", counter);
	all(takes_turns);
	printf("turns %ld\n", turn);
	all(reads_writes);
	printf("torn %d sum %ld\n", torn, pairs[0]);
	pthread_barrier_init(&barrier, 0, THREADS);
	all(meets);
	printf("late %d\n", late);
	pthread_create(&t, 0, waits_late, 0);
	pthread_join(t, &result);
	printf("timed out %d\n", (long)result == ETIMEDOUT);
	cancel();
	thrd_create(&c11, c11_run, &seven);
	thrd_join(c11, &status);
	call_once(&once, first);
	call_once(&once, first);
	printf("c11 %d\n", status);
	names();
	proc_task();
	pthread_create(&t, 0, its_tid, ids);
	pthread_join(t, 0);
	printf("gone %d errno %d\n", (int)syscall(SYS_tgkill, getpid(), ids[0], 0), errno);
	sem_init(&sem, 0, 0);
	struct timespec at = {0, 0};
	printf("sem %d errno %d\n", sem_timedwait(&sem, &at), errno);
	return 0;
}

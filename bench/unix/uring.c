/* SPDX-License-Identifier: MIT
 * Files and pipes by io_uring: Linux's cheaper form of what files.c and processes.c measure by calls. A chain or a batch of requests goes
 * in by one call, files and the ring itself are registered, nothing is waited for that is already there. */
#define _GNU_SOURCE
#include "unix.h"
#include <fcntl.h>
#include <linux/io_uring.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define ENTRIES 64u
#define BATCH 32u /* requests of a call, where they do not depend on each other */
#define FILE_ "/tmp/unix-uring"

struct ring {
	int fd, entered; /* as io_uring_enter takes it: registered */
	volatile u32 *sq_tail, *sq_mask, *cq_head, *cq_tail, *cq_mask;
	struct io_uring_sqe *sqe;
	struct io_uring_cqe *cqe;
	u32 queued, flags;
	long wrong; /* the first result that was negative */
};

static char block[PAGE] __attribute__((aligned(4096)));

/* Once in a process, unless it forks: 0, or a negative errno. */
static long ring_open(struct ring *r, const int *files, u32 count)
{
	struct io_uring_params p = {
		.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN,
	};
	struct io_uring_rsrc_update own = {.offset = ~0u};
	long fd = CALL(SYS_io_uring_setup, ENTRIES, &p);

	if (fd < 0)
		return fd;
	char *at = mmap(0, p.sq_off.array + ENTRIES * 4 + p.cq_entries * 16 + PAGE,
			PROT_READ | PROT_WRITE, MAP_SHARED, (int)fd, IORING_OFF_SQ_RING);
	void *entries = mmap(0, ENTRIES * sizeof(struct io_uring_sqe), PROT_READ | PROT_WRITE,
			     MAP_SHARED, (int)fd, IORING_OFF_SQES);

	if (at == MAP_FAILED || entries == MAP_FAILED || !(p.features & IORING_FEAT_SINGLE_MMAP))
		return -EPROTO;
	*r = (struct ring){.fd = (int)fd, .entered = (int)fd, .sqe = entries};
	r->sq_tail = (u32 *)(void *)(at + p.sq_off.tail);
	r->sq_mask = (u32 *)(void *)(at + p.sq_off.ring_mask);
	r->cq_head = (u32 *)(void *)(at + p.cq_off.head);
	r->cq_tail = (u32 *)(void *)(at + p.cq_off.tail);
	r->cq_mask = (u32 *)(void *)(at + p.cq_off.ring_mask);
	r->cqe = (struct io_uring_cqe *)(void *)(at + p.cq_off.cqes);
	for (u32 i = 0; i < ENTRIES; i++)
		((u32 *)(void *)(at + p.sq_off.array))[i] = i;
	if (count && CALL(SYS_io_uring_register, fd, IORING_REGISTER_FILES, files, count) < 0)
		return -EPROTO;
	own.data = (u64)fd;
	if (CALL(SYS_io_uring_register, fd, IORING_REGISTER_RING_FDS, &own, 1) == 1) {
		r->entered = (int)own.offset;
		r->flags = IORING_ENTER_REGISTERED_RING;
	}
	return 0;
}

static void ring_close(struct ring *r)
{
	close(r->fd);
}

static inline struct io_uring_sqe *request(struct ring *r, u8 op, int file, void *at, u32 bytes,
					   u8 flags)
{
	struct io_uring_sqe *s = &r->sqe[(*r->sq_tail + r->queued++) & *r->sq_mask];

	memset(s, 0, sizeof(*s));
	s->opcode = op;
	s->flags = flags;
	s->fd = file;
	s->addr = (u64)at;
	s->len = bytes;
	return s;
}

/* What is queued goes in, and is waited for; 0, or what the call refused. A refused request is kept in r->wrong. */
static inline long ring_run(struct ring *r)
{
	u32 count = r->queued;

	__atomic_store_n(r->sq_tail, *r->sq_tail + count, __ATOMIC_RELEASE);
	r->queued = 0;
	long got = CALL(SYS_io_uring_enter, r->entered, count, count,
			IORING_ENTER_GETEVENTS | r->flags, 0, 0);

	if (got < 0)
		return got;
	u32 head = *r->cq_head, tail = __atomic_load_n(r->cq_tail, __ATOMIC_ACQUIRE);

	if (tail - head != count)
		return -EPROTO;
	for (; head != tail; head++)
		if (r->cqe[head & *r->cq_mask].res < 0 && !r->wrong)
			r->wrong = r->cqe[head & *r->cq_mask].res;
	__atomic_store_n(r->cq_head, tail, __ATOMIC_RELEASE);
	return 0;
}

static s64 ended(struct ring *r, s64 took)
{
	ring_close(r);
	return took >= 0 && r->wrong ? r->wrong : took;
}

static s64 pread_n(u64 n, u32 bytes)
{
	int fd = open(FILE_, O_RDWR | O_CREAT | O_TRUNC, 0600);
	struct ring r;

	if (fd < 0 || write(fd, block, PAGE) != (ssize_t)PAGE)
		return -errno;
	long error = ring_open(&r, &fd, 1);

	if (error)
		return close(fd), error;
	s64 took = BENCH_LOOP(n / BATCH, {
		for (u32 j = 0; j < BATCH; j++)
			request(&r, IORING_OP_READ, 0, block, bytes, IOSQE_FIXED_FILE);
		MUST(ring_run(&r));
	});

	close(fd);
	return ended(&r, took);
}

static s64 pread_1b(u64 n)
{
	return pread_n(n, 1);
}

static s64 pread_4k(u64 n)
{
	return pread_n(n, PAGE);
}

/* A file into a slot of the ring's, a page of it, out of the slot: a chain, no descriptor is made. */
static s64 open_read_close(u64 n)
{
	int fd = open(FILE_, O_RDWR | O_CREAT | O_TRUNC, 0600), none = -1;
	struct ring r;

	if (fd < 0 || write(fd, block, PAGE) != (ssize_t)PAGE)
		return -errno;
	close(fd);
	long error = ring_open(&r, &none, 1);

	if (error)
		return error;
	s64 took = BENCH_LOOP(n, {
		struct io_uring_sqe *s =
			request(&r, IORING_OP_OPENAT, AT_FDCWD, (void *)FILE_, 0, IOSQE_IO_LINK);
		s->file_index = 1;
		request(&r, IORING_OP_READ, 0, block, PAGE, IOSQE_FIXED_FILE | IOSQE_IO_LINK);
		s = request(&r, IORING_OP_CLOSE, 0, 0, 0, 0);
		s->file_index = 1;
		MUST(ring_run(&r));
	});

	return ended(&r, took);
}

/* A write, and behind it a read: of what is there already, or of what is waited for. The pipes do not block, or a worker of the
 * kernel's would do it. */
static inline long turn(struct ring *r, int wait)
{
	request(r, IORING_OP_WRITE, 1, block, 1, IOSQE_FIXED_FILE | IOSQE_IO_LINK);
	if (wait)
		request(r, IORING_OP_POLL_ADD, 0, 0, 0, IOSQE_FIXED_FILE | IOSQE_IO_LINK)
			->poll32_events = POLLIN;
	request(r, IORING_OP_READ, 0, block + 64, 1, IOSQE_FIXED_FILE);
	return ring_run(r);
}

static s64 pipe_self(u64 n)
{
	int ends[2];
	struct ring r;

	if (pipe2(ends, O_NONBLOCK))
		return -errno;
	s64 took = ring_open(&r, ends, 2);

	if (!took)
		took = ended(&r, BENCH_LOOP(n, MUST(turn(&r, 0))));
	close(ends[0]), close(ends[1]);
	return took;
}

static s64 pipe_rt(u64 n)
{
	int to[2], from[2];
	struct ring r;

	if (pipe2(to, O_NONBLOCK) || pipe2(from, O_NONBLOCK))
		return -errno;
	pid_t child = fork();

	if (!child) {
		if (ring_open(&r, (int[]){to[0], from[1]}, 2))
			_exit(1);
		/* the first byte is waited for alone; then each turn answers and waits in one call */
		request(&r, IORING_OP_POLL_ADD, 0, 0, 0, IOSQE_FIXED_FILE | IOSQE_IO_LINK)
			->poll32_events = POLLIN;
		request(&r, IORING_OP_READ, 0, block + 64, 1, IOSQE_FIXED_FILE);
		long error = ring_run(&r);

		while (!error && !r.wrong)
			error = turn(&r, 1);
		_exit(0);
	}
	s64 took = child < 0 ? -errno : ring_open(&r, (int[]){from[0], to[1]}, 2);

	if (!took) {
		turn(&r, 1);
		took = ended(&r, BENCH_LOOP(n, MUST(turn(&r, 1))));
	}
	if (child > 0) {
		kill(child, SIGKILL);
		waitpid(child, 0, 0);
	}
	close(to[0]), close(to[1]), close(from[0]), close(from[1]);
	return took;
}

const struct metric metrics_uring[] = {
	{"uring_pread_1b", pread_1b, 512, 21, "pread of a byte by io_uring, 32 a call"},
	{"uring_pread_4k", pread_4k, 256, 21, "pread of a page by io_uring, 32 a call"},
	{"uring_open_read_close", open_read_close, 100, 21,
	 "open, read a page, close, a chain by io_uring"},
	{"uring_pipe_self", pipe_self, 200, 21, "write a byte to a pipe, read it, by io_uring"},
	{"uring_pipe_rt", pipe_rt, 100, 21,
	 "a byte to another process and back, each turn one call of io_uring"},
	{0},
};

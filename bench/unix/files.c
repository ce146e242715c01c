/* SPDX-License-Identifier: MIT
 * Files in memory, and bytes through a pipe. */
#define _GNU_SOURCE
#include "unix.h"
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_ "/tmp/unix-bench"

static char block[65536];

/* A file of a page, open for both, or a negative errno. */
static int file(void)
{
	int fd = open(FILE_, O_RDWR | O_CREAT | O_TRUNC, 0600);

	if (fd < 0)
		return -errno;
	memset(block, 1, PAGE);
	return write(fd, block, PAGE) == (ssize_t)PAGE ? fd : -EIO;
}

static s64 pread_n(u64 n, u64 bytes)
{
	int fd = file();

	if (fd < 0)
		return fd;
	s64 took = BENCH_LOOP(n, MUST(CALL(SYS_pread64, fd, block, bytes, 0)));

	close(fd);
	return took;
}

static s64 pread_1b(u64 n)
{
	return pread_n(n, 1);
}

static s64 pread_4k(u64 n)
{
	return pread_n(n, PAGE);
}

static s64 open_read_close(u64 n)
{
	int made = file();

	if (made < 0)
		return made;
	close(made);
	return BENCH_LOOP(n, {
		long fd = CALL(SYS_open, FILE_, O_RDONLY);
		if (fd < 0)
			return fd;
		MUST(CALL(SYS_read, fd, block, PAGE));
		MUST(CALL(SYS_close, fd));
	});
}

static s64 stat_(u64 n)
{
	int made = file();
	struct stat says;

	if (made < 0)
		return made;
	close(made);
	return BENCH_LOOP(n, MUST(CALL(SYS_stat, FILE_, &says)));
}

static s64 create_write_unlink(u64 n)
{
	return BENCH_LOOP(n, {
		long fd = CALL(SYS_open, FILE_, O_RDWR | O_CREAT | O_EXCL, 0600);
		if (fd < 0) {
			/* an earlier metric's may be left */
			CALL(SYS_unlink, FILE_);
			return fd;
		}
		MUST(CALL(SYS_write, fd, block, PAGE));
		MUST(CALL(SYS_close, fd));
		MUST(CALL(SYS_unlink, FILE_));
	});
}

const struct metric metrics_files[] = {
	{"create_write4k_close_unlink", create_write_unlink, 20, 21,
	 "create a file, write a page, close, unlink"},
	{"pread_1b", pread_1b, 500, 21, "pread of a byte"},
	{"pread_4k", pread_4k, 200, 21, "pread of a page"},
	{"open_read4k_close", open_read_close, 100, 21, "open, read a page, close"},
	{"stat", stat_, 200, 21, "stat"},
	{0},
};

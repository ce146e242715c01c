/* SPDX-License-Identifier: MIT
 * Calls on pipes in parts (readv, writev): what is read goes from part to part; parts of up to PIPE_BUF bytes are written
 * as one piece, whoever else writes; who loses the last reader in the midst of a write hears SIGPIPE. Compared with the
 * host's. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "say.h"

#define WRITERS 3
#define RECORDS 400
#define HALF 150

static char room[200000];
static int p[2];

static void filled(long bytes)
{
	while (read(p[0], room, sizeof(room)) > 0)
		;
	T(write(p[1], room, bytes));
}

static long in_parts(ssize_t (*call)(int, const struct iovec *, int), int fd, size_t a, size_t b)
{
	struct iovec v[] = {{room, a}, {room, 0}, {room + a, b}};
	return call(fd, v, 3);
}

static void rooms(void)
{
	struct iovec bad[] = {{"begun", 5}, {(void *)8, 5}};

	T(pipe2(p, O_NONBLOCK));
	T(write(p[1], "0123456789", 10));
	memset(room, '-', 16);
	T(in_parts(readv, p[0], 4, 100));
	printf("%.12s\n", room);
	T(in_parts(readv, p[0], 0, 4));
	T(write(p[1], "0123456789", 10));
	T(in_parts(readv, p[0], 4, 3));
	T(in_parts(readv, p[0], 2, 3));
	filled(65536 - 3000);
	T(in_parts(writev, p[1], 2000, 2000));
	T(in_parts(writev, p[1], 1400, 1400));
	filled(65536 - 4096);
	T(in_parts(writev, p[1], 3000, 5000));
	T(in_parts(writev, p[1], 1, 1));
	filled(1);
	T(writev(p[1], bad, 2));
	T(read(p[0], room, sizeof(room)));
	T(in_parts(writev, p[1], 0, 0));
	T(close(p[0]));
	T(in_parts(writev, p[1], 1, 1));
	T(close(p[1]));
}

/* A record is a letter, and the same letter: halves of it apart are seen. */
static void writes(int fd, int letter)
{
	char half[2][HALF];
	struct iovec v[] = {{half[0], HALF}, {half[1], HALF}};

	memset(half, letter, sizeof(half));
	half[0][0] = '<', half[1][HALF - 1] = '>';
	for (int i = 0; i < RECORDS; i++)
		if (writev(fd, v, 2) != 2 * HALF)
			_exit(1);
	_exit(0);
}

static void unbroken(void)
{
	static char all[WRITERS * RECORDS * 2 * HALF];
	long n, have = 0;
	int broken = 0, status, bad = 0;

	T(pipe(p));
	T(fcntl(p[1], F_SETPIPE_SZ, 4096));
	fflush(stdout);
	for (int i = 0; i < WRITERS; i++)
		if (!fork())
			writes(p[1], 'a' + i);
	close(p[1]);
	while (have < (long)sizeof(all) && (n = read(p[0], all + have, 170)) > 0)
		have += n;
	for (long at = 0; at + 2 * HALF <= have; at += 2 * HALF) {
		broken += all[at] != '<' || all[at + 2 * HALF - 1] != '>';
		for (int i = 2; i < 2 * HALF - 1; i++)
			broken += all[at + i] != all[at + 1];
	}
	while (wait(&status) > 0)
		bad += status != 0;
	printf("%ld bytes, %d broken, %d failed\n", have, broken, bad);
	close(p[0]);
}

static void heard(int sig)
{
	static const char said[] = "SIGPIPE\n";

	write(1, said, sizeof(said) - (sig == SIGPIPE ? 1 : 0));
}

/* The reader frees one page of a full pipe, waits until that is full again, and goes. */
static void left_alone(void)
{
	int full;

	T(pipe(p));
	signal(SIGPIPE, heard);
	fflush(stdout);
	if (!fork()) {
		close(p[0]);
		T(write(p[1], room, sizeof(room)));
		fflush(stdout);
		_exit(0);
	}
	close(p[1]);
	for (int pages = 0; pages < 2;) {
		if (!ioctl(p[0], FIONREAD, &full) && full < 65536)
			usleep(1000);
		else if (++pages == 1)
			read(p[0], room, 4096);
	}
	close(p[0]);
	wait(0);
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	rooms();
	unbroken();
	left_alone();
	return 0;
}

/* SPDX-License-Identifier: MIT
 * Record locks of processes and of open files, and what releases them: results and errors as on the host. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "asleep.h"

static int file;
static pid_t first;

static void lock(const char *what, int fd, int command, int type, int whence, long start, long len)
{
	struct flock l = {.l_type = type, .l_whence = whence, .l_start = start, .l_len = len};
	errno = 0;
	int result = fcntl(fd, command, &l);
	printf("%s: %d %s", what, result, result ? strerror(errno) : "");
	if (!result && (command == F_GETLK || command == F_OFD_GETLK))
		printf(" type %d whence %d start %ld len %ld pid %s", l.l_type, l.l_whence,
		       (long)l.l_start, (long)l.l_len,
		       l.l_pid == first ? "the first's"
		       : l.l_pid == -1	? "-1"
					: "another");
	printf("\n");
}

/* What another process finds, byte by byte. */
static void map(const char *what)
{
	fflush(stdout);
	if (!fork()) {
		printf("%s: ", what);
		for (int at = 0; at < 24; at++) {
			struct flock l = {.l_type = F_WRLCK, .l_start = at, .l_len = 1};
			fcntl(file, F_GETLK, &l);
			putchar(l.l_type == F_UNLCK ? '.' : l.l_type == F_RDLCK ? 'r' : 'w');
		}
		putchar('\n');
		exit(0);
	}
	wait(NULL);
}

static void ranges(void)
{
	lock("write 4+4", file, F_SETLK, F_WRLCK, SEEK_SET, 4, 4);
	map("after");
	lock("write 8+4, which continues it", file, F_SETLK, F_WRLCK, SEEK_SET, 8, 4);
	map("after");
	lock("read 6+2 inside", file, F_SETLK, F_RDLCK, SEEK_SET, 6, 2);
	map("after");
	lock("unlock 5+2", file, F_SETLK, F_UNLCK, SEEK_SET, 5, 2);
	map("after");
	lock("read over all", file, F_SETLK, F_RDLCK, SEEK_SET, 0, 16);
	map("after");
	lock("to the end of all", file, F_SETLK, F_WRLCK, SEEK_SET, 14, 0);
	map("after");
	lseek(file, 10, SEEK_SET);
	lock("unlock backwards from the offset", file, F_SETLK, F_UNLCK, SEEK_CUR, 0, -5);
	map("after");
	lock("unlock all", file, F_SETLK, F_UNLCK, SEEK_SET, 0, 0);
	map("after");
	lock("from the end", file, F_SETLK, F_WRLCK, SEEK_END, -3, 2);
	map("after");
	lock("unlock all", file, F_SETLK, F_UNLCK, SEEK_SET, 0, 0);
}

static void errors(void)
{
	int reading = open("locked", O_RDONLY), writing = open("locked", O_WRONLY);
	lock("before the start", file, F_SETLK, F_WRLCK, SEEK_SET, -1, 1);
	lock("backwards before it", file, F_SETLK, F_WRLCK, SEEK_SET, 2, -3);
	lock("bad type", file, F_SETLK, 7, SEEK_SET, 0, 1);
	lock("bad whence", file, F_SETLK, F_WRLCK, 9, 0, 1);
	lock("too far", file, F_SETLK, F_WRLCK, SEEK_SET, 0x7fffffffffffffff, 2);
	lock("write on a file for reading", reading, F_SETLK, F_WRLCK, SEEK_SET, 0, 1);
	lock("read on a file for writing", writing, F_SETLK, F_RDLCK, SEEK_SET, 0, 1);
	lock("not open", 99, F_SETLK, F_WRLCK, SEEK_SET, 0, 1);
	printf("bad address: %d %s\n", fcntl(file, F_SETLK, (void *)8), strerror(errno));
	lock("get of unlocked", file, F_GETLK, F_UNLCK, SEEK_SET, 0, 1);
	close(reading);
	close(writing);
}

static void another(void)
{
	int ready[2], said[2];
	char byte;
	lock("mine", file, F_SETLK, F_WRLCK, SEEK_SET, 0, 10);
	fflush(stdout);
	pipe(ready);
	pipe(said);
	pid_t pid = fork();
	if (!pid) {
		lock("the child asks", file, F_GETLK, F_RDLCK, SEEK_SET, 5, 20);
		lock("and tries", file, F_SETLK, F_RDLCK, SEEK_SET, 5, 20);
		lock("elsewhere", file, F_SETLK, F_RDLCK, SEEK_SET, 10, 5);
		fflush(stdout);
		write(ready[1], "x", 1);
		lock("and waits", file, F_SETLKW, F_WRLCK, SEEK_SET, 0, 10);
		read(said[0], &byte, 1);
		exit(0);
	}
	read(ready[0], &byte, 1);
	until_asleep(pid, pid);
	lock("the parent lets go", file, F_SETLK, F_UNLCK, SEEK_SET, 0, 10);
	fflush(stdout);
	write(said[1], "x", 1);
	wait(NULL);
	map("when the child has ended");
}

static void closing(void)
{
	lock("mine", file, F_SETLK, F_WRLCK, SEEK_SET, 0, 4);
	int other = open("locked", O_RDONLY);
	close(other);
	map("another descriptor of the file was closed");
	lock("mine", file, F_SETLK, F_WRLCK, SEEK_SET, 0, 4);
	close(dup(file));
	map("a duplicate was closed");
}

static void circle(void)
{
	int ready[2], said[2];
	char byte;
	pipe(ready);
	pipe(said);
	lock("0 mine", file, F_SETLK, F_WRLCK, SEEK_SET, 0, 1);
	fflush(stdout);
	pid_t pid = fork();
	if (!pid) {
		lock("1 the child's", file, F_SETLK, F_WRLCK, SEEK_SET, 1, 1);
		fflush(stdout);
		write(ready[1], "x", 1);
		lock("the child waits for 0", file, F_SETLKW, F_WRLCK, SEEK_SET, 0, 1);
		read(said[0], &byte, 1);
		exit(0);
	}
	read(ready[0], &byte, 1);
	until_asleep(pid, pid);
	lock("I would wait for 1", file, F_SETLKW, F_WRLCK, SEEK_SET, 1, 1);
	lock("0 free", file, F_SETLK, F_UNLCK, SEEK_SET, 0, 1);
	fflush(stdout);
	write(said[1], "x", 1);
	wait(NULL);
}

static void on_alarm(int sig)
{
	(void)sig;
}

static void open_files(void)
{
	int a = open("locked", O_RDWR), b = open("locked", O_RDWR);
	struct flock wrong = {.l_type = F_WRLCK, .l_pid = 1};
	lock("a writes", a, F_OFD_SETLK, F_WRLCK, SEEK_SET, 0, 4);
	lock("b tries", b, F_OFD_SETLK, F_WRLCK, SEEK_SET, 3, 4);
	lock("b asks", b, F_OFD_GETLK, F_WRLCK, SEEK_SET, 3, 4);
	lock("the process asks", b, F_GETLK, F_WRLCK, SEEK_SET, 3, 4);
	printf("with a pid: %d %s\n", fcntl(a, F_OFD_SETLK, &wrong), strerror(errno));
	struct sigaction action = {.sa_handler = on_alarm};
	sigaction(SIGALRM, &action, NULL);
	ualarm(50000, 50000); /* again and again: one may come before the call */
	lock("b waits until a signal", b, F_OFD_SETLKW, F_WRLCK, SEEK_SET, 3, 4);
	ualarm(0, 0);
	int c = dup(a);
	close(a);
	lock("a is closed, its duplicate is not", b, F_OFD_SETLK, F_WRLCK, SEEK_SET, 3, 4);
	close(c);
	lock("both are", b, F_OFD_SETLK, F_WRLCK, SEEK_SET, 3, 4);
	close(b);
	map("b is closed");
}

int main(void)
{
	char dir[] = "/tmp/locks.XXXXXX";
	chdir(mkdtemp(dir));
	first = getpid();
	file = open("locked", O_RDWR | O_CREAT, 0600);
	write(file, "twenty bytes of data", 20);
	ranges();
	errors();
	another();
	closing();
	circle();
	open_files();
	unlink("locked");
	rmdir(dir);
	return 0;
}

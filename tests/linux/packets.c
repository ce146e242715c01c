/* SPDX-License-Identifier: MIT
 * Pseudo-terminals in packet mode (TIOCPKT): what a master hears of the slave's flushes, stops and settings, and that
 * each read is either that or data. As on the host. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "say.h"

static int m, s;

/* Everything that the master can read now, a line for each read. What was written may be on its way. */
static void heard(const char *when, size_t size)
{
	struct pollfd p = {m, POLLIN | POLLPRI, 0};
	char b[100];
	printf("%s:", when);
	while (poll(&p, 1, 100) > 0) {
		ssize_t n = read(m, b, size);
		printf(" [%s%zd", p.revents & POLLPRI ? "told " : "", n);
		for (int i = 0; i < n; i++)
			printf(b[i] < 32 || b[i] > 126 ? " \\%o" : " %c", b[i] & 0xff);
		printf("]");
		if (n < 0)
			break;
	}
	printf("\n");
}

static void packet(int on)
{
	int was = -1;
	T(ioctl(m, TIOCPKT, &on));
	T(ioctl(m, TIOCGPKT, &was));
	printf("%d\n", was);
}

static void set(tcflag_t on, tcflag_t off, int how)
{
	struct termios t;
	tcgetattr(s, &t);
	t.c_iflag = (t.c_iflag | on) & ~off;
	T(tcsetattr(s, how, &t));
}

static void flushes(void)
{
	T(tcflush(s, TCIFLUSH));
	heard("flush", 100);
	T(tcflush(s, TCIOFLUSH));
	heard("flush of both", 100);
	set(0, 0, TCSAFLUSH);
	heard("settings with a flush", 100);
	set(0, 0, TCSANOW);
	heard("the same settings", 100);
	T(tcflush(s, 9));
}

static void stops(void)
{
	T(tcflow(s, TCOOFF));
	T(tcflow(s, TCOOFF));
	heard("stop", 100);
	T(tcflow(s, TCOON));
	heard("start", 100);
	T(tcflow(s, TCOOFF));
	T(tcflow(s, TCOON));
	heard("both", 100);
	T(write(m, "\23", 1));
	heard("stop key", 100);
	T(write(m, "\21", 1));
	heard("start key", 100);
	T(tcflow(s, TCIOFF));
	heard("the master is to stop", 100);
	T(tcflow(s, TCION));
	heard("the master is to go on", 100);
	T(tcflow(s, 7));
	set(0, IXON, TCSANOW);
	heard("keys are data", 100);
	set(IXON, 0, TCSANOW);
	heard("keys are keys", 100);
	set(0, IXON, TCSANOW);
	set(IXON, 0, TCSANOW);
	heard("and both", 100);
}

/* A select for exceptions, too, hears of what is told. */
static void selects(void)
{
	struct timeval soon = {3, 0};
	fd_set in, except;
	FD_ZERO(&in);
	FD_SET(m, &in);
	except = in;
	T(tcflush(s, TCIFLUSH));
	T(select(m + 1, &in, NULL, &except, &soon));
	printf("%d %d\n", FD_ISSET(m, &in) != 0, FD_ISSET(m, &except) != 0);
	heard("then", 100);
}

/* Who sleeps in a read hears at once. */
static void wakes(void)
{
	int status;
	fflush(stdout);
	pid_t p = fork();
	if (!p) {
		char b[10];
		_exit(read(m, b, 10) == 1 ? b[0] : 99);
	}
	usleep(20000);
	tcflush(s, TCIFLUSH);
	waitpid(p, &status, 0);
	printf("woken: %x\n", status);
}

int main(void)
{
	char one[1];
	setvbuf(stdout, NULL, _IONBF, 0);
	m = posix_openpt(O_RDWR | O_NOCTTY);
	grantpt(m), unlockpt(m);
	s = open(ptsname(m), O_RDWR | O_NOCTTY);
	T(tcflush(s, TCIFLUSH));
	packet(0);
	packet(1);
	packet(7);
	heard("nothing", 100);
	T(write(s, "hello", 5));
	heard("data", 100);
	T(write(s, "hello", 5));
	heard("data, few at once", 3);
	T(write(s, "a", 1));
	T(read(m, one, 1)); /* what says that it is data, and no room for any */
	heard("data, still there", 100);
	flushes();
	stops();
	T(write(m, "ab", 2));
	heard("an echo", 100);
	T(write(m, "\3", 1));
	heard("an interrupt", 100);
	selects();
	wakes();
	T(tcflush(s, TCIFLUSH));
	packet(0);
	T(write(s, "plain", 5));
	heard("data", 100);
	T(ioctl(s, TIOCPKT, &(int){1}));
	T(ioctl(m, TIOCPKT, 8));
	packet(1);
	T(tcflush(s, TCIFLUSH));
	close(s);
	heard("the end", 100);
	return 0;
}

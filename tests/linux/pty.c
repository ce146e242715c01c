/* SPDX-License-Identifier: MIT
 * Pseudo-terminals: what is typed at the master is read from the slave, and shown; signals, sizes, ends. As on the host. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "say.h"

static char b[9000];
static int m, s;

/* Reads until so many bytes have come, and shows them, their control characters in octal. */
static void show(int fd, int expected)
{
	struct pollfd p = {fd, POLLIN, 0};
	int n = 0, one = 0;
	errno = 0;
	do {
		if (poll(&p, 1, 3000) <= 0)
			break;
		one = (int)read(fd, b + n, sizeof(b) - n);
		n += one > 0 ? one : 0;
	} while (one > 0 && n < expected);
	printf("%d %s: ", n, one < 0 ? strerror(errno) : "");
	for (int i = 0; i < n; i++)
		printf(b[i] < 32 || b[i] > 126 ? "\\%o" : "%c", b[i] & 0xff);
	puts("");
}

static int waiting(int fd, int expected)
{
	int n = 0;
	for (int i = 0; i < 300; i++) {
		ioctl(fd, FIONREAD, &n);
		if (n >= expected)
			break;
		usleep(10000);
	}
	return n;
}

static void winch(int sig)
{
	struct winsize w;
	ioctl(0, TIOCGWINSZ, &w);
	dprintf(1, "signal %d: %d x %d\n", sig, w.ws_row, w.ws_col);
}

static volatile int hung_up;
static void heard(int sig)
{
	hung_up |= sig == SIGHUP;
	dprintf(1, "signal %d\n", sig);
}

int main(void)
{
	struct termios t;
	struct stat st;
	struct winsize w = {25, 90, 0, 0};
	int n = -1;
	setvbuf(stdout, NULL, _IONBF, 0);
	m = posix_openpt(O_RDWR | O_NOCTTY);
	printf("master: %d\n", m >= 0);
	T(isatty(m));
	T(ioctl(m, TIOCGPTN, &n));
	char name[32];
	sprintf(name, "/dev/pts/%d", n);
	printf("named: %d\n", !strcmp(ptsname(m), name));
	T(open(name, O_RDWR | O_NOCTTY));
	T(grantpt(m));
	T(unlockpt(m));
	s = open(name, O_RDWR | O_NOCTTY);
	printf("slave: %d %d\n", s >= 0, !strcmp(ttyname(s), name));
	fstat(s, &st);
	printf("%o\n", st.st_mode & ~0777);
	T(tcgetattr(s, &t));
	printf("%x %x %x\n", t.c_iflag & ICRNL, t.c_oflag & ONLCR,
	       t.c_lflag & (ICANON | ECHO | ISIG));
	/* a line, edited and echoed */
	T(write(m, "hellx\177o\r", 8));
	show(m, 11);
	printf("%d\n", waiting(s, 6));
	show(s, 6);
	T(write(s, "out\n", 4));
	printf("%d\n", waiting(m, 5));
	show(m, 5);
	struct pollfd p[2] = {{m, POLLIN | POLLOUT, 0}, {s, POLLIN | POLLOUT, 0}};
	T(poll(p, 2, 0));
	printf("%x %x\n", p[0].revents, p[1].revents);
	T(write(m, "two lines\nend\4", 14));
	waiting(m, 14);
	T(poll(p, 2, 0));
	printf("%x %x\n", p[0].revents, p[1].revents);
	show(s, 10);
	show(s, 3);
	show(m, 14);
	/* single characters */
	cfmakeraw(&t);
	T(tcsetattr(s, TCSANOW, &t));
	T(write(m, "a\r\3", 3));
	show(s, 3);
	T(write(s, "x\ny", 3));
	show(m, 3);
	fcntl(m, F_SETFL, O_NONBLOCK);
	T(read(m, b, 10));
	int total = 0, one;
	memset(b, 'y', sizeof(b));
	while (total < 1 << 20 && (one = (int)write(s, b, 512)) == 512 && total < 3000)
		total += one;
	printf("written %d\n", total);
	for (n = 0; n < total && waiting(m, 1) && (one = (int)read(m, b, sizeof(b))) > 0;)
		n += one;
	printf("same: %d\n", n == total);
	fcntl(m, F_SETFL, 0);
	struct {
		unsigned short flags[4];
		unsigned char line, cc[8];
	} old;
	T(ioctl(s, TCGETA, &old));
	printf("%x %d\n", old.flags[3], old.cc[0]);
	old.cc[0] = 4;
	T(ioctl(s, TCSETAW, &old));
	T(tcgetattr(s, &t));
	printf("%d\n", t.c_cc[VINTR]);
	struct termios lock;
	struct {
		unsigned flags[4];
		unsigned char line, cc[19];
	} locked = {{0, 0, ECHO, 0}}, seen;
	T(ioctl(s, 0x5456, &seen));
	locked.flags[3] = ECHO;
	T(ioctl(s, 0x5457, &locked)); /* who echoes, goes on */
	lock = t;
	lock.c_lflag ^= ECHO | ISIG;
	T(tcsetattr(s, TCSANOW, &lock));
	T(tcgetattr(s, &lock));
	printf("%x\n", (t.c_lflag ^ lock.c_lflag) & (ECHO | ISIG));
	locked.flags[3] = 0;
	T(ioctl(s, 0x5457, &locked));
	t.c_cc[VINTR] = 3;
	T(tcsetattr(s, TCSANOW, &t));
	/* a session on it: sizes, signals, the foreground */
	T(ioctl(m, TIOCSWINSZ, &w));
	t.c_lflag |= ISIG | ICANON | ECHO;
	t.c_iflag |= ICRNL;
	t.c_oflag |= OPOST | ONLCR;
	T(tcsetattr(m, TCSANOW, &t));
	T(tcgetpgrp(s));
	pid_t pid = fork();
	if (!pid) {
		struct sigaction a = {.sa_handler = winch};
		close(m);
		setsid();
		dup2(s, 0);
		dup2(s, 1);
		dup2(s, 2);
		dprintf(1, "control %d\n", ioctl(0, TIOCSCTTY, 0));
		dprintf(1, "tty %d\n", open("/dev/tty", O_RDWR) >= 0);
		dprintf(1, "foreground %d session %d\n", tcgetpgrp(0) == getpid(),
			tcgetsid(0) == getpid());
		sigaction(SIGWINCH, &a, NULL);
		a.sa_handler = heard;
		sigaction(SIGINT, &a, NULL);
		sigaction(SIGHUP, &a, NULL);
		sigaction(SIGCONT, &a, NULL);
		dprintf(1, "ready\n");
		while (!hung_up)
			usleep(1000);
		n = (int)read(0, b, 100);
		_exit(n == 0 ? 5 : 6);
	}
	show(m, 49);
	w.ws_row = 50;
	T(ioctl(m, TIOCSWINSZ, &w));
	show(m, 20);
	T(write(m, "\3", 1));
	show(m, 12);
	T(tcgetpgrp(m) == pid);
	close(s);
	p[0].events = POLLIN;
	T(poll(p, 1, 0));
	close(m); /* the terminal is gone: the session hears of it */
	T(open(name, O_RDWR | O_NOCTTY));
	int status;
	waitpid(pid, &status, 0);
	printf("%x\n", status);
	/* the slave's end */
	m = posix_openpt(O_RDWR | O_NOCTTY);
	unlockpt(m);
	s = open(ptsname(m), O_RDWR | O_NOCTTY);
	T(write(s, "last words\n", 11));
	close(s);
	show(m, 12);
	show(m, 0);
	p[0].fd = m;
	T(poll(p, 1, 0));
	printf("%x\n", p[0].revents);
	s = open(ptsname(m), O_RDWR | O_NOCTTY);
	T(poll(p, 1, 0));
	T(write(s, "again\n", 6));
	show(m, 7);
	close(m);
	T(read(s, b, 1));
	T(write(s, b, 1));
	T(tcgetattr(s, &t));
	close(s);
	return 0;
}

/* SPDX-License-Identifier: MIT
 * splice, tee, vmsplice, process_vm_readv: results, errors and bytes as on the host. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "say.h"

static char b[200000], c[200000];
static int a[2], z[2];

static void show(int fd, int n)
{
	memset(c, 0, sizeof(c));
	T(read(fd, c, n));
	printf("%.30s\n", c);
}

static void files(void)
{
	int f = memfd_create("f", 0), g = memfd_create("g", 0);
	loff_t at = 3, to = 100;
	T(write(f, "0123456789", 10));
	T(splice(f, &at, a[1], NULL, 4, 0));
	printf("at %ld\n", (long)at);
	show(a[0], 10);
	lseek(f, 0, SEEK_SET);
	T(splice(f, NULL, a[1], NULL, 100, 0));
	T(lseek(f, 0, SEEK_CUR));
	T(splice(f, NULL, a[1], NULL, 100, 0));
	T(splice(a[0], NULL, g, &to, 4, 0));
	T(splice(a[0], NULL, g, NULL, 100, 0));
	printf("to %ld\n", (long)to);
	T(lseek(g, 0, SEEK_END));
	T(pread(g, c, 6, 0));
	printf("%.6s\n", c);
	T(pread(g, c, 4, 100));
	printf("%.4s\n", c);
	T(splice(f, NULL, g, NULL, 10, 0));
	T(splice(a[0], &at, g, NULL, 10, 0));
	T(splice(f, NULL, a[1], &at, 10, 0));
	T(splice(a[0], NULL, a[1], NULL, 10, 0));
	T(splice(a[0], NULL, g, NULL, 0, 0));
	T(splice(a[0], NULL, g, NULL, 10, 16));
	T(splice(a[1], NULL, g, NULL, 10, 0));
	T(splice(a[0], NULL, 99, NULL, 10, 0));
	T(splice(a[0], NULL, g, NULL, 10, SPLICE_F_NONBLOCK));
	to = -1;
	T(write(a[1], "x", 1));
	T(splice(a[0], NULL, g, &to, 10, 0));
	int append = open("/tmp", O_TMPFILE | O_RDWR | O_APPEND, 0600);
	T(splice(a[0], NULL, append, NULL, 10, 0));
	show(a[0], 10);
	/* more than a pipe holds: as much as it holds */
	for (int i = 0; i < (int)sizeof(b); i++)
		b[i] = (char)(i * 7 + i / 256);
	T(pwrite(f, b, sizeof(b), 0));
	lseek(f, 0, SEEK_SET);
	T(splice(f, NULL, a[1], NULL, sizeof(b), 0));
	T(splice(f, NULL, a[1], NULL, sizeof(b), SPLICE_F_NONBLOCK));
	lseek(g, 0, SEEK_SET);
	ftruncate(g, 0);
	T(splice(a[0], NULL, g, NULL, 10000, 0));
	T(splice(a[0], NULL, g, NULL, sizeof(b), 0));
	memset(c, 0, sizeof(c));
	T(pread(g, c, sizeof(c), 0));
	printf("same: %d\n", !memcmp(b, c, 65536));
}

static void pipes(void)
{
	T(write(a[1], "tee and splice", 14));
	T(tee(a[0], z[1], 3, 0));
	T(tee(a[0], z[1], 100, 0));
	show(z[0], 100);
	T(splice(a[0], NULL, z[1], NULL, 4, 0));
	show(z[0], 100);
	show(a[0], 100);
	T(tee(a[0], z[1], 100, SPLICE_F_NONBLOCK));
	T(tee(a[0], a[1], 100, 0));
	T(tee(open("/dev/null", O_RDONLY), z[1], 100, 0));
	fcntl(a[0], F_SETFL, O_NONBLOCK);
	T(splice(a[0], NULL, z[1], NULL, 4, 0));
	fcntl(a[0], F_SETFL, 0);
	int pair[2];
	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	T(write(a[1], "through a socket", 16));
	T(splice(a[0], NULL, pair[0], NULL, 100, 0));
	T(splice(pair[1], NULL, z[1], NULL, 100, 0));
	show(z[0], 100);
	/* one waits for the other */
	fflush(stdout);
	pid_t pid = fork();
	if (!pid) {
		for (int i = 0; i < 5; i++) {
			usleep(5000);
			write(a[1], "later", 5);
		}
		_exit(0);
	}
	int n = 0;
	while (n < 25)
		n += splice(a[0], NULL, z[1], NULL, 100, 0);
	waitpid(pid, NULL, 0);
	show(z[0], 100);
	close(z[0]);
	signal(SIGPIPE, SIG_IGN);
	T(write(a[1], "nobody", 6));
	T(splice(a[0], NULL, z[1], NULL, 100, 0));
	show(a[0], 100);
	close(z[1]);
	T(pipe(z));
}

static void memory(void)
{
	struct iovec v[3] = {{"from ", 5}, {"the ", 4}, {"program", 7}},
		     r[2] = {{c, 3}, {c + 3, 100}};
	T(vmsplice(a[1], v, 3, 0));
	memset(c, 0, sizeof(c));
	T(vmsplice(a[0], r, 2, 0));
	printf("%s\n", c);
	struct iovec large = {b, sizeof(b)};
	T(vmsplice(a[1], &large, 1, SPLICE_F_NONBLOCK));
	T(vmsplice(a[1], &large, 1, SPLICE_F_NONBLOCK));
	T(read(a[0], c, sizeof(c)));
	printf("same: %d\n", !memcmp(b, c, 65536));
	T(vmsplice(a[0], r, 2, SPLICE_F_NONBLOCK));
	T(vmsplice(open("/dev/null", O_WRONLY), v, 1, 0));
	T(vmsplice(a[1], v, 2000, 0));
	T(vmsplice(a[1], (void *)8, 1, 0));
	T(vmsplice(a[1], v, 0, 0));
}

static char page[8192] __attribute__((aligned(4096))) = "the parent's", more[100];

static void others(void)
{
	int go[2];
	pipe(go);
	fflush(stdout);
	pid_t pid = fork();
	if (!pid) {
		strcpy(page, "the child's");
		strcpy(page + 5000, "further on");
		write(go[1], "x", 1);
		pause();
		_exit(0);
	}
	read(go[0], more, 1);
	struct iovec own[2] = {{more, 4}, {more + 4, 30}},
		     other[2] = {{page, 12}, {page + 5000, 11}};
	T(process_vm_readv(pid, own, 2, other, 2, 0));
	printf("%s %s\n", more, more + 12);
	strcpy(more, "written");
	T(process_vm_writev(pid, own, 1, other, 1, 0));
	T(process_vm_readv(pid, own, 2, other, 1, 0));
	printf("%s, here %s\n", more, page);
	other[1].iov_base = (void *)0x10;
	T(process_vm_readv(pid, own, 2, other, 2, 0));
	T(process_vm_readv(pid, own, 2, other + 1, 1, 0));
	T(process_vm_readv(pid, own, 2, other, 1, 1));
	T(process_vm_readv(999999, own, 2, other, 1, 0));
	T(process_vm_writev(pid, own, 1, &(struct iovec){(void *)others, 8}, 1, 0));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	T(process_vm_readv(pid, own, 2, other, 1, 0));
}

int main(void)
{
	T(pipe(a));
	T(pipe(z));
	files();
	pipes();
	memory();
	others();
	return 0;
}

/* SPDX-License-Identifier: MIT
 * inotify: what is told of files and directories, in which order, as on the host. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "say.h"

static int n;

static void told(const char *after)
{
	char b[8192] __attribute__((aligned(8)));
	long bytes = read(n, b, sizeof(b));
	unsigned first = 0;
	printf("%s:\n", after);
	for (long at = 0; at < bytes;) {
		struct inotify_event *e = (void *)(b + at);
		if (e->cookie && !first)
			first = e->cookie;
		printf("  %d %x cookie %u name %u '%s'\n", e->wd, e->mask,
		       e->cookie ? e->cookie - first + 1 : 0, e->len, e->len ? e->name : "");
		at += sizeof(*e) + e->len;
	}
}

int main(void)
{
	char dir[] = "./inotify.XXXXXX", b[100];
	int left;
	chdir(mkdtemp(dir));
	T(inotify_init1(1));
	n = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	T(inotify_add_watch(n, "none", IN_OPEN));
	T(inotify_add_watch(n, ".", 0));
	T(inotify_add_watch(99, ".", IN_OPEN));
	T(inotify_add_watch(0, ".", IN_OPEN));
	T(inotify_rm_watch(n, 5));
	T(read(n, b, sizeof(b)));
	mkdir("d", 0755);
	T(inotify_add_watch(n, "d", IN_ALL_EVENTS & ~IN_ACCESS));
	int f = open("d/f", O_CREAT | O_RDWR, 0644);
	write(f, "text", 4);
	write(f, "more", 4);
	told("made and written");
	close(f);
	told("closed");
	T(inotify_add_watch(n, "d/f", IN_ALL_EVENTS));
	T(inotify_add_watch(n, "d/f", IN_ONLYDIR | IN_OPEN));
	T(inotify_add_watch(n, "d/f", IN_ALL_EVENTS | IN_MASK_CREATE));
	f = open("d/f", O_RDONLY);
	read(f, b, 4);
	read(f, b, 4);
	read(f, b, 4);
	close(f);
	told("read");
	f = open("d/f", O_WRONLY | O_TRUNC);
	ftruncate(f, 10);
	fchmod(f, 0600);
	close(f);
	chmod("d/f", 0644);
	truncate("d/f", 3);
	told("cut, and its mode changed");
	link("d/f", "d/g");
	symlink("f", "d/s");
	mkdir("d/sub", 0755);
	told("linked");
	rename("d/g", "d/h");
	rename("d/h", "out");
	rename("out", "d/in");
	told("moved");
	rename("d/sub", "d/sub2");
	rmdir("d/sub2");
	unlink("d/s");
	told("taken away");
	unlink("d/in");
	unlink("d/f");
	told("with its last name");
	T(inotify_add_watch(n, "d", IN_CREATE | IN_ONESHOT));
	close(open("d/1", O_CREAT | O_WRONLY, 0644));
	T(ioctl(n, FIONREAD, &left));
	printf("%d\n", left);
	T(read(n, b, 16));
	told("once");
	close(open("d/2", O_CREAT | O_WRONLY, 0644));
	told("not again");
	int w;
	T(w = inotify_add_watch(n, "d", IN_DELETE | IN_DELETE_SELF));
	struct pollfd p = {.fd = n, .events = POLLIN};
	T(poll(&p, 1, 0));
	fflush(stdout);
	if (!fork()) {
		usleep(30000);
		unlink("d/1");
		unlink("d/2");
		_exit(0);
	}
	T(poll(&p, 1, -1));
	wait(NULL);
	told("by another process");
	T(inotify_rm_watch(n, w));
	told("no longer watched");
	inotify_add_watch(n, "d", IN_DELETE_SELF);
	rmdir("d");
	told("the directory is gone");
	chdir("..");
	rmdir(dir);
	return 0;
}

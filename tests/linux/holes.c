/* SPDX-License-Identifier: MIT
 * Holes in files, other roots, paths with limits (openat2), groups, and small calls: as on the host. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/openat2.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "say.h"
/* Only whether it succeeded; a descriptor is closed again. */
#define S(call)                                                                        \
	do {                                                                           \
		errno = 0;                                                             \
		long result = (long)(call);                                            \
		printf("%s: %s\n", #call, result == -1 ? strerror(errno) : "success"); \
		if (result > 2)                                                        \
			close((int)result);                                            \
	} while (0)

static void map(int f)
{
	off_t at = 0, size = lseek(f, 0, SEEK_END);
	printf("%ld:", (long)size);
	while (at < size) {
		off_t data = lseek(f, at, SEEK_DATA);
		if (data < 0)
			break;
		at = lseek(f, data, SEEK_HOLE);
		printf(" %ld-%ld", (long)data, (long)at);
	}
	puts("");
}

static void holes(int f)
{
	static char b[40960];
	struct stat st;
	memset(b, 'x', sizeof(b));
	T(write(f, b, sizeof(b)));
	map(f);
	char *m = mmap(NULL, sizeof(b), PROT_READ | PROT_WRITE, MAP_SHARED, f, 0);
	char *p = mmap(NULL, sizeof(b), PROT_READ | PROT_WRITE, MAP_PRIVATE, f, 0);
	printf("%c%c%c\n", m[9000], p[9000], p[17000]);
	p[17001] = 'p';
	T(fallocate(f, FALLOC_FL_PUNCH_HOLE, 8192, 8192));
	T(fallocate(f, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 8192, 12288));
	map(f);
	printf("%d%c\n", m[9000], p[17001]);
	T(fallocate(f, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 30000, 100));
	map(f);
	T(pread(f, b, 200, 29950));
	printf("%d %d %d\n", b[49], b[50], b[150]);
	m[12000] = 'm';
	map(f);
	T(pread(f, b, 3, 12000));
	printf("%.1s%d\n", b, b[1]);
	T(fallocate(f, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 32768, 1 << 20));
	map(f);
	fstat(f, &st);
	printf("%ld\n", (long)st.st_blocks);
	T(fallocate(f, FALLOC_FL_KEEP_SIZE, 50000, 10));
	T(fallocate(f, 0, 50000, 10));
	T(lseek(f, 0, SEEK_END));
	T(fallocate(f, 0, -1, 10));
	T(fallocate(f, 0, 0, 0));
	T(fallocate(f, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE | FALLOC_FL_ZERO_RANGE, 0, 10));
	T(fallocate(f, 0x1000, 0, 10));
	munmap(m, sizeof(b));
	munmap(p, sizeof(b));
}

static volatile int heard;
static void handler(int sig)
{
	heard = sig;
}

static void limited(int f)
{
	struct rlimit small = {10000, RLIM_INFINITY}, none = {RLIM_INFINITY, RLIM_INFINITY};
	signal(SIGXFSZ, handler);
	setrlimit(RLIMIT_FSIZE, &small);
	T(ftruncate(f, 5000));
	T(ftruncate(f, 10001));
	printf("%d\n", heard == SIGXFSZ);
	heard = 0;
	T(fallocate(f, 0, 9000, 2000));
	printf("%d\n", heard == SIGXFSZ);
	T(pwrite(f, "abc", 3, 9999));
	T(pwrite(f, "abc", 3, 10000));
	setrlimit(RLIMIT_FSIZE, &none);
}

static int at2(int dir, const char *path, unsigned long flags, unsigned long mode,
	       unsigned long resolve)
{
	struct open_how how = {flags, mode, resolve};
	return (int)syscall(SYS_openat2, dir, path, &how, sizeof(how));
}

static void paths(void)
{
	struct {
		struct open_how how;
		long more;
	} large = {{O_RDONLY}, 0};
	int d = open("d", O_PATH | O_DIRECTORY);
	mkdir("d/in", 0755);
	close(creat("d/in/file", 0644));
	close(creat("outside", 0644));
	symlink("in/file", "d/link");
	symlink("/outside", "d/absolute");
	symlink("../outside", "d/up");
	S(at2(d, "in/file", O_RDONLY, 0, 0));
	S(at2(d, "link", O_RDONLY, 0, RESOLVE_BENEATH));
	S(at2(d, "link", O_RDONLY, 0, RESOLVE_NO_SYMLINKS));
	S(at2(d, "in/../in/file", O_RDONLY, 0, RESOLVE_BENEATH));
	S(at2(d, "../outside", O_RDONLY, 0, 0));
	S(at2(d, "../outside", O_RDONLY, 0, RESOLVE_BENEATH));
	S(at2(d, "up", O_RDONLY, 0, RESOLVE_BENEATH));
	S(at2(d, "up", O_RDONLY, 0, RESOLVE_IN_ROOT));
	S(at2(d, "absolute", O_RDONLY, 0, RESOLVE_BENEATH));
	S(at2(d, "absolute", O_RDONLY, 0, RESOLVE_IN_ROOT));
	S(at2(d, "/in/file", O_RDONLY, 0, RESOLVE_BENEATH));
	S(at2(d, "/in/file", O_RDONLY, 0, RESOLVE_IN_ROOT));
	S(at2(d, "../../in/file", O_RDONLY, 0, RESOLVE_IN_ROOT));
	S(at2(AT_FDCWD, "/proc/self/exe", O_RDONLY, 0, RESOLVE_NO_MAGICLINKS));
	S(at2(AT_FDCWD, "/proc/version", O_RDONLY, 0, RESOLVE_NO_XDEV));
	S(at2(d, "new", O_CREAT | O_RDWR, 0644, RESOLVE_BENEATH));
	S(at2(d, "in/file", O_RDONLY, 0644, 0));
	S(at2(d, "in/file", 1ul << 40, 0, 0));
	S(at2(d, "in/file", O_RDONLY, 0, 0x100));
	S(at2(d, "in/file", O_RDONLY, 0, RESOLVE_BENEATH | RESOLVE_IN_ROOT));
	S(syscall(SYS_openat2, d, "in/file", &large, sizeof(large)));
	large.more = 1;
	S(syscall(SYS_openat2, d, "in/file", &large, sizeof(large)));
	S(syscall(SYS_openat2, d, "in/file", &large, 8));
	close(d);
}

static void other_root(void)
{
	char where[100];
	struct stat st;
	fflush(stdout);
	if (!fork()) {
		T(chroot("outside"));
		T(chroot("none"));
		chdir("d");
		T(chroot("."));
		puts(getcwd(where, sizeof(where)));
		T(chdir("in/../../../.."));
		puts(getcwd(where, sizeof(where)));
		T(stat("/in/file", &st));
		T(stat("/outside", &st));
		T(stat("/absolute", &st));
		chdir("in");
		puts(getcwd(where, sizeof(where)));
		if (!fork()) {
			T(stat("/in/file", &st));
			setresuid(1000, 1000, 1000);
			T(chroot("/in"));
			fflush(stdout);
			_exit(0);
		}
		wait(NULL);
		fflush(stdout);
		_exit(0);
	}
	wait(NULL);
	T(stat("d/in/file", &st));
}

static void groups(void)
{
	gid_t more[2] = {77, 88};
	chown("outside", 0, 88);
	chmod("outside", 0640);
	fflush(stdout);
	if (!fork()) {
		setgroups(2, more);
		setresgid(1000, 1000, 1000);
		setresuid(1000, 1000, 1000);
		S(open("outside", O_RDONLY));
		S(open("outside", O_RDWR));
		T(access("outside", R_OK));
		fflush(stdout);
		_exit(0);
	}
	wait(NULL);
}

static void small(int f)
{
	int mode = 9;
	unsigned long nodes = 9;
	T(readahead(f, 0, 100));
	T(readahead(99, 0, 100));
	T(sync_file_range(f, 0, 100, SYNC_FILE_RANGE_WRITE));
	T(sync_file_range(f, -1, 100, 0));
	T(sync_file_range(f, 0, 100, 99));
	T(syscall(SYS_get_mempolicy, &mode, &nodes, 64, NULL, 0));
	printf("%d %lu\n", mode, nodes);
	nodes = 1;
	T(syscall(SYS_set_mempolicy, 99, &nodes, 64));
	T(syscall(SYS_set_mempolicy, 0, NULL, 0));
	nodes = 4;
	T(syscall(SYS_set_mempolicy, 2, &nodes, 64));
	T(syscall(SYS_sched_getattr, 0, &nodes, 8, 0));
}

int main(void)
{
	char dir[] = "/tmp/holesXXXXXX";
	holes(memfd_create("holes", 0));
	printf("%d\n", mkdtemp(dir) != NULL && !chdir(dir));
	chmod(dir, 0755);
	int f = open("f", O_CREAT | O_RDWR, 0600);
	char b[8192];
	memset(b, 'y', sizeof(b));
	write(f, b, sizeof(b));
	T(fallocate(f, FALLOC_FL_ZERO_RANGE, 100, 10000));
	T(lseek(f, 0, SEEK_END));
	T(pread(f, b, 200, 0));
	printf("%d %d %d\n", b[99], b[100], b[199]);
	limited(f);
	mkdir("d", 0755);
	paths();
	other_root();
	groups();
	small(f);
	system("rm -rf /tmp/holes??????");
	return 0;
}

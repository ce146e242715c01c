/* SPDX-License-Identifier: MIT
 * Files and directories as a program sees them: each call's result and error is printed, and compared with
 * the host's. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
#include <utime.h>

#include "say.h"

static char b[200000];
static struct stat s;
static int f, df, op, n, r1, o, p[2];

static void h(int sig)
{
	printf("signal %d\n", sig);
}

static void opening(void)
{
	T(f = open("a", O_RDWR | O_CREAT | O_EXCL, 0666));
	T(open("a", O_RDWR | O_CREAT | O_EXCL, 0666));
	T(open("b/", O_RDWR | O_CREAT, 0666));
	T(open("nodir/x", O_CREAT | O_RDWR, 0666));
	T(open(".", O_RDWR));
	T(open(".", O_RDONLY | O_CREAT, 0));
	T(open("a", O_DIRECTORY));
	T(open("a/", O_RDONLY));
	T(open("", O_RDONLY));
	T(open("a/b", O_RDONLY));
	T(open((char *)1, O_RDONLY));
}

static void offsets(void)
{
	T(write(f, "hello world", 11));
	T(lseek(f, 0, SEEK_SET));
	T(read(f, b, 5));
	T(lseek(f, 0, SEEK_CUR));
	T(pread(f, b, 100, 6));
	T(pwrite(f, "XX", 2, 20));
	T(lseek(f, 0, SEEK_END));
	T(lseek(f, -1, SEEK_SET));
	T(lseek(f, -100, SEEK_CUR));
	T(lseek(f, 1000000, SEEK_SET));
	T(read(f, b, 10));
	T(lseek(f, 0, 99));
	T(lseek(f, 0, SEEK_DATA));
	T(lseek(f, 22, SEEK_DATA));
	T(lseek(f, 22, SEEK_HOLE));
	T(lseek(f, 3, SEEK_HOLE));
}

static void bad_arguments(void)
{
	T(pread(f, b, 1, -1));
	T(read(f, (void *)8, 10));
	T(lseek(f, 0, SEEK_SET));
	T(read(f, (void *)8, 10));
	T(write(f, (void *)8, 10));
	T(read(99, b, 1));
	T(write(99, b, 1));
	T(read(-1, b, 1));
	T(fcntl(f, F_GETFL));
	T(fcntl(f, F_GETFD));
	T(fcntl(f, F_SETFD, 1));
	T(fcntl(f, F_GETFD));
	T(fcntl(f, F_SETFL, O_APPEND | O_NONBLOCK));
	T(fcntl(f, F_GETFL));
	T(write(f, "E", 1));
	T(lseek(f, 0, SEEK_CUR));
	T(fcntl(f, F_SETFL, 0));
	T(fcntl(f, F_DUPFD, 100));
	T(fcntl(f, F_DUPFD_CLOEXEC, 100));
	T(fcntl(101, F_GETFD));
	T(fcntl(f, F_DUPFD, -1));
	T(fcntl(f, F_DUPFD, 100000000));
	T(fcntl(f, 9999));
	T(fcntl(77, F_GETFD));
}

static void duplicates(void)
{
	T(dup(f));
	T(dup2(f, 50));
	T(dup2(f, f));
	T(dup2(77, 5));
	T(dup2(f, -1));
	T(dup3(f, f, 0));
	T(dup3(f, 51, O_CLOEXEC));
	T(dup3(f, 51, 4));
	T(close(51));
	T(close(51));
	T(close(-1));
}

static void sizes(void)
{
	T(ftruncate(f, 5));
	T(fstat(f, &s));
	printf("%ld %o %ld %ld\n", s.st_size, s.st_mode, s.st_nlink, s.st_blksize);
	T(ftruncate(f, -1));
	T(truncate("a", 3));
	T(truncate("nofile", 3));
	T(truncate(".", 3));
	T(ftruncate(0xfff, 3));
}

static void vectors(void)
{
	struct iovec v[3] = {{b, 3}, {b + 3, 0}, {b + 3, 5}};
	T(lseek(f, 0, SEEK_SET));
	T(writev(f, v, 3));
	T(lseek(f, 0, SEEK_SET));
	T(readv(f, v, 3));
	T(readv(f, v, -1));
	T(readv(f, v, 1025));
	T(writev(f, (void *)8, 1));
	T(preadv(f, v, 3, 2));
	T(pwritev(f, v, 3, -2));
}

static void links(void)
{
	T(link("a", "l"));
	T(link("a", "l"));
	T(link("nofile", "l2"));
	T(link(".", "l3"));
	T(symlink("a", "s"));
	T(symlink("a", "s"));
	T(symlink("", "s2"));
	T(readlink("s", b, 100));
	T(readlink("a", b, 100));
	T(readlink("s", b, 0));
	T(readlink("s", b, -1));
	T(lstat("s", &s));
	printf("%ld %o\n", s.st_size, s.st_mode);
	T(stat("s", &s));
	printf("%ld %o %ld\n", s.st_size, s.st_mode, s.st_nlink);
	T(symlink("nowhere", "d"));
	T(stat("d", &s));
	T(open("d", O_RDONLY));
	T(open("s", O_RDONLY | O_NOFOLLOW));
	T(open("d", O_CREAT | O_EXCL | O_RDWR, 0600));
	T(open("d", O_CREAT | O_RDWR, 0600));
	T(stat("nowhere", &s));
	T(unlink("nowhere"));
	T(link("s", "ls"));
	T(lstat("ls", &s));
	printf("%o\n", s.st_mode);
	T(linkat(AT_FDCWD, "s", AT_FDCWD, "lf", AT_SYMLINK_FOLLOW));
	T(lstat("lf", &s));
	printf("%o\n", s.st_mode);
	T(linkat(AT_FDCWD, "s", AT_FDCWD, "lf2", 0x8000));
}

static void directories(void)
{
	T(mkdir("dir", 0777));
	T(mkdir("dir", 0777));
	T(mkdir("dir/", 0777));
	T(mkdir("dir2/", 0777));
	T(mkdir(".", 0777));
	T(mkdir("/", 0777));
	T(mkdir("a/x", 0777));
	T(mkdir("no/x", 0777));
	T(mkdir("", 0777));
	T(rmdir("dir2/"));
	T(rmdir("."));
	T(rmdir(".."));
	T(rmdir("dir/."));
	T(rmdir("dir/.."));
	T(rmdir("/"));
	T(rmdir("a"));
	T(rmdir("no"));
	T(unlink("dir"));
	T(unlink("no"));
	T(unlink("a/"));
	T(unlink("dir/"));
	T(unlink("."));
	T(unlinkat(AT_FDCWD, "dir", AT_REMOVEDIR));
	T(unlinkat(AT_FDCWD, "dir", 4));
	T(mkdir("dir", 0777));
	T(open("dir/f", O_CREAT | O_RDWR, 0600));
	T(rmdir("dir"));
	T(rename("dir", "dir/x"));
	T(rename("dir/f", "dir"));
	T(rename("dir", "a"));
	T(rename("a", "dir"));
	T(rename("no", "x"));
	T(rename("a", "a"));
	T(rename("a", "l"));
	T(rename("a", "r"));
	T(rename("r", "a"));
	T(rename("a", "no/x"));
	T(rename("a", "b/"));
	T(rename(".", "x"));
	T(rename("a", ".."));
	T(rename("dir/.", "x"));
	T(mkdir("e", 0755));
	T(rename("dir", "e"));
	T(rename("e", "dir/"));
	T(mkdir("full", 0777));
	T(mkdir("full/x", 0777));
	T(rename("dir", "full"));
	T(syscall(SYS_renameat2, AT_FDCWD, "dir", AT_FDCWD, "full", RENAME_EXCHANGE));
	T(access("dir/x", F_OK));
	T(syscall(SYS_renameat2, AT_FDCWD, "a", AT_FDCWD, "l", RENAME_NOREPLACE));
	T(syscall(SYS_renameat2, AT_FDCWD, "a", AT_FDCWD, "zz", RENAME_EXCHANGE));
	T(syscall(SYS_renameat2, AT_FDCWD, "a", AT_FDCWD, "zz", 8));
}

static void modes(void)
{
	T(access("a", X_OK));
	T(access("a", R_OK));
	T(access("no", F_OK));
	T(access("a", 99));
	T(chmod("a", 0755));
	T(access("a", X_OK));
	T(chmod("no", 0755));
	T(chmod("a", 07777));
	T(stat("a", &s));
	printf("%o\n", s.st_mode);
	T(fchmod(f, 0600));
	T(fchmodat(AT_FDCWD, "a", 0640, 0));
	T(faccessat(AT_FDCWD, "a", R_OK, 0));
	T(faccessat(99, "a", R_OK, 0));
	T(faccessat(f, "a", R_OK, 0));
	T(chown("a", 5, 6));
	T(stat("a", &s));
	printf("%d %d %o\n", s.st_uid, s.st_gid, s.st_mode);
	T(lchown("s", 7, 8));
	T(lstat("s", &s));
	printf("%d %d\n", s.st_uid, s.st_gid);
	T(chown("a", -1, -1));
}

static void times(void)
{
	struct timespec ts[2] = {{100, 5}, {200, 6}};
	T(utimensat(AT_FDCWD, "a", ts, 0));
	T(stat("a", &s));
	printf("%ld.%ld %ld.%ld\n", s.st_atim.tv_sec, s.st_atim.tv_nsec, s.st_mtim.tv_sec,
	       s.st_mtim.tv_nsec);
	ts[0].tv_nsec = UTIME_OMIT;
	ts[1].tv_nsec = 2000000000;
	T(utimensat(AT_FDCWD, "a", ts, 0));
	ts[1].tv_nsec = 7;
	T(futimens(f, ts));
	T(stat("a", &s));
	printf("%ld %ld.%ld\n", s.st_atim.tv_sec, s.st_mtim.tv_sec, s.st_mtim.tv_nsec);
	struct utimbuf ub = {1, 2};
	T(utime("a", &ub));
	T(utime("no", &ub));
	T(utimensat(AT_FDCWD, "s", NULL, AT_SYMLINK_NOFOLLOW));
	T(utimensat(AT_FDCWD, NULL, NULL, 0));
}

static void places(void)
{
	char cw[100];
	T(chdir("dir"));
	T(!!getcwd(cw, 100));
	puts(cw);
	T(getcwd(cw, 3) == NULL ? -1 : 0);
	T(chdir("no"));
	T(chdir("../a"));
	T(rmdir("x"));
	T(rmdir("../dir"));
	T(getcwd(cw, 100) == NULL ? -1 : 0);
	T(open("x", O_CREAT | O_RDWR, 0600));
	T(mkdir("x", 0700));
	T(stat(".", &s));
	printf("%ld\n", s.st_nlink);
	T(chdir("/tmp/files_test"));
	T(pipe(p));
	r1 = p[0];
	df = open(".", O_RDONLY);
	T(fchdir(df));
	T(fchdir(f));
	T(read(df, b, 10));
	T(write(df, b, 10));
	T(lseek(df, 0, SEEK_SET));
	T(ftruncate(df, 0));
	T(pread(df, b, 1, 0));
	T(syscall(SYS_getdents64, f, b, 1000));
	T(syscall(SYS_getdents64, df, b, 10));
	T(openat(df, "a", O_RDONLY));
	T(openat(f, "a", O_RDONLY));
	T(openat(-5, "a", O_RDONLY));
	T(openat(-5, "/tmp/files_test/a", O_RDONLY));
	T(openat(df, "a", O_PATH));
	op = openat(df, "a", O_PATH);
	T(read(op, b, 1));
	T(fstat(op, &s));
	T(fcntl(op, F_GETFL));
	T(fchmod(op, 0600));
	T(ioctl(op, FIONREAD, b));
	T(fstatat(op, "", &s, AT_EMPTY_PATH));
	T(fstatat(op, "", &s, 0));
	T(fstatat(AT_FDCWD, "", &s, AT_EMPTY_PATH));
	T(fstatat(df, "a", &s, 0x4));
	T(open("/tmp/files_test", O_TMPFILE | O_RDWR, 0600));
	T(open("/tmp/files_test", O_TMPFILE | O_RDONLY, 0600));
}

static void copies(void)
{
	T(o = open("out", O_CREAT | O_RDWR, 0600));
	T(lseek(f, 0, SEEK_SET));
	T(sendfile(o, f, NULL, 100));
	off_t of = 2;
	T(sendfile(o, f, &of, 3));
	printf("%ld\n", of);
	T(sendfile(f, r1, NULL, 1));
	T(lseek(o, 0, SEEK_CUR));
	loff_t x = 0, y = 100;
	T(copy_file_range(f, &x, o, &y, 5, 0));
	printf("%ld %ld\n", x, y);
	T(copy_file_range(f, &x, f, &x, 5, 0));
	T(copy_file_range(f, &x, o, &y, 5, 1));
	T(fallocate(o, 0, 0, 10000));
	T(fstat(o, &s));
	printf("%ld\n", s.st_size);
	T(posix_fallocate(o, 0, 0));
	T(fallocate(r1, 0, 0, 10));
	T(posix_fadvise(o, 0, 0, 0));
	T(posix_fadvise(o, 0, 0, 77));
	T(posix_fadvise(r1, 0, 0, 0));
	T(fsync(o));
	T(fsync(r1));
	T(fdatasync(99));
	T(syncfs(o));
}

static void locks(void)
{
	int f2 = open("a", O_RDWR);
	T(flock(f, LOCK_EX));
	T(flock(f2, LOCK_EX | LOCK_NB));
	T(flock(f, LOCK_SH));
	T(flock(f2, LOCK_SH | LOCK_NB));
	T(flock(f, LOCK_UN));
	T(flock(99, LOCK_EX));
}

static void devices(void)
{
	T(open("/dev/null", O_RDWR));
	int z = open("/dev/zero", O_RDWR);
	T(read(z, b, 10));
	T(write(z, b, 10));
	T(lseek(z, 5, SEEK_SET));
	T(isatty(z));
	int fu = open("/dev/full", O_RDWR);
	T(write(fu, b, 3));
	T(read(fu, b, 3));
	T(stat("/dev/null", &s));
	printf("%o %lx\n", s.st_mode, s.st_rdev);
	T(stat("/dev/zero", &s));
	printf("%o %lx\n", s.st_mode, s.st_rdev);
	struct termios tm;
	T(tcgetattr(f, &tm));
	T(ioctl(f, TIOCGWINSZ, b));
	T(ioctl(f, FIONREAD, &n));
	T(ioctl(99, FIONREAD, &n));
}

static void mappings(void)
{
	char *m;
	T((m = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, o, 0)) == MAP_FAILED ? -1 : 0);
	strcpy(m + 50, "mapped");
	T(pread(o, b, 6, 50));
	b[6] = 0;
	puts(b);
	T(pwrite(o, "WRITE", 5, 60));
	printf("%.5s\n", m + 60);
	char *q = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, o, 0);
	q[60] = 'P';
	printf("%.5s %.5s\n", q + 60, m + 60);
	T(unlink("out"));
	T(fstat(o, &s));
	printf("%ld\n", s.st_nlink);
	m[0] = 'k';
	T(pread(o, b, 1, 0));
	printf("%c\n", b[0]);
	T(munmap(m, 8192));
}

static void names(void)
{
	DIR *d = opendir(".");
	int cnt = 0;
	struct dirent *de;
	long sum = 0;
	while ((de = readdir(d))) {
		cnt++;
		sum += de->d_type * strlen(de->d_name);
	}
	printf("%d %ld\n", cnt, sum);
	closedir(d);
	T(umask(077));
	T(umask(022));
	char nm[300];
	memset(nm, 'n', 299);
	nm[299] = 0;
	T(open(nm, O_CREAT | O_RDWR, 0600));
	nm[255] = 0;
	T(open(nm, O_CREAT | O_RDWR, 0600));
	memset(b, '/', 5000);
	b[5000] = 0;
	T(open(b, O_RDONLY));
	b[4095] = 0;
	T(open(b, O_RDONLY));
	T(syscall(SYS_close_range, 200, 100, 0));
	T(syscall(SYS_close_range, 60, 200, 0));
	T(fcntl(100, F_GETFD));
	T(statfs(".", (struct statfs *)b));
	T(statfs("no", (struct statfs *)b));
	T(open("/proc/self/exe", O_RDWR));
	T(mknod("nod", S_IFREG | 0600, 0));
	T(mknod("nod2", S_IFDIR | 0600, 0));
	T(mknod("nod", S_IFIFO | 0600, 0));
	T(symlinkat("q", df, "sq"));
	T(readlinkat(df, "sq", b, 5));
	T(mkdirat(99, "q", 0));
	T(unlinkat(df, "sq", 0));
	T(open("loop", O_RDONLY));
	symlink("loop", "loop");
	T(open("loop", O_RDONLY));
	T(stat("loop/x", &s));
	T(open("loop", O_CREAT | O_RDWR, 0600));
	T(open("a", O_WRONLY | O_TRUNC));
	T(stat("a", &s));
	printf("%ld\n", s.st_size);
}

int main(void)
{
	close_range(3, 1000, 0);
	setvbuf(stdout, NULL, _IONBF, 0);
	signal(SIGPIPE, h);
	umask(022);
	system("rm -rf /tmp/files_test; mkdir /tmp/files_test");
	T(chdir("/tmp/files_test"));
	T(pipe(p));
	r1 = p[0];
	opening();
	offsets();
	bad_arguments();
	duplicates();
	sizes();
	vectors();
	links();
	directories();
	modes();
	times();
	places();
	copies();
	locks();
	devices();
	mappings();
	names();
	return 0;
}

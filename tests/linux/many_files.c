/* SPDX-License-Identifier: MIT
 * Many names in a directory, deep directories, long chains of links, and thousands of small files that come and go. Compared
 * with the host's. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum {
	MANY = 10000,
	FEW = 500,
	BATCH = 100,
	DEEP = 600,
	CHAIN = 40,
	ROUNDS = 5,
	SMALL = 4000,
	TMPFS = 0x01021994
};

static char text[8192];

static long now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000 + t.tv_nsec;
}

static void says(const char *what, long result)
{
	printf("%s: %ld %s\n", what, result, result < 0 ? strerror(errno) : "");
}

static const char *name_of(int i)
{
	static char name[32];

	snprintf(name, sizeof(name), "many/name-%d", i);
	return name;
}

/* The least time that BATCH look-ups took while the directory had n names, all of which are looked up. */
static long look_up(int n)
{
	long least = 1L << 60;
	struct stat s;

	for (int from = 0; from < n; from += BATCH) {
		long began = now_ns();
		for (int i = from; i < from + BATCH; i++)
			if (stat(name_of(i), &s))
				printf("%s: %s\n", name_of(i), strerror(errno));
		long took = now_ns() - began;
		least = took < least ? took : least;
	}
	return least;
}

/* Lists with room for some names at a time. How many, each once, or -1; *least: the least time of a call. */
static int list(int bytes, long *least)
{
	static char seen[MANY];
	char buffer[4096] __attribute__((aligned(8)));
	int fd = open("many", O_RDONLY | O_DIRECTORY), count = 0;

	memset(seen, 0, sizeof(seen));
	*least = 1L << 60;
	for (;;) {
		long began = now_ns(), n = syscall(SYS_getdents64, fd, buffer, bytes);
		long took = now_ns() - began;

		if (n <= 0)
			break;
		*least = took < *least ? took : *least;
		for (long at = 0; at < n;) {
			struct dirent64 *d = (void *)(buffer + at);
			int i = atoi(d->d_name + (strlen(d->d_name) > 5 ? 5 : 0));
			if (d->d_name[0] == 'n' && seen[i]++)
				return -1;
			count++;
			at += d->d_reclen;
		}
	}
	close(fd);
	return count;
}

static void directory(void)
{
	long few = 0, many, few_call, call;
	int found_few = 0;

	mkdir("many", 0700);
	for (int i = 0; i < MANY; i++) {
		if (i == FEW) {
			few = look_up(FEW);
			found_few = list(64, &few_call);
		}
		int fd = open(name_of(i), O_CREAT | O_EXCL | O_WRONLY, 0600);
		if (fd < 0)
			printf("%s: %s\n", name_of(i), strerror(errno));
		close(fd);
	}
	many = look_up(MANY);
	int found = list(64, &call);
	printf("%d and %d names; to look one up among many: %s; to list one: %s\n", found_few,
	       found, many < 4 * few ? "no slower" : "slower",
	       call < 6 * few_call ? "no slower" : "slower");
	printf("listed in large pieces: %d\n", list(4096, &call));
}

/* Takes names away between two pieces of a listing: those that stay are all listed, once. */
static void remove_listed(void)
{
	DIR *dir = opendir("many");
	struct dirent *d;
	int odd = 0, left = 0;

	while ((d = readdir(dir))) {
		int i = atoi(d->d_name + (strlen(d->d_name) > 5 ? 5 : 0));
		if (d->d_name[0] != 'n')
			continue;
		if (i % 2)
			odd++;
		else
			unlink(name_of(i));
	}
	rewinddir(dir);
	while ((d = readdir(dir)))
		left += d->d_name[0] == 'n';
	printf("%d were listed beside removals, %d are left\n", odd, left);
	rewinddir(dir);
	while ((d = readdir(dir)))
		if (d->d_name[0] == 'n')
			unlink(name_of(atoi(d->d_name + 5)));
	closedir(dir);
	printf("and gone: %d\n", rmdir("many"));
}

static void deep(void)
{
	char place[4096];
	int made = 0;

	getcwd(place, sizeof(place));
	while (made < DEEP && !mkdir("directory-", 0700) && !chdir("directory-"))
		made++;
	printf("%d deep\n", made);
	says("its path", getcwd(text, 4096) ? 0 : -1);
	close(open("leaf", O_CREAT | O_RDWR, 0600));
	says("its file", access("leaf", F_OK));
	for (int i = 0; i < 100; i++)
		strcpy(text + 3 * i, "../");
	says("a hundred up", chdir(text));
	for (int i = 0; i < 20; i++)
		strcpy(text + 11 * i, "directory-/");
	for (int i = 0; i < 5; i++)
		says("twenty down", chdir(text));
	for (int i = 0; i < 100; i++)
		strcpy(text + 3 * i, "../");
	chdir(text);
	for (int i = 0; i < 100; i++)
		strcpy(text + 11 * i, "directory-/");
	says("a hundred down", chdir(text));
	says("its file goes", unlink("leaf"));
	memset(text, 'x', 300);
	text[300] = 0;
	says("a long name", open(text, O_RDONLY));
	text[256] = 0;
	says("one too long", open(text, O_RDONLY));
	text[255] = 0;
	says("one that is not", open(text, O_RDONLY));
	for (int i = 0; i < 4096; i += 2)
		memcpy(text + i, "./", 3);
	says("a long path", access(text, F_OK));
	text[4094] = 0;
	says("one that is not", access(text, F_OK));
	for (int length = 240; length < 260; length++) { /* where the short way along paths ends */
		memset(text, '/', length);
		strcpy(text + length - 4, "/dev");
		says("slashes", access(text, F_OK));
	}
	for (; made && !chdir(".."); made--)
		rmdir("directory-");
	says("gone", chdir(place));
}

static void chains(void)
{
	char from[32], to[32];
	struct stat s;

	mkdir("end", 0700);
	close(open("end/file", O_CREAT | O_RDWR, 0600));
	for (int i = 0; i <= CHAIN; i++) {
		snprintf(from, sizeof(from), "link-%d", i);
		snprintf(to, sizeof(to), i ? "./link-%d" : "end", i - 1);
		if (symlink(to, from))
			printf("%s: %s\n", from, strerror(errno));
	}
	says("40 links", stat("link-39", &s));
	says("through them", access("link-39/file", F_OK));
	says("41", stat("link-40", &s));
	says("through them", stat("link-40/file", &s));
	symlink("circle", "circle");
	says("a circle", stat("circle", &s));
	says("a file in it", open("circle/x", O_CREAT, 0600));
	says("itself", lstat("circle", &s));
	memset(text, '/', 2000);
	strcpy(text + 2000, "dev/null");
	says("a long target", symlink(text, "far"));
	says("its end", stat("far", &s));
	printf("a device: %d\n", S_ISCHR(s.st_mode));
	says("with a slash", stat("link-3/", &s));
	symlink("end/file", "to-file");
	says("a file's with a slash", stat("to-file/", &s));
	symlink("missing", "dangling");
	says("to nothing", stat("dangling", &s));
	says("made by it", open("dangling", O_CREAT | O_RDWR, 0600) < 0 ? -1 : 0);
	says("there", unlink("missing"));
	symlink("/", "top");
	says("the top", stat("top", &s));
	says("below it", stat("top/dev/../top/dev/null", &s));
	says("below it there", stat("top/dev/../dev/null", &s));
	for (int i = 0; i <= CHAIN; i++) {
		snprintf(from, sizeof(from), "link-%d", i);
		unlink(from);
	}
	unlink("circle");
	unlink("far");
	unlink("top");
	unlink("dangling");
	unlink("to-file");
	unlink("end/file");
	says("gone", rmdir("end"));
}

/* What is far away is found at once. */
static void sparse(void)
{
	const long far = 3L << 30, end = 1L << 42;
	int fd = open("sparse", O_CREAT | O_RDWR, 0600);

	says("sparse", ftruncate(fd, end));
	says("data", lseek(fd, 100, SEEK_DATA));
	says("a hole", lseek(fd, 100, SEEK_HOLE));
	says("a byte", pwrite(fd, "x", 1, far + 10));
	says("data", lseek(fd, 4096, SEEK_DATA));
	says("from there", lseek(fd, far + 20, SEEK_DATA));
	says("a hole", lseek(fd, far, SEEK_HOLE));
	says("data", lseek(fd, far + 4096, SEEK_DATA));
	close(fd);
	unlink("sparse");
}

/* Paths that end with their page, behind which is nothing; or that do not end there. */
static void page_ends(void)
{
	char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *end = page + 4096;
	struct stat s;
	int found = 0, faults = 0, longest = 0;

	munmap(end, 4096);
	for (int n = 4; n < 300; n++) {
		memset(end - n - 1, '/', n);
		memcpy(end - 5, "/dev", 5);
		for (int again = 0; again < 2; again++)
			found += !stat(end - n - 1, &s) && S_ISDIR(s.st_mode);
		memset(end - n, '/', n);
		for (int again = 0; again < 2; again++)
			faults += stat(end - n, &s) == -1 && errno == EFAULT;
		end[-1] = 0;
		longest += open(end - n, O_RDONLY | O_DIRECTORY) >= 0;
		close(3);
	}
	printf("at a page's end: %d found, %d faults, %d opened\n", found, faults, longest);
	munmap(page, 4096);
}

static long pages_free(void)
{
	struct statfs fs;

	return statfs(".", &fs) || fs.f_type != TMPFS ? 0 : (long)fs.f_bfree;
}

static void small_files(int rounds)
{
	char name[32];
	long before = 0, lost = 0;

	for (int r = 0; r < rounds; r++) {
		for (int i = 0; i < SMALL; i++) {
			snprintf(name, sizeof(name), "small-%d", i);
			int fd = open(name, O_CREAT | O_EXCL | O_RDWR, 0600);
			if (write(fd, name, 10) != 10)
				printf("%s: %s\n", name, strerror(errno));
			if (i % 16 == 0 && ftruncate(fd, 30000))
				printf("%s: %s\n", name, strerror(errno));
			if (i % 64 == 0 && pwrite(fd, name, 10, 100000) != 10)
				printf("%s: %s\n", name, strerror(errno));
			close(fd);
		}
		for (int i = 0; i < SMALL; i++) {
			snprintf(name, sizeof(name), "small-%d", i);
			unlink(name);
		}
		if (r == 0)
			before = pages_free();
	}
	lost = before - pages_free();
	printf("%d small files came and went: %s\n", rounds * SMALL,
	       lost < 200 ? "nothing is lost" : "memory is lost");
}

int main(int argc, char **argv)
{
	char shm[] = "/dev/shm/manyXXXXXX", tmp[] = "/tmp/manyXXXXXX";
	char *place = mkdtemp(shm) ? shm : mkdtemp(tmp); /* the host's /tmp may be a slow disk */

	if (!place || chdir(place))
		return 1;
	if (argc < 2) {
		directory();
		remove_listed();
		deep();
		chains();
		sparse();
		page_ends();
	}
	small_files(argc < 2 ? ROUNDS : atoi(argv[1]));
	chdir("/");
	return rmdir(place);
}

/* SPDX-License-Identifier: MIT
 * What a tree of files is, in lines that are the same on the host and on Aril; and its removal. */
#ifndef TESTS_LINUX_TREE_H
#define TESTS_LINUX_TREE_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SET_TIME = 1000000000, BUFFER = 70000 }; /* times before the first were set by the test */

static char buffer[BUFFER];

static unsigned long hashed(const void *data, size_t length)
{
	unsigned long h = 14695981039346656037ul;
	for (size_t i = 0; i < length; i++)
		h = (h ^ ((const unsigned char *)data)[i]) * 1099511628211ul;
	return h;
}

static int after(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* A directory's names in their order; how many. */
static int names_of(int dir, char *names[], int most)
{
	int n = 0, again = dup(dir);
	DIR *open_dir = fdopendir(again);
	if (!open_dir)
		return close(again), -1;
	rewinddir(open_dir);
	for (struct dirent *e; n < most && (e = readdir(open_dir));)
		names[n++] = strdup(e->d_name);
	closedir(open_dir);
	qsort(names, n, sizeof(*names), after);
	return n;
}

static const char *time_text(struct statx_timestamp t)
{
	static char text[2][40];
	static int turn;
	char *said = text[turn++ % 2];
	if (t.tv_sec >= SET_TIME)
		return "now";
	sprintf(said, "%ld.%u", (long)t.tv_sec, t.tv_nsec);
	return said;
}

static ino_t seen[256];
static int seen_count;

/* Which file of those met since it is: hard links show. */
static int which(ino_t number)
{
	for (int i = 0; i < seen_count; i++)
		if (seen[i] == number)
			return i;
	if (seen_count < 256)
		seen[seen_count++] = number;
	return seen_count - 1;
}

static void file_told(int dir, const char *name, int flags)
{
	struct statx s;
	if (statx(dir, name, flags, STATX_BASIC_STATS, &s) < 0) {
		printf("%s\n", strerrorname_np(errno));
		return;
	}
	printf("%o links %u owner %u:%u", s.stx_mode, s.stx_nlink, s.stx_uid, s.stx_gid);
	if (!S_ISDIR(s.stx_mode))
		printf(" size %llu", s.stx_size);
	printf(" modified %s\n", time_text(s.stx_mtime));
}

static void digest(int dir, const char *name, int depth)
{
	char target[PATH_MAX], *names[200];
	struct stat s;
	printf("%*s%.40s: ", depth * 2, "", depth ? name : "top");
	if (fstatat(dir, name, &s, AT_SYMLINK_NOFOLLOW) < 0) {
		printf("%s\n", strerrorname_np(errno));
		return;
	}
	printf("[%d] ", which(s.st_ino));
	file_told(dir, name, AT_SYMLINK_NOFOLLOW);
	if (S_ISLNK(s.st_mode)) {
		long n = readlinkat(dir, name, target, sizeof(target));
		printf("%*s-> %.*s\n", depth * 2, "", n < 0 ? 0 : n > 60 ? 60 : (int)n, target);
		return;
	}
	if (!S_ISREG(s.st_mode) && !S_ISDIR(s.st_mode))
		return;
	int f = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
	if (f < 0) {
		printf("%*sopen: %s\n", depth * 2, "", strerrorname_np(errno));
		return;
	}
	if (S_ISREG(s.st_mode)) {
		unsigned long h = 0;
		for (long n; (n = read(f, buffer, BUFFER)) > 0;)
			h = h * 31 + hashed(buffer, n);
		printf("%*s%lx\n", depth * 2, "", h);
		close(f);
		return;
	}
	int n = names_of(f, names, 200);
	for (int i = 0; i < n; i++) {
		if (strcmp(names[i], ".") && strcmp(names[i], ".."))
			digest(f, names[i], depth + 1);
		free(names[i]);
	}
	close(f);
}

static void tree_removed(int dir, const char *name)
{
	char *names[200];
	int f = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_DIRECTORY);
	if (f < 0 && errno == EACCES && fchmodat(dir, name, 0700, 0) == 0)
		f = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_DIRECTORY);
	if (f < 0) {
		unlinkat(dir, name, 0);
		return;
	}
	fchmod(f, 0700);
	int n = names_of(f, names, 200);
	for (int i = 0; i < n; i++) {
		if (strcmp(names[i], ".") && strcmp(names[i], ".."))
			tree_removed(f, names[i]);
		free(names[i]);
	}
	close(f);
	unlinkat(dir, name, AT_REMOVEDIR);
}

/* Whether it is a directory outside of home, from which a path could climb. */
static int outside(int f, const char *home)
{
	char name[40], path[PATH_MAX];
	struct stat s;
	sprintf(name, "/proc/self/fd/%d", f);
	long n = fstat(f, &s) == 0 && S_ISDIR(s.st_mode) ? readlink(name, path, sizeof(path) - 1)
							 : 0;
	return n > 0 && strncmp(path, home, strlen(home)) != 0;
}

static int same_file(int f, int g)
{
	struct stat s, t;
	return fstat(f, &s) == 0 && fstat(g, &t) == 0 && s.st_ino == t.st_ino;
}

#endif

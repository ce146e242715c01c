/* SPDX-License-Identifier: MIT
 * Extended attributes of files: results, errors and order as on the host. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "say.h"

static char b[70000], n[300];

static void names(const char *path)
{
	char list[256];
	int bytes = listxattr(path, list, sizeof(list)), found = 0;
	for (int at = 0; at < bytes; at += strlen(list + at) + 1)
		if (!strncmp(list + at, "user.", 5))
			found++;
	printf("%d names of users\n", found);
}

int main(void)
{
	char dir[] = "./xattr.XXXXXX";
	chdir(mkdtemp(dir));
	int f = open("f", O_CREAT | O_RDWR, 0600);
	mkdir("d", 0700);
	symlink("f", "l");
	memset(n, 'x', sizeof(n) - 1);
	memcpy(n, "user.", 5);
	T(getxattr("f", "user.a", b, 10));
	T(setxattr("f", "user.a", "value", 5, XATTR_REPLACE));
	T(setxattr("f", "user.a", "value", 5, 0));
	T(setxattr("f", "user.a", "value", 5, XATTR_CREATE));
	T(setxattr("f", "user.a", "other1", 6, XATTR_REPLACE));
	T(setxattr("f", "user.a", "value", 5, 4));
	T(getxattr("f", "user.a", b, 0));
	T(getxattr("f", "user.a", b, 3));
	T(getxattr("f", "user.a", b, 10));
	printf("%.6s\n", b);
	T(fgetxattr(f, "user.a", b, 10));
	T(getxattr("l", "user.a", b, 10));
	T(lgetxattr("l", "user.a", b, 10));
	T(lsetxattr("l", "user.a", "x", 1, 0));
	T(fsetxattr(f, "user.b", "", 0, 0));
	T(getxattr("f", "user.b", b, 10));
	names("f");
	T(listxattr("f", b, 3));
	T(setxattr("d", "user.d", "dir", 3, 0));
	T(getxattr("d", "user.d", b, 3));
	T(setxattr("f", "user.", "x", 1, 0));
	T(setxattr("f", "nothing.a", "x", 1, 0));
	T(setxattr("f", "", "x", 1, 0));
	T(setxattr("f", n, "x", 1, 0));
	T(setxattr("f", "user.big", b, 65537, 0));
	T(setxattr("f", "user.c", (void *)8, 10, 0));
	T(setxattr("no", "user.c", "x", 1, 0));
	T(setxattr("f", (void *)8, "x", 1, 0));
	T(fsetxattr(99, "user.c", "x", 1, 0));
	T(removexattr("f", "user.b"));
	T(removexattr("f", "user.b"));
	T(fremovexattr(f, "user.a"));
	T(lremovexattr("l", "user.a"));
	names("f");
	unlink("f");
	unlink("l");
	rmdir("d");
	chdir("..");
	rmdir(dir);
	return 0;
}

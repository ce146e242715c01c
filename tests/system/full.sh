#!/bin/bash
# SPDX-License-Identifier: MIT
# A writer that fills the file system is told so, and the family goes on: by write, by fallocate, by names, by a shared mapping.
# timeout: 120
set -eu
cd "$(dirname "$0")/../.."
say() { echo "$1" >&2; exit 1; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

cat >"$dir/fill.c" <<'END'
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static char block[65536];

static void on_bus(int sig)
{
	write(1, "mapping: SIGBUS\n", 16);
	_exit(0);
}

static void fill(const char *name)
{
	int fd = open(name, O_CREAT | O_RDWR, 0600);
	ssize_t n;

	memset(block, 'f', sizeof(block));
	do
		n = write(fd, block, sizeof(block));
	while (n == sizeof(block) || n > 0);
	printf("write: %s\n", strerror(errno));
	printf("fallocate: %s\n", posix_fallocate(fd, 1L << 40, 1 << 20) ? "fails" : "succeeds");
	close(fd);
}

static void map(int fd)
{
	if (fork()) {
		wait(NULL);
		return;
	}
	signal(SIGBUS, on_bus);
	ftruncate(fd, 64 << 20);
	char *at = mmap(NULL, 64 << 20, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	for (long i = 0; i < 64 << 20; i += 4096)
		at[i] = 1;
	_exit(1);
}

static void names(void)
{
	char name[64];
	int i, fd = 0;

	for (i = 0; fd >= 0; i++) {
		snprintf(name, sizeof(name), "/tmp/name-%d", i);
		fd = open(name, O_CREAT | O_RDWR, 0600);
		if (fd >= 0)
			close(fd);
	}
	printf("names: %s\n", strerror(errno));
	while (i--) {
		snprintf(name, sizeof(name), "/tmp/name-%d", i);
		unlink(name);
	}
}

/* Another process is made, and uses memory. */
static void lives(const char *when)
{
	int status = 1;

	fflush(stdout);
	if (!fork()) {
		char *some = malloc(100000);
		memset(some, 1, 100000);
		_exit(some[5000] - 1);
	}
	wait(&status);
	printf("%s: %s\n", when, status ? "nothing goes on" : "programs go on");
}

int main(void)
{
	setbuf(stdout, NULL);
	int fd = open("/tmp/mapped", O_CREAT | O_RDWR, 0600);
	fill("/tmp/fill");
	lives("full");
	map(fd);
	names();
	lives("full of names");
	unlink("/tmp/fill");
	fd = open("/tmp/again", O_CREAT | O_RDWR, 0600);
	printf("again: %ld\n", (long)write(fd, block, sizeof(block)));
	return 0;
}
END
gcc -O2 -w -static -o "$dir/fill" "$dir/fill.c"
expected='write: No space left on device
fallocate: fails
full: programs go on
mapping: SIGBUS
names: No space left on device
full of names: programs go on
again: 65536'
got=$(./aril run --mem 64M --smp 2 --timeout 90 -- "$dir/fill") || say "status $?: $got"
[[ $got == "$expected" ]] || say "got: $got"

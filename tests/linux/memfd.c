/* SPDX-License-Identifier: MIT
 * Files without a name, their seals, and reads and writes with flags: results and errors as on the host. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "say.h"

static char b[100];

static void sealed(void)
{
	int f = memfd_create("sealed", MFD_ALLOW_SEALING);
	T(write(f, "0123456789", 10));
	T(fcntl(f, F_GET_SEALS));
	T(fcntl(f, F_ADD_SEALS, 0x100));
	T(fcntl(f, F_ADD_SEALS, F_SEAL_SHRINK));
	T(ftruncate(f, 5));
	T(ftruncate(f, 20));
	T(fcntl(f, F_ADD_SEALS, F_SEAL_GROW));
	T(ftruncate(f, 30));
	T(pwrite(f, "x", 1, 25));
	T(pwrite(f, "x", 1, 3));
	T(fallocate(f, 0, 0, 4096));
	char *m = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, f, 0);
	m[4] = 'm';
	T(fcntl(f, F_ADD_SEALS, F_SEAL_WRITE));
	munmap(m, 4096);
	T(fcntl(f, F_ADD_SEALS, F_SEAL_WRITE));
	T(pwrite(f, "x", 1, 0));
	T(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, f, 0));
	m = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, f, 0);
	m[0] = 'p';
	T(pread(f, b, 10, 0));
	printf("%.10s %.10s\n", b, m);
	T(fcntl(f, F_ADD_SEALS, F_SEAL_SEAL));
	T(fcntl(f, F_ADD_SEALS, F_SEAL_GROW));
	T(fcntl(f, F_GET_SEALS));
	close(f);
}

int main(void)
{
	struct stat st;
	struct iovec v[2] = {{"ab", 2}, {"cde", 3}}, r = {b, 100};
	T(memfd_create("x", 0x1000));
	T(memfd_create((void *)8, 0));
	int f = memfd_create("a name", MFD_CLOEXEC);
	T(fcntl(f, F_GETFD));
	T(fcntl(f, F_GET_SEALS));
	T(fcntl(f, F_ADD_SEALS, F_SEAL_WRITE));
	T(fcntl(0, F_GET_SEALS));
	T(ftruncate(f, 8192));
	fstat(f, &st);
	printf("%o %ld %ld\n", st.st_mode & S_IFMT, (long)st.st_size, (long)st.st_nlink);
	T(readlink("/proc/self/fd/3", b, sizeof(b)));
	printf("%.24s\n", b);
	char *m = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, f, 0);
	if (!fork()) {
		strcpy(m + 5000, "from the child");
		_exit(0);
	}
	wait(NULL);
	T(pread(f, b, 14, 5000));
	printf("%.14s\n", b);
	T(pwritev2(f, v, 2, 0, 0));
	T(pwritev2(f, v, 2, -1, 0));
	T(lseek(f, 0, SEEK_CUR));
	T(pwritev2(f, v, 2, 0, 0x10));
	T(lseek(f, 0, SEEK_END));
	T(pwritev2(f, v, 2, -2, 0));
	T(pwritev2(f, v, 2, 0, 1 << 30));
	T(preadv2(f, &r, 1, 0, 4));
	T(preadv2(f, &r, 1, 8190, 0));
	T(preadv2(f, &r, 1, -1, 0));
	T(preadv2(99, &r, 1, 0, 0));
	sealed();
	return 0;
}

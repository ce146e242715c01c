/* SPDX-License-Identifier: MIT
 * A family whose memory is asked back (tests/beside/lender.c): of its processes, one has most of it, and ends; the others,
 * and what they have, stay as they are; later there is memory again. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <unistd.h>

#define LARGE (36ul << 20)
#define SMALL (1ul << 20)

static unsigned char *memory(size_t bytes)
{
	unsigned char *p =
		mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		_exit(98);
	for (size_t i = 0; i < bytes; i += 512)
		p[i] = (unsigned char)(i >> 9);
	return p;
}

static int whole(const unsigned char *p, size_t bytes)
{
	for (size_t i = 0; i < bytes; i += 512)
		if (p[i] != (unsigned char)(i >> 9))
			return 0;
	return 1;
}

/* Until there is so much memory: the lender has done all that it wants. */
static void wait_for(size_t bytes)
{
	struct sysinfo info;

	for (int i = 0; i < 3000; i++) {
		sysinfo(&info);
		if (info.totalram * info.mem_unit >= bytes)
			break;
		usleep(10000);
	}
}

int main(void)
{
	int status, stop[2], ready[2];
	pid_t worker, large, sign;
	char c;

	if (pipe(stop) || pipe(ready))
		return 1;
	worker = fork();
	if (!worker) {
		unsigned char *p = memory(SMALL);
		FILE *f = fopen("/tmp/kept", "w+");

		close(stop[1]);
		fwrite(p, 1, SMALL / 2, f);
		for (long n = 0;; n++) { /* until the pipe is closed */
			unsigned char seen[4096];

			fseek(f, 0, SEEK_SET);
			for (size_t i = 0; i < SMALL / 2; i += sizeof seen)
				if (fread(seen, 1, sizeof seen, f) != sizeof seen ||
				    memcmp(seen, p + i, sizeof seen))
					_exit(97);
			if (!whole(p, SMALL))
				_exit(96);
			if (n == 20)
				_exit(read(stop[0], &c, 1) == 0 && whole(p, SMALL) ? 7 : 95);
		}
	}
	large = fork();
	if (!large) {
		unsigned char *p = memory(LARGE);

		if (write(ready[1], "", 1) != 1)
			_exit(94);
		for (;;)
			if (!whole(p, LARGE))
				_exit(97);
	}
	if (read(ready[0], &c, 1) != 1)
		return 1;
	sign = fork(); /* four of them: the lender sees that it is time */
	if (!sign)
		for (;;)
			pause();
	waitpid(large, &status, 0);
	kill(sign, SIGKILL);
	printf("pressed: the largest ended by signal %d\n",
	       WIFSIGNALED(status) ? WTERMSIG(status) : 0);
	close(stop[1]);
	waitpid(worker, &status, 0);
	printf("pressed: the other ended with %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : 0);
	wait_for(LARGE + 4 * SMALL);
	large = fork();
	if (!large)
		_exit(whole(memory(LARGE), LARGE) ? 7 : 96);
	waitpid(large, &status, 0);
	printf("pressed: memory again: %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : 0);
	return 0;
}

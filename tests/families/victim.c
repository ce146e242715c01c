/* SPDX-License-Identifier: MIT
 * The family beside the hostile one: does its work and says whether it was as it should be.
 * usage: victim MILLISECONDS: what it says is the same beside whomever, but for the last line, which counts its turns. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static unsigned char block[1 << 16];

static unsigned sum(void)
{
	unsigned s = 1;

	for (unsigned i = 0; i < sizeof block; i++)
		s = s * 31 + block[i];
	return s;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* A pipe, a process and a file: one round of each. */
static int round_trip(int n)
{
	int fd[2], status, got = -1;
	FILE *f = fopen("/tmp/round", "w+");

	fprintf(f, "%d", n);
	rewind(f);
	if (fscanf(f, "%d", &got) != 1 || got != n || pipe(fd))
		return 0;
	fclose(f);
	pid_t pid = fork();
	if (!pid)
		_exit(write(fd[1], &n, sizeof n) == sizeof n ? n & 63 : 64);
	if (pid < 0 || read(fd[0], &got, sizeof got) != sizeof got)
		return 0;
	close(fd[0]);
	close(fd[1]);
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
	       WEXITSTATUS(status) == (n & 63) && got == n;
}

int main(int argc, char **argv)
{
	double end = now() + atof(argc > 1 ? argv[1] : "100") / 1000;
	unsigned before, wrong = 0;
	unsigned long turns = 0;
	char line[64] = "";

	FILE *f = fopen("/tmp/secret", "w");
	fputs("the secret", f);
	fclose(f);
	for (unsigned i = 0; i < sizeof block; i++)
		block[i] = (unsigned char)(i * 7 >> 3);
	before = sum();
	while (now() < end) {
		for (int i = 0; i < 5; i++)
			wrong += sum() != before, turns++;
		wrong += !round_trip((int)turns);
	}
	f = fopen("/tmp/secret", "r");
	if (!f || !fgets(line, sizeof line, f) || strcmp(line, "the secret"))
		wrong++;
	printf("victim: %u wrong\n", wrong);
	printf("victim: turns %lu\n", turns);
	return wrong != 0;
}

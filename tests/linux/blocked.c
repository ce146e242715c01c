/* SPDX-License-Identifier: MIT
 * Two processes take turns while signals pend for both that they block: nothing ends a sleep, nothing is lost, and each signal is
 * taken once when it may be. What goes over a socket is read in pieces of other sizes than it was written in. Compared with the
 * host's. */
// smp: 1 2
#define _GNU_SOURCE
#include <errno.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROUNDS = 100, MOST = 256 };

static volatile sig_atomic_t seen[2];
static atomic_int *word;

static void handler(int sig)
{
	seen[sig == SIGUSR2]++;
}

/* Both are blocked, one pends for the process and one for its thread. */
static void pend(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGUSR1);
	sigaddset(set, SIGUSR2);
	sigprocmask(SIG_BLOCK, set, NULL);
	kill(getpid(), SIGUSR1);
	syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), SIGUSR2);
}

/* Bytes of a round, and in what pieces they are written; what is asked for first. */
static const struct way {
	const char *what;
	unsigned bytes, written, read;
} ways[] = {{"a byte", 1, 1, 1},
	    {"a word", 8, 8, 8},
	    {"more than there is", 8, 8, 64},
	    {"by halves", 24, 24, 12},
	    {"pieces in one", 24, 8, 24},
	    {"across two", 48, 24, 30},
	    {"beyond few", 256, 256, 100}};

static int put(int fd, const struct way *w, unsigned char tag)
{
	unsigned char data[MOST];

	memset(data, tag, w->bytes);
	for (unsigned at = 0; at < w->bytes; at += w->written)
		if (write(fd, data + at, w->written) != (long)w->written)
			return 0;
	return 1;
}

static int get(int fd, const struct way *w, unsigned char tag)
{
	unsigned char data[MOST];

	unsigned at = 0;
	/* first so much, then all that there is */
	while (at < w->bytes) {
		long n = read(fd, data + at, at ? MOST - at : w->read);

		if (n <= 0)
			return 0;
		at += (unsigned)n;
	}
	if (at > w->bytes)
		return 0;
	for (unsigned i = 0; i < w->bytes; i++)
		if (data[i] != tag)
			return 0;
	return 1;
}

static int side(int first, int in, int out, const struct way *w)
{
	for (int i = 0; i < ROUNDS; i++) {
		if (first && !put(out, w, (unsigned char)i))
			return i;
		if (!get(in, w, (unsigned char)(first ? i + 1 : i)))
			return i;
		if (!first && !put(out, w, (unsigned char)(i + 1)))
			return i;
	}
	return ROUNDS;
}

static int side_word(int first)
{
	for (int i = 0; i < ROUNDS; i++) {
		int mine = 2 * i + !first;

		while (atomic_load(word) != mine)
			if (syscall(SYS_futex, word, FUTEX_WAIT, mine - 1, 0, 0, 0) &&
			    errno != EAGAIN)
				return i;
		atomic_store(word, mine + 1);
		syscall(SYS_futex, word, FUTEX_WAKE, 1, 0, 0, 0);
	}
	return ROUNDS;
}

/* Turns of both, by the two ends or, none, by the word; what each has said of itself. */
static void turns(const char *by, const int in[2], const int out[2], const struct way *w)
{
	sigset_t set;
	int status = 0;

	seen[0] = seen[1] = 0;
	atomic_store(word, 0);
	fflush(stdout);
	pid_t child = fork();
	pend(&set);
	int rounds = in ? side(child != 0, in[!child], out[!child], w) : side_word(child != 0);
	int early = seen[0] + seen[1];
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	int right = rounds == ROUNDS && !early && seen[0] == 1 && seen[1] == 1;
	if (!child)
		_exit(right ? 0 : 1);
	waitpid(child, &status, 0);
	printf("%s, %s: %d rounds, %d early, taken %d and %d, the other %x\n", by, w->what, rounds,
	       early, (int)seen[0], (int)seen[1], (unsigned)status);
}

int main(void)
{
	struct sigaction action = {.sa_handler = handler};
	int there[2], back[2], pair[2];

	word = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	sigaction(SIGUSR1, &action, NULL);
	sigaction(SIGUSR2, &action, NULL);
	if (pipe(there) || pipe(back) || socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		return 1;
	for (unsigned i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		turns("pipes", (int[]){back[0], there[0]}, (int[]){there[1], back[1]}, &ways[i]);
		turns("a socket", (int[]){pair[0], pair[1]}, (int[]){pair[0], pair[1]}, &ways[i]);
	}
	turns("a word", NULL, NULL, &ways[0]);
	return 0;
}

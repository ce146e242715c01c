/* SPDX-License-Identifier: MIT
 * QEMU as a child process, with the guest's console and the kernel's log on descriptors 3 and 4. */
#define _GNU_SOURCE
#include "front.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

static void become_qemu(const struct qemu *q, char **argv, int channel, int log, int errors)
{
	sigset_t none;
	int null = open("/dev/null", O_RDWR), family[FAMILIES], i;

	/* In a process group of its own, so that the terminal's Ctrl-C is the guest's; and never
	 * left behind. */
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	/* Above the fixed numbers first: dup2 must not hit one that is still to be moved. */
	channel = fcntl(channel, F_DUPFD, 64);
	log = fcntl(log, F_DUPFD, 64);
	errors = fcntl(errors, F_DUPFD, 64);
	null = fcntl(null, F_DUPFD, 64);
	for (i = 0; i < q->nfamilies; i++)
		family[i] = fcntl(q->family_theirs[i], F_DUPFD, 64);
	dup2(errors, STDERR_FILENO);
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	dup2(channel, QEMU_CHANNEL_FD);
	dup2(log, QEMU_LOG_FD);
	for (i = 0; i < q->nfamilies; i++)
		dup2(family[i], QEMU_FAMILY_FD + i);
	for (i = 64; i < 64 + 4 + FAMILIES; i++)
		close(i);
	execvp(argv[0], argv);
	perror(argv[0]);
	_exit(127);
}

/* Starts argv. Returns 0, or -1 with errno and nothing started. */
int qemu_start(struct qemu *q, char **argv)
{
	int channel[2], log[2], errors[2];
	int kind = SOCK_STREAM | SOCK_CLOEXEC, i, family[2];

	if (socketpair(AF_UNIX, kind, 0, channel) || socketpair(AF_UNIX, kind, 0, log) ||
	    pipe2(errors, O_CLOEXEC))
		return -1;
	for (i = 0; i < q->nfamilies; i++) {
		if (socketpair(AF_UNIX, kind, 0, family))
			return -1;
		q->family[i] = family[0];
		q->family_theirs[i] = family[1];
		fcntl(family[0], F_SETFL, O_NONBLOCK);
	}
	q->pid = fork();
	if (q->pid < 0)
		return -1;
	if (!q->pid)
		become_qemu(q, argv, channel[1], log[1], errors[1]);
	close(log[1]);
	close(errors[1]);
	q->channel = channel[0];
	q->theirs = channel[1];
	q->log = log[0];
	q->errors = errors[0];
	fcntl(q->channel, F_SETFL, O_NONBLOCK);
	fcntl(q->log, F_SETFL, O_NONBLOCK);
	fcntl(q->errors, F_SETFL, O_NONBLOCK);
	return 0;
}

/* Lets QEMU wait where we are slower than the guest. QEMU's console device drops what its socket does
 * not take at once (hw/char/virtio-console.c throttles ports, not consoles), and QEMU makes the socket
 * non-blocking when it starts; O_NONBLOCK belongs to the open file, which we share, so we clear it as
 * soon as the guest has said its first word. */
void qemu_make_lossless(int *theirs)
{
	if (*theirs < 0)
		return;
	fcntl(*theirs, F_SETFL, fcntl(*theirs, F_GETFL) & ~O_NONBLOCK);
	close(*theirs);
	*theirs = -1;
}

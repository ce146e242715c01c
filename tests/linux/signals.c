/* SPDX-License-Identifier: MIT
 * Signals: handlers, masks, faults, children, pipes, timers; printed, and compared with the host's. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

static volatile sig_atomic_t count[65], last_code, order[8], n_order;

static void note(int sig, siginfo_t *info, void *context)
{
	(void)context;
	count[sig]++;
	last_code = info->si_code;
	if (n_order < 8)
		order[n_order++] = sig;
}

static void step_over(int sig, siginfo_t *info, void *context)
{
	ucontext_t *u = context;

	count[sig]++;
	last_code = info->si_code;
	u->uc_mcontext.gregs[REG_RIP] += 2; /* ud2 */
	u->uc_mcontext.gregs[REG_RBX] = 77;
}

static void set(int sig, void (*f)(int, siginfo_t *, void *), int flags)
{
	struct sigaction a = {.sa_sigaction = f, .sa_flags = SA_SIGINFO | flags};

	sigaction(sig, &a, 0);
}

static void masks(void)
{
	sigset_t s, old;

	set(SIGUSR1, note, 0);
	set(SIGUSR2, note, 0);
	raise(SIGUSR1);
	printf("raised %d code %d\n", count[SIGUSR1], last_code);
	sigemptyset(&s);
	sigaddset(&s, SIGUSR1);
	sigaddset(&s, SIGUSR2);
	sigprocmask(SIG_BLOCK, &s, &old);
	kill(getpid(), SIGUSR2);
	kill(getpid(), SIGUSR1);
	kill(getpid(), SIGUSR1);
	sigset_t pending;
	sigpending(&pending);
	printf("blocked %d pending %d %d\n", count[SIGUSR1], sigismember(&pending, SIGUSR1),
	       sigismember(&pending, SIGUSR2));
	n_order = 0;
	sigprocmask(SIG_SETMASK, &old, 0);
	printf("then %d %d\n", count[SIGUSR1], count[SIGUSR2]);
	set(SIGUSR1, note, SA_RESETHAND);
	raise(SIGUSR1);
	struct sigaction now;
	sigaction(SIGUSR1, 0, &now);
	printf("reset %d\n", now.sa_handler == SIG_DFL);
	printf("bad signal %d errno %d\n", kill(getpid(), 99), errno);
	printf("no process %d errno %d\n", kill(99999, 0), errno);
	printf("kill handler %d errno %d\n", sigaction(SIGKILL, &now, 0), errno);
}

static void faults(void)
{
	unsigned long rbx = 1;

	set(SIGILL, step_over, 0);
	__asm__ volatile("mov $1, %%rbx; ud2; mov %%rbx, %0" : "=r"(rbx) : : "rbx");
	printf("ud2 %d code %d rbx %lu\n", count[SIGILL], last_code, rbx);
	double x = 0.1;
	for (int i = 0; i < 3; i++) {
		raise(SIGUSR2);
		x = x * 3 + 0.5;
	}
	printf("floating point kept %.17g\n", x);
}

static int child_status(void (*body)(void))
{
	int status;
	pid_t p = fork();

	if (!p) {
		signal(SIGILL, SIG_DFL);
		body();
		_exit(42);
	}
	waitpid(p, &status, 0);
	return status & ~0x80; /* without the core flag */
}

static void segv(void)
{
	*(volatile int *)8 = 1;
}
static void kernel_address(void)
{
	*(volatile int *)0xffffffff80000000 = 1;
}
static void privileged(void)
{
	__asm__ volatile("hlt");
}
static void divide(void)
{
	volatile int zero = 0;
	volatile int one = 1;
	printf("%d", one / zero);
}
static void illegal(void)
{
	__builtin_trap();
}
static void breakpoint(void)
{
	__asm__ volatile("int3");
}
static void aborts(void)
{
	abort();
}
static void pipe_closed(void)
{
	int fd[2];
	pipe(fd);
	close(fd[0]);
	write(fd[1], "x", 1);
}

static void ends(void)
{
	printf("ends: segv %d kernel %d hlt %d divide %d ill %d int3 %d abort %d pipe %d none %d\n",
	       child_status(segv), child_status(kernel_address), child_status(privileged),
	       child_status(divide), child_status(illegal), child_status(breakpoint),
	       child_status(aborts), child_status(pipe_closed), child_status(masks) >> 8);
}

static void nothing(void)
{
}

static void children(void)
{
	int status;

	set(SIGCHLD, note, SA_RESTART);
	n_order = 0;
	count[SIGCHLD] = 0;
	int s = child_status(nothing);
	printf("SIGCHLD %d code %d status %d\n", count[SIGCHLD], last_code, s);
	pid_t p = fork();
	if (!p) {
		raise(SIGSTOP);
		_exit(3);
	}
	waitpid(p, &status, WUNTRACED);
	printf("stopped %d by %d\n", WIFSTOPPED(status), WSTOPSIG(status));
	kill(p, SIGCONT);
	waitpid(p, &status, 0);
	printf("then %d\n", WEXITSTATUS(status));
	printf("no child %d errno %d\n", waitpid(-1, &status, 0), errno);
	signal(SIGCHLD, SIG_DFL);
}

static void interrupted(void)
{
	char c;
	int fd[2];
	/* again and again: one that came before the call is no reason to wait for ever */
	struct itimerval t = {{0, 30000}, {0, 30000}}, off = {{0, 0}, {0, 0}};
	struct timespec ts = {60, 0}, rest = {0, 0};

	pipe(fd);
	set(SIGALRM, note, 0);
	setitimer(ITIMER_REAL, &t, 0);
	long r = read(fd[0], &c, 1);
	setitimer(ITIMER_REAL, &off, 0);
	printf("read %ld errno %d alarms %d\n", r, errno, count[SIGALRM] > 0);
	setitimer(ITIMER_REAL, &t, 0);
	r = nanosleep(&ts, &rest);
	setitimer(ITIMER_REAL, &off, 0);
	printf("nanosleep %ld errno %d rest %d\n", r, errno, rest.tv_sec >= 30 && rest.tv_sec < 60);
	set(SIGALRM, note, SA_RESTART);
	int before = count[SIGALRM];
	setitimer(ITIMER_REAL, &t, 0);
	if (!fork()) {
		struct timespec wait = {0, 120000000};
		nanosleep(&wait, 0);
		write(fd[1], "z", 1);
		_exit(0);
	}
	r = read(fd[0], &c, 1);
	setitimer(ITIMER_REAL, &off, 0);
	printf("restarted read %ld %c alarms %d\n", r, c, count[SIGALRM] > before);
	wait(0);
	struct pollfd p = {.fd = fd[0], .events = POLLIN};
	setitimer(ITIMER_REAL, &t, 0);
	r = poll(&p, 1, 5000);
	setitimer(ITIMER_REAL, &off, 0);
	printf("poll %ld errno %d\n", r, errno);
	sigset_t none;
	sigemptyset(&none);
	setitimer(ITIMER_REAL, &t, 0);
	r = sigsuspend(&none);
	setitimer(ITIMER_REAL, &off, 0);
	printf("sigsuspend %ld errno %d\n", r, errno);
}

static char alternate[65536];
static volatile int on_alternate;
static void where(int sig, siginfo_t *info, void *context)
{
	char here;
	(void)sig;
	(void)info;
	(void)context;
	on_alternate = &here >= alternate && &here < alternate + sizeof alternate;
}

static void stacks(void)
{
	stack_t s = {.ss_sp = alternate, .ss_size = sizeof alternate};

	sigaltstack(&s, 0);
	set(SIGUSR1, where, SA_ONSTACK);
	raise(SIGUSR1);
	printf("on the alternate stack %d\n", on_alternate);
	set(SIGUSR1, where, 0);
	raise(SIGUSR1);
	printf("not on it %d\n", on_alternate);
}

int main(void)
{
	setvbuf(stdout, 0, _IOLBF, 0);
	masks();
	faults();
	fflush(stdout);
	int fd = dup(1), null = open("/dev/null", O_WRONLY);
	fflush(stdout);
	(void)fd;
	(void)null;
	ends();
	children();
	interrupted();
	stacks();
	return 0;
}

/* SPDX-License-Identifier: MIT
 * A program that steps itself (the flag TF) over system calls of each kind, and one that jumps to where it has nothing: ExOS's
 * text is there, or nothing. How many steps there are is not compared. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "say.h"

static volatile int steps;

static void on_trap(int sig, siginfo_t *info, void *context)
{
	(void)sig, (void)info, (void)context;
	steps++;
}

/* Sites of their own: each is made three times plainly, so that it is what it will be, then in steps. */
#define SITE(name, nr)                                                               \
	static long name(long stepping, long a, long b, long c)                      \
	{                                                                            \
		long result;                                                         \
		__asm__ volatile("test %[on], %[on]\n\tjz 1f\n\t"                    \
				 "pushfq\n\torq $0x100, (%%rsp)\n\tpopfq\n"          \
				 "1: mov $" #nr ", %%eax\n\tsyscall\n\t"             \
				 "mov %%rax, %[result]\n\t"                          \
				 "pushfq\n\tandq $~0x100, (%%rsp)\n\tpopfq"          \
				 : [result] "=&r"(result), "+D"(a), "+S"(b), "+d"(c) \
				 : [on] "r"(stepping)                                \
				 : "rax", "rcx", "r11", "memory", "cc");             \
		return result;                                                       \
	}
SITE(call_getpid, 39)
SITE(call_getuid, 102)
SITE(call_read, 0)
SITE(call_write, 1)
SITE(call_lseek, 8)
SITE(call_clock, 228)
SITE(call_mkdir, 83)
SITE(call_rmdir, 84)
SITE(call_sigprocmask, 14)
SITE(call_nosys, 400)
SITE(call_yield, 24)
SITE(call_nanosleep, 35)

/* The number comes from a register. */
static long call_bare(long stepping, long nr)
{
	long result = nr;

	__asm__ volatile("test %[on], %[on]\n\tjz 1f\n\tpushfq\n\torq $0x100, (%%rsp)\n\tpopfq\n"
			 "1: nop\n\tsyscall\n\tmov %%rax, %%rbx\n\t"
			 "pushfq\n\tandq $~0x100, (%%rsp)\n\tpopfq"
			 : "+a"(result)
			 : [on] "r"(stepping)
			 : "rbx", "rcx", "r11", "memory", "cc");
	return result;
}

static void stepping(void)
{
	struct sigaction act = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO};
	struct timespec now, little = {0, 1000};
	uint64_t mask = 0;
	char byte;
	int fd[2];

	sigaction(SIGTRAP, &act, NULL);
	pipe(fd);
	for (long i = 0; i < 6; i++) {
		long on = i >= 3;
		steps = 0;
		printf("getpid %d\n", call_getpid(on, 0, 0, 0) == getpid());
		printf("getuid %ld\n", call_getuid(on, 0, 0, 0));
		printf("write %ld\n", call_write(on, fd[1], (long)"x", 1));
		printf("read %ld\n", call_read(on, fd[0], (long)&byte, 1));
		printf("read %ld\n", call_read(on, -1, (long)&byte, 1));
		printf("lseek %ld\n", call_lseek(on, fd[0], 0, 0));
		printf("clock %ld\n", call_clock(on, CLOCK_MONOTONIC, (long)&now, 0));
		printf("clock %ld\n", call_clock(on, CLOCK_MONOTONIC, 8, 0));
		printf("mkdir %ld\n", call_mkdir(on, (long)"stepped", 0700, 0));
		printf("rmdir %ld\n", call_rmdir(on, (long)"stepped", 0, 0));
		printf("sigprocmask %ld\n", call_sigprocmask(on, SIG_BLOCK, (long)&mask, 0));
		printf("nosys %ld\n", call_nosys(on, 0, 0, 0));
		printf("yield %ld\n", call_yield(on, 0, 0, 0));
		printf("nanosleep %ld\n", call_nanosleep(on, (long)&little, 0, 0));
		printf("bare %d\n", call_bare(on, SYS_getppid) == getppid());
		printf("bare %d\n", call_bare(on, SYS_getpid) == getpid());
		printf("steps: %s\n", !steps ? "none" : steps >= 16 ? "some" : "few");
	}
}

static void jump(uint64_t to)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		((void (*)(void))to)();
		_exit(0);
	}
	waitpid(pid, &status, 0);
	printf("%lx: %s\n", to, WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "returns");
}

static void stack_at(uint64_t to, int how)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		if (how)
			__asm__ volatile(
				"mov %0, %%rsp\n\tmov $39, %%eax\n\tsyscall\n\tpush %%rax" ::"r"(to)
				: "memory");
		else
			__asm__ volatile("mov %0, %%rsp\n\tpush %%rax" ::"r"(to) : "memory");
		_exit(0);
	}
	waitpid(pid, &status, 0);
	printf("stack at %lx: %s\n", to,
	       WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "returns");
}

int main(void)
{
	char dir[] = "/tmp/stray.XXXXXX";

	setbuf(stdout, NULL);
	alarm(50);
	chdir(mkdtemp(dir));
	stepping();
	jump(0);
	jump(0x7f7000000000);
	jump(0x7f0070000000);
	jump(0x7effffffff00);
	jump(0x7d0000000000);
	jump(0x7c7000000000);
	jump(0x800000000000);
	jump(0xffffffff80000000);
	for (int how = 0; how < 2; how++) {
		stack_at(8, how);
		stack_at(0x7f7000000000, how);
		stack_at(0x800000000000, how);
		stack_at(0xffffffff80000000, how);
		stack_at(0xffff800000000008, how);
	}
	rmdir(dir);
	return 0;
}

/* SPDX-License-Identifier: MIT
 * What a handler finds in its frame, what its changes there do, and frames and stacks that are none. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ucontext.h>
#include <sys/wait.h>
#include <unistd.h>

typedef uint64_t u64;

static void set(int sig, void (*f)(int, siginfo_t *, void *), int flags)
{
	struct sigaction a = {.sa_sigaction = f, .sa_flags = SA_SIGINFO | flags};

	sigaction(sig, &a, 0);
}

static struct _fpstate *vectors_of(void *context)
{
	return (struct _fpstate *)((ucontext_t *)context)->uc_mcontext.fpregs;
}

/* --- registers: all in, all out, and what the handler wrote into them */

static u64 in[16], seen[16];
__attribute__((used)) volatile u64 out[16]; /* written by its name */
static unsigned int handler_mxcsr;
static unsigned short handler_x87;

static void on_registers(int sig, siginfo_t *info, void *context)
{
	static const int order[16] = {REG_RAX, REG_RBX, REG_RCX, REG_RDX, REG_RSI,
				      REG_RDI, REG_RBP, REG_R8,	 REG_R9,  REG_R10,
				      REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};
	ucontext_t *u = context;

	(void)sig, (void)info;
	__asm__ volatile("stmxcsr %0; fnstcw %1" : "=m"(handler_mxcsr), "=m"(handler_x87));
	for (int i = 0; i < 15; i++)
		seen[i] = (u64)u->uc_mcontext.gregs[order[i]];
	u->uc_mcontext.gregs[REG_R12] = 1212;
	u->uc_mcontext.gregs[REG_RCX] = 33;
	u->uc_mcontext.gregs[REG_RIP] += 2;
	memset(&vectors_of(context)->_xmm[3], 0x11, 16);
	__asm__ volatile("vzeroall" ::: "xmm5");
}

static void registers(void)
{
	static u64 wide[4] = {1, 2, 3, 4}, back[4], low[2];
	unsigned int mxcsr = 0x1f80 | 0x6000, mxcsr_back = 0;
	unsigned short x87 = 0x27f, x87_back = 0;
	u64 zone = 0;

	for (int i = 0; i < 15; i++)
		in[i] = 0x1000 + (u64)i;
	set(SIGILL, on_registers, 0);
	__asm__ volatile("ldmxcsr %0; fldcw %1" ::"m"(mxcsr), "m"(x87));
	__asm__ volatile(
		"push %%rbp; push %%rbx; lea %[in],%%rax; mov $0x5a5a5a5a,%%ebx; mov "
		"%%rbx,-120(%%rsp)\n"
		"vmovdqu %[wide],%%ymm5; vmovdqu %[wide],%%ymm3\n"
		"mov 8(%%rax),%%rbx; mov 16(%%rax),%%rcx; mov 24(%%rax),%%rdx; mov "
		"32(%%rax),%%rsi\n"
		"mov 40(%%rax),%%rdi; mov 48(%%rax),%%rbp; mov 56(%%rax),%%r8; mov 64(%%rax),%%r9\n"
		"mov 72(%%rax),%%r10; mov 80(%%rax),%%r11; mov 88(%%rax),%%r12; mov "
		"96(%%rax),%%r13\n"
		"mov 104(%%rax),%%r14; mov 112(%%rax),%%r15; mov (%%rax),%%rax; ud2\n"
		"mov %%rax,out; lea out,%%rax; mov %%rbx,8(%%rax); mov %%rcx,16(%%rax); mov "
		"%%rdx,24(%%rax)\n"
		"mov %%rsi,32(%%rax); mov %%rdi,40(%%rax); mov %%rbp,48(%%rax); mov "
		"%%r8,56(%%rax)\n"
		"mov %%r9,64(%%rax); mov %%r10,72(%%rax); mov %%r11,80(%%rax); mov "
		"%%r12,88(%%rax)\n"
		"mov %%r13,96(%%rax); mov %%r14,104(%%rax); mov %%r15,112(%%rax)\n"
		"mov -120(%%rsp),%%rcx; vmovdqu %%ymm5,%[back]; vmovdqu %%xmm3,%[low]; pop %%rbx; "
		"pop %%rbp\n"
		"mov %%rcx,%[zone]"
		: [back] "=m"(back), [low] "=m"(low), [zone] "=m"(zone)
		: [in] "m"(in), [wide] "m"(wide)
		: "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14",
		  "r15", "xmm3", "xmm5", "memory", "cc");
	__asm__ volatile("stmxcsr %0; fnstcw %1" : "=m"(mxcsr_back), "=m"(x87_back));
	int same = 0, kept = 0;

	for (int i = 0; i < 15; i++) {
		same += seen[i] == in[i];
		kept += out[i] == in[i];
	}
	printf("registers seen %d, kept %d, r12 %lu, rcx %lu, red zone %lx\n", same, kept,
	       (unsigned long)out[11], (unsigned long)out[2], (unsigned long)zone);
	printf("vectors kept %d, changed %lx %lx; in the handler mxcsr %x x87 %x, behind it %x "
	       "%x\n",
	       !memcmp(wide, back, sizeof wide), (unsigned long)low[0], (unsigned long)low[1],
	       handler_mxcsr & 0xffc0, handler_x87, mxcsr_back & 0xffc0, x87_back);
}

/* --- frames that are none, each in a child */

static int how;

static void on_bad(int sig, siginfo_t *info, void *context)
{
	ucontext_t *u = context;
	struct _fpstate *v = vectors_of(context);
	u64 *header = (u64 *)((char *)v + 512);

	(void)sig, (void)info;
	u->uc_mcontext.gregs[REG_RIP] += 2;
	switch (how) {
	case 1:
		header[0] = ~0ul;
		break;
	case 2:
		header[1] = 1;
		break;
	case 3:
		u->uc_mcontext.gregs[REG_RIP] = 0x8000000000000000;
		break;
	case 4:
		u->uc_mcontext.fpregs = (void *)((char *)v + 8);
		break;
	case 5:
		u->uc_mcontext.fpregs = (void *)8;
		break;
	case 6:
		u->uc_mcontext.fpregs = NULL;
		break;
	case 7:
		*(unsigned int *)((char *)v + 464) = 0; /* the FXSAVE area alone */
		break;
	case 8:
		v->mxcsr = 0x5f80;
		break;
	}
}

static int bad(int which)
{
	static u64 wide[4] = {1, 2, 3, 4}, back[4];
	int status;
	pid_t child = fork();

	if (!child) {
		how = which;
		set(SIGILL, on_bad, 0);
		__asm__ volatile("vmovdqu %1,%%ymm5; ud2; vmovdqu %%ymm5,%0"
				 : "=m"(back)
				 : "m"(wide)
				 : "xmm5");
		_exit((int)(back[0] + back[1] * 4 + back[2] * 16 + back[3] * 64) & 127);
	}
	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* --- stacks */

static char other[65536];
static sigjmp_buf back_to;
static volatile int depth, deepest, raised;

static void on_other(int sig, siginfo_t *info, void *context)
{
	const ucontext_t *u = context;
	char here;

	printf("signal %d code %d on the other stack %d, flags %x, its own: %d %zu\n", sig,
	       info->si_code, &here >= other && &here < other + sizeof other,
	       (unsigned)(u->uc_flags & 7), u->uc_stack.ss_flags, u->uc_stack.ss_size);
	siglongjmp(back_to, 1);
}

static void on_nest(int sig)
{
	deepest = ++depth > deepest ? depth : deepest;
	if (raised++ < 4)
		raise(sig);
	depth--;
}

static void ends(int sig)
{
	_exit(sig);
}

/* On the other stack's last bytes: there is no room for the frame of a handler that asked for no stack. */
static void on_last(int sig)
{
	__asm__ volatile("mov %0,%%rsp; mov %1,%%edi; mov %2,%%esi; mov $62,%%eax; syscall" ::"r"(
				 other + 32768 + 256),
			 "r"(getpid()), "i"(SIGUSR2)
			 : "rdi", "rsi", "rax", "rcx", "r11", "memory");
}

static void overflow(void)
{
	stack_t s = {.ss_sp = other + 32768, .ss_size = 32768};
	struct sigaction last = {.sa_handler = on_last, .sa_flags = SA_ONSTACK};
	int status;
	pid_t child = fork();

	if (!child) {
		sigaltstack(&s, 0);
		sigaction(SIGUSR1, &last, 0);
		signal(SIGUSR2, ends);
		raise(SIGUSR1);
	}
	waitpid(child, &status, 0);
	printf("below the other stack: %d %d\n", WTERMSIG(status), WEXITSTATUS(status));
}

static void stacks(void)
{
	stack_t s = {.ss_sp = other, .ss_size = sizeof other};
	struct sigaction nest = {.sa_handler = on_nest, .sa_flags = SA_NODEFER};
	sigset_t mask;
	int status;
	pid_t child = fork();

	if (!child) { /* nowhere to put a frame, and no handler for that */
		set(SIGUSR1, on_bad, 0);
		__asm__ volatile(
			"mov $8192,%%esp; mov %0,%%edi; mov %1,%%esi; mov $62,%%eax; syscall" ::"r"(
				getpid()),
			"i"(SIGUSR1)
			: "rdi", "rsi", "rax", "rcx", "r11", "memory");
	}
	waitpid(child, &status, 0);
	printf("without a stack: %d\n", WTERMSIG(status));
	sigaltstack(&s, 0);
	set(SIGSEGV, on_other, SA_ONSTACK);
	if (!sigsetjmp(back_to, 1))
		__asm__ volatile("mov %%rsp,%%rbx; mov $8192,%%esp; push %%rax" ::
					 : "rbx", "memory");
	sigprocmask(SIG_SETMASK, 0, &mask);
	printf("blocked behind the jump: %d\n", sigismember(&mask, SIGSEGV));
	if (!sigsetjmp(back_to, 1))
		*(volatile char *)16 = 1;
	sigaltstack(0, &s);
	printf("the stack: %x %zu\n", s.ss_flags, s.ss_size);
	sigaction(SIGUSR2, &nest, 0);
	raise(SIGUSR2);
	nest.sa_flags = 0;
	int with = deepest;
	deepest = raised = 0;
	sigaction(SIGUSR2, &nest, 0);
	raise(SIGUSR2);
	printf("nested %d, and %d where it is deferred\n", with, deepest);
}

/* --- what faults say */

static void on_fault(int sig, siginfo_t *info, void *context)
{
	const ucontext_t *u = context;

	printf("signal %d code %d address %lx error %llx trap %llu\n", sig, info->si_code,
	       info->si_code > 0 ? (unsigned long)info->si_addr & 0xfff : 0,
	       u->uc_mcontext.gregs[REG_ERR], u->uc_mcontext.gregs[REG_TRAPNO]);
	siglongjmp(back_to, 1);
}

static void faults(void)
{
	char *page = mmap(0, 12288, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	volatile int zero = 0;

	page[0] = (char)0xc3;
	page[4096] = 1;
	mprotect(page, 8192, PROT_READ);
	munmap(page + 8192, 4096);
	set(SIGSEGV, on_fault, 0);
	set(SIGFPE, on_fault, 0);
	set(SIGTRAP, on_fault, 0);
	set(SIGILL, on_fault, 0);
	if (!sigsetjmp(back_to, 1))
		page[4096 + 5] = 1;
	if (!sigsetjmp(back_to, 1))
		page[8192 + 6] = 1;
	if (!sigsetjmp(back_to, 1))
		printf("%d", page[8192 + 7]);
	if (!sigsetjmp(back_to, 1))
		((void (*)(void))page)();
	if (!sigsetjmp(back_to, 1))
		printf("%d", *(volatile char *)0x8000000000000123);
	if (!sigsetjmp(back_to, 1))
		printf("%d", 1 / zero);
	if (!sigsetjmp(back_to, 1))
		__asm__ volatile("int3");
	if (!sigsetjmp(back_to, 1))
		__asm__ volatile("hlt");
	union sigval value = {.sival_int = 77};
	if (!sigsetjmp(back_to, 1))
		sigqueue(getpid(), SIGFPE, value);
}

int main(void)
{
	setvbuf(stdout, 0, _IOLBF, 0);
	registers();
	printf("frames:");
	for (int i = 0; i <= 8; i++)
		printf(" %d", bad(i));
	printf("\n");
	fflush(stdout);
	stacks();
	overflow();
	faults();
	return 0;
}

/* SPDX-License-Identifier: MIT
 * Hazard 1 of rewriting: the 128 bytes below rsp are the program's across a system call; and rsp itself may be
 * anything at all. */
#include <stdio.h>
#include <string.h>

static unsigned char kept[128], fill;
static long odd_result, now[2], stack;

/* Fills the red zone, calls at one site, copies the red zone out; then the same site with rsp pointing nowhere: `syscall` uses no
 * stack. */
#define TRY(call)                                                                              \
	for (int odd = 0; odd < 2; odd++) {                                                    \
		__asm__ volatile("lea -128(%%rsp), %%rdi\n mov %1, %%al\n mov $128, %%ecx\n "  \
				 "rep stosb\n mov %%rsp, %3\n test %4, %4\n je 1f\n"           \
				 "mov $8, %%esp\n 1:\n" call "mov %3, %%rsp\n mov %%rax, %2\n" \
				 "lea -128(%%rsp), %%rsi\n lea %0, %%rdi\n mov $128, %%ecx\n " \
				 "rep movsb\n"                                                 \
				 : "=m"(kept)                                                  \
				 : "m"(fill), "m"(odd_result), "m"(stack), "r"(odd), "m"(now)  \
				 : "rax", "rcx", "rdi", "rsi", "r11", "memory", "cc");         \
		memset(expected, fill, 128);                                                   \
		wrong += memcmp(kept, expected, 128) != 0 || odd_result < 0;                   \
	}

int main(void)
{
	unsigned char expected[128];
	int wrong = 0;

	for (int round = 0; round < 5; round++) {
		fill = (unsigned char)(round + 1);
		TRY("mov $110, %%eax\n syscall\n");		       /* getppid */
		TRY("xor %%edi, %%edi\n mov $121, %%eax\n syscall\n"); /* getpgid */
		TRY("mov $24, %%eax\n syscall\n");		       /* sched_yield */
		TRY("mov $1, %%edi\n lea %5, %%rsi\n mov $228, %%eax\n syscall\n"); /* clock_gettime */
		TRY("xor %%eax, %%eax\n mov $39, %%al\n syscall\n cmp $-4095, %%rax\n"); /* getpid */
		TRY("xor %%edi, %%edi\n xor %%eax, %%eax\n mov $121, %%al\n syscall\n"
		    "cmp $-4095, %%rax\n");
	}
	/* every register but rax, rcx, r11 survives, and the flags */
	unsigned long regs[12], flags_before, flags_after;
	for (int round = 0; round < 3; round++) {
		__asm__ volatile("mov $1, %%rbx\n mov $2, %%rdx\n mov $3, %%rsi\n mov $4, %%rdi\n "
				 "mov $5, %%r8\n mov $6, %%r9\n"
				 "mov $7, %%r10\n mov $8, %%r12\n mov $9, %%r13\n mov $10, %%r14\n "
				 "mov $11, %%r15\n"
				 "stc\n pushfq\n pop %2\n"
				 "mov $39, %%eax\n syscall\n"
				 "pushfq\n pop %1\n"
				 "mov %%rbx, 0+%0\n mov %%rdx, 8+%0\n mov %%rsi, 16+%0\n mov "
				 "%%rdi, 24+%0\n mov %%r8, 32+%0\n"
				 "mov %%r9, 40+%0\n mov %%r10, 48+%0\n mov %%r12, 56+%0\n mov "
				 "%%r13, 64+%0\n mov %%r14, 72+%0\n"
				 "mov %%r15, 80+%0\n"
				 : "=o"(regs), "=m"(flags_after), "=m"(flags_before)
				 :
				 : "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10",
				   "r11", "r12", "r13", "r14", "r15", "memory", "cc");
		for (unsigned long i = 0; i < 11; i++)
			wrong += regs[i] != i + 1;
		wrong += (flags_before & 0xcd5) != (flags_after & 0xcd5);
	}
	printf("wrong %d\n", wrong);
	return wrong;
}

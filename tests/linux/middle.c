/* SPDX-License-Identifier: MIT
 * Hazard 2 of rewriting: a jump to the `syscall` itself, behind the rewritten mov, still works; and bytes that look
 * like a site but are not one stay as they are. */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int main(void)
{
	/* mov $39,%eax; syscall; ret   with a second entry at the syscall */
	static const unsigned char code[] = {0xb8, 39, 0, 0, 0, 0x0f, 0x05, 0xc3};
	/* mov $39,%r8d; syscall; mov %r8,%rax; ret: the five bytes before the syscall look like mov $39,%eax */
	static const unsigned char other[] = {0x41, 0xb8, 39,	0,    0,    0,
					      0x0f, 0x05, 0x4c, 0x89, 0xc0, 0xc3};
	/* lea 39(%rax) with a 32-bit displacement, into edi; syscall; mov %edi,%eax; ret */
	static const unsigned char lea[] = {0x8d, 0xb8, 39, 0, 0, 0, 0x0f, 0x05, 0x89, 0xf8, 0xc3};
	unsigned char *p = mmap(0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int wrong = 0;
	long r;

	p += 32; /* what stands before a site must be readable */
	memcpy(p, code, sizeof code);
	memcpy(p + 64, other, sizeof other);
	memcpy(p + 128, lea, sizeof lea);
	for (int round = 0; round < 5; round++) {
		__asm__ volatile("call *%1" : "=a"(r) : "r"(p) : "rcx", "r11", "memory");
		wrong += r != getpid();
		__asm__ volatile("call *%1"
				 : "=a"(r)
				 : "r"(p + 5), "0"(110L)
				 : "rcx", "r11", "memory");
		wrong += r != getppid();
		__asm__ volatile("mov $7, %%r8d; call *%1"
				 : "=a"(r)
				 : "r"(p + 64), "0"(39L)
				 : "rcx", "r8", "r11", "memory");
		wrong += r != 39;
		__asm__ volatile("call *%1"
				 : "=a"(r)
				 : "r"(p + 128), "0"(39L)
				 : "rcx", "rdi", "r11", "memory");
		wrong += r != 78;
	}
	/* a site at the very start of a page, its mov on the page before */
	unsigned char *q = mmap(0, 8192, PROT_READ | PROT_WRITE | PROT_EXEC,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (int split = 1; split < 8; split++) {
		memcpy(q + 4096 - split, code, sizeof code);
		for (int round = 0; round < 3; round++) {
			__asm__ volatile("call *%1"
					 : "=a"(r)
					 : "r"(q + 4096 - split)
					 : "rcx", "r11", "memory");
			wrong += r != getpid();
		}
	}
	/* after fork both go on with rewritten code, and new code in an old place is not taken for the old */
	memcpy(p, (unsigned char[]){0xb8, 110, 0, 0, 0, 0x0f, 0x05, 0xc3}, 8);
	__asm__ volatile("call *%1" : "=a"(r) : "r"(p) : "rcx", "r11", "memory");
	wrong += r != getppid();
	printf("wrong %d\n", wrong);
	return wrong;
}

/* SPDX-License-Identifier: MIT
 * Hazard 2 of rewriting: a jump to the `syscall` itself, behind the rewritten mov, still works, and one to the instruction behind a
 * `syscall` that was replaced together with it, or before it; and bytes that look like a site but are not one stay as they are. */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static long at(const unsigned char *code, long rax, long rdi, long rsi)
{
	long r;

	/* beyond what the compiler keeps below rsp */
	__asm__ volatile("lea -128(%%rsp), %%rsp; call *%1; lea 128(%%rsp), %%rsp"
			 : "=a"(r)
			 : "r"(code), "0"(rax), "D"(rdi), "S"(rsi)
			 : "rcx", "rdx", "r8", "r11", "memory");
	return r;
}

/* The number comes from elsewhere; behind the syscall stands what can be moved, or not. Each is entered at its syscall and at the
 * instruction behind it, before and after, at all places that a page has. */
static int bare(void)
{
	static const struct {
		unsigned char bytes[12];
		long direct; /* what comes of rax = 100, entered behind the syscall; of a pid: pid + pid_plus, or pid_is */
		long pid_plus;
		long behind; /* of rax = 100, entered at the fifth byte, which a short jump leaves as it is; 0: not tried */
	} codes[] = {
		{{0x0f, 0x05, 0x48, 0x83, 0xc0, 0x07, 0xc3}, 107, 7}, /* add $7,%rax; ret */
		{{0x0f, 0x05, 0x48, 0x05, 1, 0, 0, 0, 0xc3}, 101, 1}, /* add $1,%rax: not known */
		{{0x0f, 0x05, 0x83, 0xc0, 0x03, 0xc3}, 103, 3},	      /* add $3,%eax */
		{{0x0f, 0x05, 0x48, 0x3d, 1, 0xf0, 0xff, 0xff, 0xc3}, 100, 0}, /* cmp */
		{{0x0f, 0x05, 0x49, 0x89, 0xc0, 0x4c, 0x89, 0xc0, 0xc3},
		 100,
		 0},							    /* to r8 and back */
		{{0x0f, 0x05, 0x48, 0x81, 0xc0, 9, 0, 0, 0, 0xc3}, 109, 9}, /* add $9 */
		{{0x0f, 0x05, 0xba, 5, 0, 0, 0, 0x01, 0xd0, 0xc3}, 105, 5}, /* mov $5,%edx; add */
		{{0x0f, 0x05, 0xc3}, 100, 0},				    /* ret: too short */
		{{0x0f, 0x05, 0x85, 0xc0, 0xc3}, 100, 0},		    /* test: too short */
		{{0x0f, 0x05, 0x48, 0xff, 0xc0, 0xc3}, 101, 1},		    /* inc: not known */
		{{0x0f, 0x05, 0xeb, 0x00, 0xc3}, 100, 0, 100},	     /* jmp to the ret behind it */
		{{0x0f, 0x05, 0xeb, 0x01, 0x90, 0xc3}, 100, 0, 100}, /* over a nop */
		{{0x0f, 0x05, 0xeb, 0x03, 0x83, 0xc0, 0x07, 0xc3}, 100, 0, 107}, /* over an add */
		{{0x0f, 0x05, 0xeb, 0x05, 0x05, 7, 0, 0, 0, 0xc3},
		 100,
		 0,
		 107}, /* above all memory */
	};
	unsigned char *p = mmap(0, 2 * 65536, PROT_READ | PROT_WRITE | PROT_EXEC,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int wrong = 0, n = sizeof codes / sizeof *codes;

	for (int i = 0; i < 2 * 65536 - 16; i += 211) {
		int which = i / 211 % n;

		memcpy(p + i, codes[which].bytes, sizeof codes->bytes);
		for (int round = 0; round < 3; round++) {
			wrong += at(p + i, 39, 0, 0) != getpid() + codes[which].pid_plus;
			wrong += at(p + i, 110, 0, 0) != getppid() + codes[which].pid_plus;
			wrong += at(p + i, 3, -1, 0) != -9 + codes[which].pid_plus; /* close */
			wrong += at(p + i + 2, 100, 0, 0) != codes[which].direct;
			if (codes[which].behind)
				wrong += at(p + i + 4, 100, 0, 0) != codes[which].behind;
		}
	}
	return wrong;
}

/* Instructions between the number's mov and the syscall, which may be moved: entered at each of them, before and after. */
static int between(void)
{
	/* mov $95,%eax (umask); lea 1(%rdi),%rdi; syscall; ret */
	static const unsigned char twice[] = {0xb8, 95,	  0, 0,	   0,	 0x48,
					      0x8d, 0x7f, 1, 0x0f, 0x05, 0xc3};
	/* mov $21,%eax (access); xor %esi,%esi; lea 3(%rip),%rdi; syscall; ret; "/" */
	static const unsigned char path[] = {0xb8, 21, 0, 0, 0,	   0x31, 0xf6, 0x48, 0x8d, 0x3d,
					     3,	   0,  0, 0, 0x0f, 0x05, 0xc3, '/',  0};
	/* mov $39,%eax; lea 71(%rax),%eax; syscall; ret: not what the mov says */
	static const unsigned char other[] = {0xb8, 39, 0, 0, 0, 0x8d, 0x40, 71, 0x0f, 0x05, 0xc3};
	/* mov $39,%eax; movl $39,-72(%rsp); lea 1(%rdi),%rdi; syscall; mov -72(%rsp),%eax; movl $0,-72(%rsp); ret: what looks like the
	 * mov is the end of another instruction */
	static const unsigned char like[] = {0xb8, 39,	 0,    0,    0,	   0xc7, 0x44, 0x24,
					     0xb8, 39,	 0,    0,    0,	   0x48, 0x8d, 0x7f,
					     1,	   0x0f, 0x05, 0x8b, 0x44, 0x24, 0xb8, 0xc7,
					     0x44, 0x24, 0xb8, 0,    0,	   0,	 0,    0xc3};
	unsigned char *p = mmap(0, 4 * 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int wrong = 0, mask = umask(0);

	for (int i = 64; i < 4 * 4096 - 256; i += 507) {
		memcpy(p + i, twice, sizeof twice);
		memcpy(p + i + 64, path, sizeof path);
		memcpy(p + i + 128, other, sizeof other);
		memcpy(p + i + 192, like, sizeof like);
		for (int round = 0; round < 3; round++) {
			umask(0);
			wrong += at(p + i, 0, 7, 0) != 0;
			wrong += at(p + i + 5, 95, 15, 0) != 8;
			wrong += at(p + i + 9, 95, 31, 0) != 16;
			wrong += umask(0) != 31;
			wrong += at(p + i + 64, 0, 0, 7) != 0;
			wrong += at(p + i + 64 + 5, 21, 0, 7) != 0;
			wrong += at(p + i + 64 + 7, 21, 0, 0) != 0;
			wrong += at(p + i + 128, 0, 0, 0) != getppid();
			wrong += at(p + i + 192, 0, 41, 0) != 39;
		}
	}
	umask((mode_t)mask);
	return wrong;
}

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
	wrong += bare();
	wrong += between();
	printf("wrong %d\n", wrong);
	return wrong;
}

/* SPDX-License-Identifier: MIT
 * The most memory that a process had, after it gave it back: by getrusage, of itself and its children, and by wait4; through exec, too. And
 * READ_IMPLIES_EXEC, which makes what can be read run, until the next program. */
#include "say.h"
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096

static void use(size_t bytes)
{
	char *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	for (size_t at = 0; at < bytes; at += PAGE)
		p[at] = 1;
	munmap(p, bytes);
}

/* In MiB used beside what there is anyway, which is less than one. */
static void say(const char *who, long kib)
{
	printf("%s: %s\n", who,
	       kib >= 8 << 10 && kib < 12 << 10 ? "8 MiB"
	       : kib < 8 << 10			? "less"
						: "more");
	fflush(stdout);
}

static long self(int who)
{
	struct rusage r;

	if (getrusage(who, &r))
		perror("getrusage");
	return r.ru_maxrss;
}

/* Whether code runs in a page that was mapped, or protected, without saying so. */
static void runs(int by_mprotect)
{
	static const unsigned char code[] = {0xb8, 42, 0, 0, 0, 0xc3}; /* mov $42,%eax; ret */
	int status;

	fflush(stdout);
	if (!fork()) {
		int (*f)(void);
		void *page = mmap(NULL, PAGE, by_mprotect ? PROT_WRITE : PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		memcpy(page, code, sizeof(code));
		if (by_mprotect && mprotect(page, PAGE, PROT_READ))
			perror("mprotect");
		memcpy(&f, &page, sizeof(f));
		_exit(f());
	}
	wait(&status);
	printf("code runs: %x\n", status);
}

int main(int argc, char **argv)
{
	struct rusage r;
	int status;

	if (argc > 1) {
		printf("personality %x\n", personality(0xffffffff));
		runs(0);
		runs(1);
		say("after exec", self(RUSAGE_SELF));
		return 0;
	}
	say("at first", self(RUSAGE_CHILDREN));
	for (int i = 0; i < 2; i++) {
		if (!fork()) {
			use(i ? 1 << 20 : 8 << 20);
			_exit(0);
		}
		wait4(-1, &status, 0, &r);
		say("child", r.ru_maxrss);
		say("children", self(RUSAGE_CHILDREN));
	}
	if (fork()) { /* what went before it counts for this one, as it was started by exec */
		wait(&status);
		return status != 0;
	}
	say("self", self(RUSAGE_SELF));
	use(8 << 20);
	say("self", self(RUSAGE_SELF));
	runs(0);
	printf("personality %x\n", personality(READ_IMPLIES_EXEC));
	runs(0);
	runs(1);
	fflush(stdout);
	execl("/proc/self/exe", argv[0], "again", NULL);
	return 1;
}

// SPDX-License-Identifier: MIT
// Exceptions: to a handler of the program's own, which is the env's entry itself, and back without the kernel.
#include "bench.h"

#define PAGES 100
#define LOOPS 16

#define TEXT2(x) #x
#define TEXT(x) TEXT2(x)

/* The handlers are entered as the kernel enters them: rsp at the save area, all else as it was, all masked. They
 * leave END and EVENT masked, as they found them. */
void handler_skip(void), handler_once(void), handler_appel(void), handler_page(void),
	handler_syscall(void);
extern u64 handler_at, skip_bytes, other_va;
u64 handler_at, skip_bytes, other_va;
extern u32 handler_auth, handler_root;
u32 handler_auth, handler_root;

/* clang-format off */
#define RESUME \
	"rdgsbase %rax\n\t" \
	"movl $" TEXT(ARIL_MASK_ASYNC) ", (%rax)\n\t" \
	"popq %rax\n\t" \
	"addq $" TEXT(ARIL_SAVE_RIP) ", %rsp\n\t" \
	"iretq\n"
/* Keeps the program's registers, as any handler that resumes must: those that a kernel call loses, and its own. */
#define KEEP "pushq %rdi; pushq %rsi; pushq %rdx; pushq %rcx; pushq %r8; pushq %r9; pushq %r10; pushq %r11\n\t"
#define GIVE_BACK "popq %r11; popq %r10; popq %r9; popq %r8; popq %rcx; popq %rdx; popq %rsi; popq %rdi\n\t"
#define FAULT_VA "72+" TEXT(ARIL_SAVE_ADDR) "(%rsp)"
/* The page at rdx; r10d: what it may. */
#define PAGE_PROTECT(flags) \
	"movl handler_auth(%rip), %edi\n\t" \
	"movl handler_root(%rip), %esi\n\t" \
	"movl $" TEXT(flags) ", %r10d\n\t" \
	"movl $" TEXT(ARIL_CALL_PAGE_PROTECT) ", %eax\n\t" \
	"syscall\n\t"

__asm__(".text\n"
	/* notes the time, steps over the instruction */
	"handler_once:\n\tpushq %rax\n\tpushq %rdx\n\trdtsc\n\tmovl %eax, handler_at(%rip)\n\tpopq %rdx\n\t"
	"movq skip_bytes(%rip), %rax\n\taddq %rax, 8+" TEXT(ARIL_SAVE_RIP) "(%rsp)\n\t" RESUME
	/* steps over the instruction */
	"handler_skip:\n\taddq $2, " TEXT(ARIL_SAVE_RIP) "(%rsp)\n\tpushq %rax\n\t" RESUME
	/* answers a foreign system call with 0 */
	"handler_syscall:\n\txorl %ecx, %ecx\n\tpushq %rcx\n\t" RESUME
	/* makes the page writable, tries again */
	"handler_page:\n\tpushq %rax\n\t" KEEP
	"movq " FAULT_VA ", %rdx\n\t" PAGE_PROTECT(0x802) GIVE_BACK RESUME
	/* the same, and protects the page that was writable before */
	"handler_appel:\n\tpushq %rax\n\t" KEEP
	"movq " FAULT_VA ", %rdx\n\t" PAGE_PROTECT(0x802)
	"movq " FAULT_VA ", %rdx\n\txchgq %rdx, other_va(%rip)\n\t" PAGE_PROTECT(0x800) GIVE_BACK RESUME);
_Static_assert((ARIL_PAGE_WRITE | ARIL_PAGE_MAY_WRITE) == 0x802, "the handlers");
/* clang-format on */

static u64 va;
static u32 first;
static u32 order[PAGES];

static s64 protect(u64 at, u32 count, u32 flags)
{
	struct aril_space_op op = {.va = at,
				   .count = count,
				   .kind = ARIL_PROTECT,
				   .flags = (u16)(flags | ARIL_BIND_MAY_WRITE),
				   .auth = core_auth};

	return aril_space_update(core_auth, core_self.root, &op, 1);
}

static void enter_at(void (*handler)(void))
{
	aril_env_entry((u64)handler, 0);
}

/* A store of two bytes of code, from one read of the counter to what the handler read first. Of the difference,
 * 4 are the instrument's: the move of the first reading, two pushes, the second read. */
static u32 fault_once(u64 at)
{
	u32 began;

	__asm__ volatile("rdtsc\n\tmovl %%eax, %0\n\tmovb %%cl, (%2)"
			 : "=&b"(began)
			 : "c"(1), "D"(at)
			 : "rax", "rdx", "memory");
	return (u32)handler_at - began - 4;
}

static s64 fault_to_handler(u64 n)
{
	s64 took = 0;

	protect(va, 1, 0);
	skip_bytes = 2;
	enter_at(handler_once);
	for (u64 i = 0; i < n; i++)
		took += fault_once(va);
	enter_at(core_upcall);
	return took;
}

/* n executions of an instruction of 2 bytes that the handler steps over. */
#define SKIPPED(n, handler, code)                                                                 \
	({                                                                                        \
		enter_at(handler);                                                                \
		u64 total_ =                                                                      \
			BENCH_LOOP(n, __asm__ volatile(code ::                                    \
							       : "rax", "rcx", "r11", "memory")); \
		enter_at(core_upcall);                                                            \
		bench_net(total_, n);                                                             \
	})

static s64 illegal(u64 n)
{
	return SKIPPED(n, handler_skip, "ud2");
}

static s64 foreign_syscall(u64 n)
{
	return SKIPPED(n, handler_syscall, "movl $39, %%eax\n\tsyscall");
}

static s64 write_and_time(u64 at)
{
	u64 began = bench_now();

	*(volatile u8 *)at = 1;
	return (s64)(bench_now() - began - bench_read);
}

static void handler_set(void)
{
	handler_auth = core_auth;
	handler_root = core_self.root;
}

/* A write to a protected page, whose handler unprotects it; then it is protected again, not counted. */
static s64 fault_unprotect_resume(u64 n)
{
	s64 took = 0;

	handler_set();
	enter_at(handler_page);
	for (u64 i = 0; i < n; i++) {
		protect(va, 1, 0);
		took += write_and_time(va);
	}
	enter_at(core_upcall);
	return took;
}

static void shuffle(void)
{
	static u32 seed = 1;

	for (u32 i = 0; i < PAGES; i++)
		order[i] = i;
	for (u32 i = PAGES - 1; i; i--) {
		seed = seed * 1103515245 + 12345;
		u32 j = (seed >> 16) % (i + 1), swap = order[i];

		order[i] = order[j];
		order[j] = swap;
	}
}

/* Of 100 pages all but one are protected: a write to a random one of them; the handler unprotects it and protects
 * the one written before. */
static s64 appel1(u64 n)
{
	s64 took = 0;

	shuffle();
	protect(va, PAGES, 0);
	other_va = va + (u64)order[PAGES - 1] * ARIL_PAGE_SIZE;
	protect(other_va, 1, ARIL_BIND_WRITE);
	handler_set();
	enter_at(handler_appel);
	for (u64 i = 0; i < n; i++)
		took += write_and_time(va + (u64)order[i % PAGES] * ARIL_PAGE_SIZE);
	enter_at(core_upcall);
	return took;
}

/* Protects 100 pages in one call, writes to each in random order, its handler unprotects it: n is 100. */
static s64 appel2(u64 n)
{
	shuffle();
	handler_set();
	enter_at(handler_page);
	u64 began = bench_now();
	protect(va, PAGES, 0);
	s64 took = (s64)(bench_now() - began - bench_read);
	for (u64 i = 0; i < n; i++)
		took += write_and_time(va + (u64)order[i] * ARIL_PAGE_SIZE);
	enter_at(core_upcall);
	return took;
}

int main(int argc, char **argv, char **envp)
{
	(void)envp;
	va = (u64)core_pages(PAGES, &first);
	protect(va, PAGES, ARIL_BIND_WRITE); /* and MAY_WRITE, from here on */
	bench_start(argc, argv);
	bench_run("fault_to_handler", fault_to_handler, LOOPS);
	bench_run("fault_unprotect_resume", fault_unprotect_resume, LOOPS);
	bench_run("illegal_skip", illegal, LOOPS);
	bench_run("foreign_syscall", foreign_syscall, LOOPS);
	bench_run("appel1", appel1, PAGES - 1);
	bench_run("appel2", appel2, PAGES);
	return 0;
}

/* SPDX-License-Identifier: MIT
 * Looks for what others left in the registers: at START, after a yield by an env that filled them all, after
 * the neighbour had the CPU, and after a kernel call; at the first START of an env, and at later ones, which go the short
 * way. Debug registers are nobody's (privileged.c); mask registers exist where XCR0 says so, which none of QEMU's does. */
// expect: residue: [0-9]+ starts, all clean
// expect: residue: 40 warm starts, all clean
// expect: residue: done
// forbid: residue: WRONG
#include "adversary.h"

#define MARK 0x5ec2e75ec2e75ec2ul

/* Written by the child at its START. */
struct {
	u64 general[15]; /* all but rsp */
	u64 flags, fs, gs;
	u64 mxcsr;
	u64 vector[16][4];
	u64 high; /* ymm state in use: XGETBV(1) bit 2 */
	u8 x87[112] __attribute__((aligned(16)));
} seen __attribute__((visibility("hidden")));

#define STORE(register, n) "movq %" #register ", seen+8*" #n "(%rip)\n\t"
#define STOREV(n) "vmovdqu %ymm" #n ", seen+152+32*" #n "(%rip)\n\t"
/* clang-format finds no end here */
/* clang-format off */
#define LOOK \
	STORE(rax, 0) STORE(rbx, 1) STORE(rcx, 2) STORE(rdx, 3) STORE(rsi, 4) STORE(rdi, 5) STORE(rbp, 6) STORE(r8, 7) \
	STORE(r9, 8) STORE(r10, 9) STORE(r11, 10) STORE(r12, 11) STORE(r13, 12) STORE(r14, 13) STORE(r15, 14) \
	"pushfq\n\tpopq seen+120(%rip)\n\t" \
	"rdfsbase %rax\n\tmovq %rax, seen+128(%rip)\n\trdgsbase %rax\n\tmovq %rax, seen+136(%rip)\n\t" \
	"stmxcsr seen+144(%rip)\n\t" \
	STOREV(0) STOREV(1) STOREV(2) STOREV(3) STOREV(4) STOREV(5) STOREV(6) STOREV(7) \
	STOREV(8) STOREV(9) STOREV(10) STOREV(11) STOREV(12) STOREV(13) STOREV(14) STOREV(15) \
	"fnsave seen+672(%rip)\n\t" \
	"movw %ds, %ax\n\tmovw %es, %bx\n\torl %ebx, %eax\n\tmovw %fs, %bx\n\torl %ebx, %eax\n\tmovw %gs, %bx\n\t" \
	"orl %ebx, %eax\n\tmovzwl %ax, %eax\n\tmovq %rax, seen+664(%rip)\n\t"
/* clang-format on */
CHILD(r_look, LOOK EXIT(3));
/* Looks at each START, and yields back. */
extern u32 child_auth, parent_env;
u32 child_auth, parent_env;
CHILD(r_again, LOOK "movl child_auth(%rip), %edi\n\tmovl parent_env(%rip), %esi\n\tmovl "
		    "$0x80000029, %eax\n\tsyscall");
void child_open(void);
void child_open(void)
{
	child_auth = (u32)aril_cap_open(&CORE_DOMAIN->cap);
	aril_env_entry((u64)r_again, 0);
	aril_yield(child_auth, parent_env);
}
CHILD(r_first, "call child_open");

ARIL_ASSERT_SIZE(typeof(seen), 784);

/* Fills every register, then yields by hand: nothing of ours is kept but the stack, where core goes on. */
static void fill_all(void)
{
	static const u64 pattern[4] = {MARK, MARK, MARK, MARK};

	__asm__ volatile(
		"vmovdqu (%0), %%ymm0\n\tvmovdqa %%ymm0, %%ymm1\n\tvmovdqa %%ymm0, %%ymm2\n\t"
		"vmovdqa %%ymm0, %%ymm3\n\tvmovdqa %%ymm0, %%ymm4\n\tvmovdqa %%ymm0, %%ymm5\n\t"
		"vmovdqa %%ymm0, %%ymm6\n\tvmovdqa %%ymm0, %%ymm7\n\tvmovdqa %%ymm0, %%ymm8\n\t"
		"vmovdqa %%ymm0, %%ymm9\n\tvmovdqa %%ymm0, %%ymm10\n\tvmovdqa %%ymm0, %%ymm11\n\t"
		"vmovdqa %%ymm0, %%ymm12\n\tvmovdqa %%ymm0, %%ymm13\n\tvmovdqa %%ymm0, %%ymm14\n\t"
		"vmovdqa %%ymm0, %%ymm15\n\tfld1\n\tfldpi\n\tfldl2e\n\t"
		"wrfsbase %1\n\tmovq %1, %%rbx\n\tmovq %1, %%r12\n\tmovq %1, %%r14\n\tmovq %1, "
		"%%r15\n\t"
		:
		: "r"(pattern), "r"(0x5ec2e75ec2e7ul)
		: "rbx", "r12", "r14", "r15", "memory");
}

static int clean(void)
{
	for (int i = 0; i < 15; i++) {
		u64 want = 0;

		if (i ==
		    2) /* rcx and r11: what SYSRET takes: the entry and the flags, or nothing */
			want = seen.general[2] == (u64)r_look || seen.general[2] == (u64)r_again
				       ? seen.general[2]
				       : 0;
		if (i == 10)
			want = seen.general[10] == 0x202 ? 0x202 : 0;
		if (seen.general[i] != want) {
			core_log("%s: WRONG general register %d is %#lx", NAME, i, seen.general[i]);
			return 0;
		}
	}
	for (int i = 0; i < 16; i++)
		for (int j = 0; j < 4; j++)
			if (seen.vector[i][j]) {
				core_log("%s: WRONG ymm%d is %#lx", NAME, i, seen.vector[i][j]);
				return 0;
			}
	for (int i = 28; i < 108; i++)
		if (seen.x87[i]) {
			core_log("%s: WRONG x87 byte %d is %#x", NAME, i, seen.x87[i]);
			return 0;
		}
	if (seen.fs || seen.gs || (u32)seen.mxcsr != 0x1f80 || seen.flags & 0xcd5 || seen.high) {
		core_log("%s: WRONG fs %#lx gs %#lx mxcsr %#x flags %#lx selectors %#lx", NAME,
			 seen.fs, seen.gs, (u32)seen.mxcsr, seen.flags, seen.high);
		return 0;
	}
	return 1;
}

/* Registers after a kernel call: the arguments' are zero, the others as they were. */
static void after_call(void)
{
	u64 lost[6];
	register u64 rdi __asm__("rdi") = MARK, rsi __asm__("rsi") = MARK,
			 rdx __asm__("rdx") = MARK;
	register u64 r10 __asm__("r10") = MARK, r8 __asm__("r8") = MARK, r9 __asm__("r9") = MARK;
	register u64 rax __asm__("rax") = ARIL_CALL_NULL;

	__asm__ volatile("syscall"
			 : "+r"(rax), "+r"(rdi), "+r"(rsi), "+r"(rdx), "+r"(r10), "+r"(r8), "+r"(r9)
			 :
			 : "rcx", "r11", "memory");
	lost[0] = rdi, lost[1] = rsi, lost[2] = rdx, lost[3] = r10, lost[4] = r8, lost[5] = r9;
	for (int i = 0; i < 6; i++)
		if (lost[i])
			wrong("an argument register after a call", (s64)lost[i]);
}

/* The short way of a yield: registers, vectors, segment registers are filled, then that who was yielded to before looks. */
static u32 look_again(void)
{
	static struct child c;
	u32 good = 0;

	parent_env = CORE_DOMAIN->env;
	allowed("a child", child_make(&c, r_first, 0));
	core_yield(core_auth, c.env);
	for (u32 i = 0, tries = 0; i < 40; i++) {
		const volatile struct aril_env_info *e = env_info(c.env);
		u64 stopped = e->overruns;

		memset(&seen, 0xee, sizeof(seen));
		fill_all();
		__asm__ volatile("movw %%ss, %%ax\n\tmovw %%ax, %%ds\n\tmovw %%ax, %%es"
				 :
				 :
				 : "eax");
		s64 cause = core_yield(core_auth, c.env);
		if ((e->overruns != stopped || c.context->forced ||
		     seen.flags == 0xeeeeeeeeeeeeeeee) &&
		    tries++ < 100) { /* stopped by force on its way: again */
			i--;
			continue;
		}
		if (cause != ARIL_START_YIELD)
			wrong("a yield", i);
		good += clean();
	}
	aril_frame_reset(core_auth, c.frame);
	return good;
}

int main(int argc, char **argv, char **envp)
{
	static struct child c;
	u32 starts = 0, good = 0;

	(void)argc;
	(void)argv;
	(void)envp;
	after_call();
	for (; starts < 40; starts++) {
		memset(&seen, 0xee, sizeof(seen));
		allowed("a child", child_make(&c, r_look, 0));
		fill_all();
		core_yield(core_auth, starts & 1 ? c.env : 0);
		const volatile struct aril_env_info *e = child_run(&c);
		if (e->end != ARIL_END_EXIT || e->status != 3)
			core_log("%s: WRONG the child ended by %u, exception %u", NAME, e->end,
				 e->end_vector);
		good += clean();
	}
	if (good == starts)
		core_log("%s: %u starts, all clean", NAME, starts);
	core_log("%s: %u warm starts, %s", NAME, 40, look_again() == 40 ? "all clean" : "WRONG");
	return done();
}

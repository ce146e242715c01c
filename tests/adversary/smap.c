/* SPDX-License-Identifier: MIT
 * Every way into the kernel with AC and DF set, which are the program's to set: AC would let ring 0 reach user memory under
 * SMAP. With GS's base and the stack pointer where they tempt the kernel most, too. The library is entered with flags of the
 * kernel's choice, the interrupted code has its own again. tests/system/smap.sh looks at the flags inside the kernel. */
// expect: smap: [0-9]+ entries, flags and bases right
// expect: smap: refused all memory
// expect: smap: done
// forbid: smap: WRONG
#include "adversary.h"

#define RIGHT 7		 /* came back from the call, all as it was */
#define UPCALL 100	 /* and the vector: entered the library, all as it should be */
#define FLAGS "$0x40400" /* AC DF */

/* What the child is to do. */
extern volatile u64 sm_gs, sm_rsp, sm_target, sm_watch;
volatile u64 sm_gs __attribute__((visibility("hidden")));
volatile u64 sm_rsp __attribute__((visibility("hidden")));
volatile u64 sm_target __attribute__((visibility("hidden")));
volatile u64 sm_watch __attribute__((visibility("hidden")));

#define END_WITH(status) "cld\n\tmovq $" #status ", %rdi\n\tjmp sm_exit\n"
#define CALL(number) "movl $" #number ", %eax\n\tsyscall\n\tjmp sm_after\n"
#define TARGET(name, code) ".globl " #name "\n" #name ":\n\t" code

/* rbx: its stack, r12: its context page, r13: where to go, r15: what it watches */
CHILD(sm_entry,
      "cmpq $257, (%rsp)\n\tjne sm_upcall\n\t"
      "movq %rsp, %rbx\n\tmovq %rsp, %r12\n\tandq $-4096, %r12\n\tmovl $1, (%r12)\n\t"
      "movq sm_gs(%rip), %rax\n\twrgsbase %rax\n\tmovq sm_target(%rip), %r13\n\t"
      "movq sm_watch(%rip), %r15\n\t"
      "pushfq\n\torq " FLAGS ", (%rsp)\n\tmovq sm_rsp(%rip), %rax\n\tpopfq\n\t"
      "xorl %edi, %edi\n\tmovl $1, %esi\n\txorl %edx, %edx\n\txorl %r10d, %r10d\n\t"
      "cmpq $0, %rax\n\tje 1f\n\tmovq %rax, %rsp\n1:\tpushq %rax\n\tjmp *%r13\n"
      /* after a call: as it was */
      "sm_after:\n\tmovq %rsp, %r14\n\tmovq %rbx, %rsp\n\tpushfq\n\tpopq %rax\n\tcld\n\tandl "
      "$0x40400, %eax\n\tcmpl $0x40400, %eax\n\tjne 8f\n\t"
      "rdgsbase %rax\n\tcmpq sm_gs(%rip), %rax\n\tjne 9f\n\t" END_WITH(7)
      /* an upcall: the handler's flags are clean, the saved ones the program's */
      "sm_upcall:\n\tpushfq\n\tpopq %rax\n\ttestl $0x44d00, %eax\n\tjnz 5f\n\ttestl $0x200, "
      "%eax\n\tjz 6f\n\t"
      "movq 48(%rsp), %rax\n\tandl $0x40400, %eax\n\tcmpl $0x40400, %eax\n\tjne 8f\n\t"
      "rdgsbase %rax\n\tcmpq sm_gs(%rip), %rax\n\tjne 9f\n\t"
      "movq (%rsp), %rdi\n\taddq $100, %rdi\n\tjmp sm_exit\n"
      "5:\t" END_WITH(95) "6:\t" END_WITH(96) "8:\t" END_WITH(98) "9:\t" END_WITH(
	      99) "sm_exit:\n\tmovl $0x80000020, %eax\n\tsyscall\n" TARGET(sm_null,
									   CALL(0x80000000))
	      TARGET(sm_none, CALL(0x800003ff)) TARGET(sm_derive, CALL(0x80000001)) TARGET(
		      sm_locked, CALL(0x8000000a)) TARGET(sm_protect,
							  CALL(0x80000013)) TARGET(sm_yield,
										   CALL(0x80000029))
		      TARGET(sm_gate, CALL(0x80000032)) TARGET(sm_wait, CALL(0x8000003c)) TARGET(
			      sm_log,
			      CALL(0x8000005a)) TARGET(sm_foreign,
						       CALL(39)) TARGET(sm_ud,
									"ud2\n") TARGET(sm_gp,
											"hlt\n")
			      TARGET(sm_page, "xorl %eax, %eax\n\tmovq (%rax), %rax\n") TARGET(
				      sm_kernel,
				      "movq $0xffffffff80100000, %rax\n\tmovq (%rax), %rax\n")
				      TARGET(sm_int3, "int3\n") TARGET(
					      sm_step,
					      "pushfq\n\torq $0x100, (%rsp)\n\tpopfq\n\tnop\n")
					      TARGET(sm_divide,
						     "xorl %edx, %edx\n\txorl %ecx, %ecx\n\tdivl "
						     "%ecx\n") TARGET(sm_int80, "int $0x80\n")
						      TARGET(sm_nmi, "int $2\n")
							      TARGET(sm_double, "int $8\n")
								      TARGET(sm_line, "int $0xef\n")
      /* the timer, as an upcall; and by force: what is resumed has its flags again */
      TARGET(sm_timer, "movl $0, (%r12)\n1:\tpause\n\tjmp 1b\n")
	      TARGET(sm_forced, "1:\tpause\n\tcmpq $0, (%r15)\n\tje 1b\n\tjmp sm_after\n"));

#define EXTERN(name) void name(void);
EXTERN(sm_null)
EXTERN(sm_none)
EXTERN(sm_derive)
EXTERN(sm_locked)
EXTERN(sm_protect)
EXTERN(sm_yield)
EXTERN(sm_gate)
EXTERN(sm_wait)
EXTERN(sm_log)
EXTERN(sm_foreign)
EXTERN(sm_ud)
EXTERN(sm_gp)
EXTERN(sm_page)
EXTERN(sm_kernel)
EXTERN(sm_int3)
EXTERN(sm_step)
EXTERN(sm_divide)
EXTERN(sm_int80)
EXTERN(sm_nmi)
EXTERN(sm_double)
EXTERN(sm_line)
EXTERN(sm_timer)
EXTERN(sm_forced)

static const struct {
	const char *what;
	void (*target)(void);
	s64 status;
} way[] = {
	{"a null call", sm_null, RIGHT},
	{"a call that is none", sm_none, RIGHT},
	{"a fast call", sm_derive, RIGHT},
	{"a locked call", sm_locked, RIGHT},
	{"page_protect", sm_protect, RIGHT},
	{"a yield", sm_yield, RIGHT},
	{"a gate", sm_gate, RIGHT},
	{"a wait", sm_wait, RIGHT},
	{"the log", sm_log, RIGHT},
	{"a foreign call", sm_foreign, UPCALL + 256},
	{"no instruction", sm_ud, UPCALL + 6},
	{"a privileged one", sm_gp, UPCALL + 13},
	{"a page that is not there", sm_page, UPCALL + 14},
	{"the kernel's page", sm_kernel, UPCALL + 14},
	{"int3", sm_int3, UPCALL + 3},
	{"a single step", sm_step, UPCALL + 1},
	{"a division", sm_divide, UPCALL},
	{"int 0x80", sm_int80, UPCALL + 13},
	{"int 2", sm_nmi, UPCALL + 13},
	{"int 8", sm_double, UPCALL + 13},
	{"an interrupt's vector", sm_line, UPCALL + 13},
	{"the timer", sm_timer, UPCALL + 258},
	{"the timer, by force", sm_forced, RIGHT},
};
#define SLOW 2 /* of these, at the end */
#define WAYS (sizeof(way) / sizeof(way[0]))

static u32 entries;

static void enter(u32 n, u64 gs, u64 rsp)
{
	static struct child c;

	sm_gs = gs;
	sm_rsp = rsp;
	sm_target = (u64)way[n].target;
	allowed(way[n].what, child_make(&c, sm_entry, 0));
	sm_watch = (u64)&env_info(c.env)->overruns;
	const volatile struct aril_env_info *e = child_run(&c);
	if (e->state != ARIL_ENV_DEAD || e->end != ARIL_END_EXIT || e->status != way[n].status)
		core_log(
			"%s: WRONG %s, GS %lx, rsp %lx: state %u, end %u, status %ld, exception %u",
			NAME, way[n].what, gs, rsp, e->state, e->end, e->status, e->end_vector);
	entries++;
	aril_frame_reset(core_auth, c.frame);
}

/* What kernel code must not take for its own, and user code cannot reach: read and executed. */
CHILD(sm_read, "movq sm_gs(%rip), %rax\n\tmovq (%rax), %rax");
CHILD(sm_jump, "movq sm_gs(%rip), %rax\n\tjmp *%rax");

int main(int argc, char **argv, char **envp)
{
	u8 *lure = core_pages(2, NULL); /* like a CPU's own page, full of pointers to itself */
	u64 gs[5] = {0, (u64)lure, ARIL_KERNEL_VA + 0x100000, ARIL_PHYS_VA, ARIL_INFO_VA};
	u64 rsp[3] = {0, (u64)lure + 4096, 0};

	(void)argc, (void)argv, (void)envp;
	rsp[2] = (u64)lure + 16; /* the second push from there is the page's first word */
	for (u32 i = 0; i < 2 * ARIL_PAGE_SIZE / 8; i++)
		((u64 *)lure)[i] = (u64)lure;
	for (u32 n = 0; n < WAYS - SLOW; n++)
		for (u32 g = 0; g < 5; g++)
			for (u32 s = 0; s < 3; s++)
				enter(n, gs[g], rsp[s]);
	for (u32 n = WAYS - SLOW; n < WAYS; n++)
		for (u32 g = 0; g < 3; g++)
			enter(n, gs[g], rsp[g]);
	core_log("%s: %u entries, flags and bases right", NAME, entries);
	for (u32 g = 2; g < 4; g++) {
		sm_gs = gs[g];
		dies(g == 2 ? "the kernel" : "all memory", sm_read, 14);
		dies(g == 2 ? "the kernel's code" : "all memory as code", sm_jump, 14);
	}
	return done();
}

/* SPDX-License-Identifier: MIT
 * Odd flags on the way into the kernel and out of it: NT, TF, AC, DF, RF, IOPL, VM, IF; and what MOV SS does to
 * traps. Each must hurt nobody, or its child alone. */
// expect: flags: done
// forbid: flags: WRONG
// timeout: 120
#include "adversary.h"

#define FLAGS(bits) "pushfq\n\torq $" #bits ", (%rsp)\n\tpopfq\n\t"
#define NULL_CALL "movl $0x80000000, %eax\n\tsyscall\n\t"
#define UNMASK "movq %rsp, %r12\n\tandq $-4096, %r12\n\tmovl $1, (%r12)\n\t"
/* At START do `code` then exit(7); at an exception exit(100 + vector). */
#define SEE(code)                                                 \
	"cmpq $257, (%rsp)\n\tjne 1f\n\t" UNMASK code EXIT(       \
		7) "1:\tmovq (%rsp), %rdi\n\taddq $100, %rdi\n\t" \
		   "movl $0x80000020, %eax\n\tsyscall\n\t"

CHILD(f_nt, SEE(FLAGS(0x4000) NULL_CALL));
CHILD(f_nt_fault, SEE(FLAGS(0x4000) "ud2\n\t"));
CHILD(f_nt_iret, "pushfq\n\torq $0x4000, (%rsp)\n\tpopfq\n\tiretq");
CHILD(f_tf, SEE(FLAGS(0x100) "nop\n\t"));
CHILD(f_tf_call,
      SEE("movl $0x80000000, %eax\n\tpushfq\n\torq $0x100, (%rsp)\n\tpopfq\n\tsyscall\n\tnop\n\t"));
CHILD(f_tf_masked, FLAGS(0x100) "nop\n\tnop");
CHILD(f_df, SEE("std\n\t" NULL_CALL "cld\n\t"));
CHILD(f_df_fault, SEE("std\n\tud2\n\t"));
CHILD(f_ac, SEE(FLAGS(0x40000) NULL_CALL));
CHILD(f_ac_load, SEE(FLAGS(0x40000) "movq 1(%rsp), %rax\n\t"));
CHILD(f_ac_fault, SEE(FLAGS(0x40000) "ud2\n\t"));
CHILD(f_iopl, FLAGS(0x3000) "cli");
CHILD(f_if, SEE("pushfq\n\tandq $~0x200, (%rsp)\n\tpopfq\n\tpushfq\n\tpopq %rax\n\ttestl $0x200, "
		"%eax\n\tjnz 3f\n\tud2\n3:\t"));
CHILD(f_vm, SEE("pushfq\n\torq $0x1a0000, (%rsp)\n\tpopfq\n\t" NULL_CALL));
CHILD(f_rf, SEE("movq %rsp, %rbx\n\tmovw %ss, %cx\n\tmovw %cs, %dx\n\tpushq %rcx\n\tpushq "
		"%rbx\n\tpushq $0x10202\n\t"
		"pushq %rdx\n\tleaq 3f(%rip), %rax\n\tpushq %rax\n\tiretq\n3:\t" NULL_CALL));
/* MOV SS delays the trap to after the next instruction, which here enters the kernel. */
#define TF_MOV_SS                                                           \
	"movw %ss, %cx\n\tmovl $0x80000000, %eax\n\tpushfq\n\torq $0x100, " \
	"(%rsp)\n\tpopfq\n\tmovw %cx, %ss\n\t"
CHILD(f_ss_call, SEE(TF_MOV_SS "syscall\n\tnop\n\t"));
CHILD(f_ss_int3, SEE(TF_MOV_SS "int3\n\tnop\n\t"));
CHILD(f_ss_icebp, SEE(TF_MOV_SS ".byte 0xf1\n\tnop\n\t"));
CHILD(f_ss_int, SEE(TF_MOV_SS "int $0x80\n\tnop\n\t"));
CHILD(f_ss_ud, SEE(TF_MOV_SS "ud2\n\t"));
CHILD(f_ss_page, SEE(TF_MOV_SS "movq 0, %rax\n\t"));
CHILD(f_int3, SEE("int3\n\t"));
CHILD(f_icebp, SEE(".byte 0xf1\n\t"));
CHILD(f_int1, SEE("int $1\n\t"));
CHILD(f_int4, SEE("int $4\n\t"));
CHILD(f_divide, SEE("xorl %eax, %eax\n\txorl %ecx, %ecx\n\tdivl %ecx\n\t"));
CHILD(f_x87, SEE("fldz\n\tfld1\n\tpushq $0\n\tfnstcw (%rsp)\n\tandw $~4, (%rsp)\n\tfldcw "
		 "(%rsp)\n\tfdivp\n\tfwait\n\t"));
CHILD(f_foreign, SEE("movl $39, %eax\n\tsyscall\n\t"));
CHILD(f_foreign_nt, SEE(FLAGS(0x4000) "movl $39, %eax\n\tsyscall\n\t"));
CHILD(f_foreign_tf,
      SEE("movl $39, %eax\n\tpushfq\n\torq $0x100, (%rsp)\n\tpopfq\n\tsyscall\n\tnop\n\t"));

/* The child may end by exit(7), or exit(100 + one of two vectors), or die of a fault: but end it must. */
static void any(const char *what, void (*entry)(void))
{
	static struct child c;

	allowed(what, child_make(&c, entry, 0));
	const volatile struct aril_env_info *e = child_run(&c);
	if (e->state != ARIL_ENV_DEAD)
		core_log("%s: WRONG %s: state %u", NAME, what, e->state);
	else if (e->end == ARIL_END_EXIT)
		core_log("%s: %s: exit %ld", NAME, what, e->status);
	else
		core_log("%s: %s: end %u, exception %u", NAME, what, e->end, e->end_vector);
}

int main(int argc, char **argv, char **envp)
{
	(void)argc;
	(void)argv;
	(void)envp;
	exits("NT at a call", f_nt, 7);
	exits("NT at a fault", f_nt_fault, 106);
	dies("NT at an iret", f_nt_iret, 13);
	exits("TF", f_tf, 101);
	exits("TF at a call", f_tf_call, 101);
	dies("TF while all is masked", f_tf_masked, 1);
	exits("DF at a call", f_df, 7);
	exits("DF at a fault", f_df_fault, 106);
	exits("AC at a call", f_ac, 7);
	any("AC at an unaligned load", f_ac_load);
	exits("AC at a fault", f_ac_fault, 106);
	dies("IOPL", f_iopl, 13);
	exits("IF cleared", f_if, 7);
	any("VM and VIF", f_vm);
	exits("RF", f_rf, 7);
	any("MOV SS and a call", f_ss_call);
	any("MOV SS and int3", f_ss_int3);
	any("MOV SS and icebp", f_ss_icebp);
	any("MOV SS and int 0x80", f_ss_int);
	any("MOV SS and ud2", f_ss_ud);
	any("MOV SS and a page fault", f_ss_page);
	exits("int3", f_int3, 103);
	any("icebp", f_icebp);
	exits("int 1", f_int1, 113);
	any("int 4", f_int4);
	exits("a division by zero", f_divide, 100);
	exits("an x87 error", f_x87, 116);
	exits("a foreign system call", f_foreign, 356);
	exits("a foreign system call with NT", f_foreign_nt, 356);
	exits("a foreign system call with TF", f_foreign_tf, 356);
	return done();
}

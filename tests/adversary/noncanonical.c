/* SPDX-License-Identifier: MIT
 * Addresses that are none: as stack, as instruction, as base, and a system call at the very end of user space. */
// expect: noncanonical: refused a jump into the hole
// expect: noncanonical: done
// forbid: noncanonical: WRONG
#include "adversary.h"

#define HOLE "movq $0x0000800000000000, %rax\n\t"
CHILD(n_push, HOLE "movq %rax, %rsp\n\tpushq %rax");
CHILD(n_call, HOLE "movq %rax, %rsp\n\tcall 1f\n1:");
CHILD(n_load, HOLE "movq (%rax), %rbx");
CHILD(n_jump, HOLE "jmp *%rax");
CHILD(n_ret, HOLE "pushq %rax\n\tret");
CHILD(n_iret, HOLE "movq %rsp, %rbx\n\tpushq $0x1b\n\tpushq %rbx\n\tpushq $2\n\tpushq "
		   "$0x23\n\tpushq %rax\n\tiretq");
CHILD(n_iretsp, HOLE "leaq 1f(%rip), %rbx\n\tmovw %ss, %cx\n\tmovw %cs, %dx\n\tpushq %rcx\n\tpushq "
		     "%rax\n\tpushq $2\n\t"
		     "pushq %rdx\n\tpushq %rbx\n\tiretq\n1:\tpushq %rax");
CHILD(n_fs, HOLE "wrfsbase %rax");
CHILD(n_gs, HOLE "wrgsbase %rax");
/* The stack pointer is no address while the kernel is called; then all goes on. */
CHILD(n_syscall,
      "movq %rsp, %rbx\n\t" HOLE
      "movq %rax, %rsp\n\tmovl $0x80000000, %eax\n\tsyscall\n\tmovq %rbx, %rsp\n\t" EXIT(7));
/* Some 50 ms: it is stopped by force, with registers and all, and goes on. */
CHILD(n_forced, HOLE "movq %rax, %rsp\n\trdtsc\n\tshlq $32, %rdx\n\torq %rdx, %rax\n\tleaq "
		     "0x8000000(%rax), %rbx\n1:\trdtsc\n\tshlq $32, %rdx\n\torq %rdx, "
		     "%rax\n\tcmpq %rbx, %rax\n\tjb 1b\n\t" EXIT(7));
CHILD(n_kstack, "movq $0xffffffff80100000, %rsp\n\tmovl $0x80000000, %eax\n\tsyscall\n\t" EXIT(8));
CHILD(n_kgs, "movq $0xffffffff80100000, %rax\n\twrgsbase %rax\n\twrfsbase %rax\n\tmovl "
	     "$0x80000000, %eax\n\tsyscall\n\t" EXIT(9));
CHILD(n_kgsfault, "movq $0xffffffff80100000, %rax\n\twrgsbase %rax\n\tmovq %gs:0, %rax");
CHILD(n_kjump, "movq $0xffffffff80100000, %rax\n\tjmp *%rax");
CHILD(n_kload, "movq $0xffffffff80100000, %rax\n\tmovq (%rax), %rax");
CHILD(n_pload, "movq $0xffff800000100000, %rax\n\tmovq (%rax), %rax");
CHILD(n_istore, "movq $0xffffc00000000000, %rax\n\tmovq %rax, (%rax)");
CHILD(n_tstore, "movq $0xffffff0000000000, %rax\n\tmovq %rax, (%rax)");
CHILD(n_tload, "movq $0xffffff7fffffe000, %rax\n\tmovq %rax, 4088(%rax)");

int main(int argc, char **argv, char **envp)
{
	u32 frame = core_pool_take(&core_pool, 1);

	(void)argc;
	(void)argv;
	(void)envp;
	dies("a push into the hole", n_push, -2);
	dies("a call with a stack in the hole", n_call, -2);
	dies("a load from the hole", n_load, 13);
	dies("a jump into the hole", n_jump, 13);
	dies("a return into the hole", n_ret, 13);
	dies("an iret into the hole", n_iret, 13);
	dies("an iret to a stack in the hole", n_iretsp, -2);
	dies("FS in the hole", n_fs, -1);
	dies("GS in the hole", n_gs, -1);
	exits("a call with a stack in the hole", n_syscall, 7);
	exits("being stopped with a stack in the hole", n_forced, 7);
	exits("a call with a stack in the kernel", n_kstack, 8);
	exits("a call with GS in the kernel", n_kgs, 9);
	dies("a load through GS in the kernel", n_kgsfault, 14);
	dies("a jump into the kernel", n_kjump, 14);
	dies("a load from the kernel", n_kload, 14);
	dies("a load from all memory", n_pload, 14);
	dies("a store to the books", n_istore, 14);
	dies("a store to its page tables", n_tstore, 14);
	dies("a store to its root table", n_tload, 14);
	refused("the last page of user space",
		core_map(&core_self, ARIL_USER_TOP, frame, 1, ARIL_BIND_EXEC, core_auth), 0);
	refused("a binding in the hole",
		core_map(&core_self, 0x0000900000000000, frame, 1, 0, core_auth), 0);
	refused("a binding in the kernel",
		core_map(&core_self, ARIL_KERNEL_VA, frame, 1, ARIL_BIND_WRITE, core_auth), 0);
	refused("a binding over the books",
		core_map(&core_self, ARIL_INFO_VA, frame, 1, ARIL_BIND_WRITE, core_auth), 0);
	refused("a binding over its tables",
		core_map(&core_self, ARIL_SELF_VA, frame, 1, ARIL_BIND_WRITE, core_auth), 0);
	refused("a binding off a page's start",
		core_map(&core_self, 0x500000000800, frame, 1, 0, core_auth), 0);
	struct aril_space_op op = {.va = ARIL_USER_TOP - 0x1000,
				   .frame = frame,
				   .count = 2,
				   .kind = ARIL_UNBIND,
				   .auth = core_auth};
	refused("unbinding across the end of user space",
		aril_space_update(core_auth, core_self.root, &op, 1), ARIL_E_RANGE);
	op.va = ~0xffful;
	refused("unbinding across 2^64", aril_space_update(core_auth, core_self.root, &op, 1),
		ARIL_E_RANGE);
	return done();
}

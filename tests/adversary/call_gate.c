/* SPDX-License-Identifier: MIT
 * Segment descriptors of its own, where a processor that was never told otherwise looks for a local descriptor table: at
 * address 0. A call gate into the kernel, a code and a data segment of ring 0, of ring 3. */
// expect: call_gate: refused a call gate
// expect: call_gate: done
// forbid: call_gate: WRONG
#include "adversary.h"

/* index 1 and 2: a gate to the kernel's code segment; 3: code, 4: data of ring 3; 5: code of ring 0. A selector is
 * index * 8 + 4, and 3 for the ring that asks. */
CHILD(g_call, "movq $0xf00000000, %rax\n\tpushq %rax\n\tlcall *(%rsp)");
CHILD(g_jump, "movq $0x1f00000000, %rax\n\tpushq %rax\n\tljmpl *(%rsp)");
CHILD(g_data, "movl $0x27, %eax\n\tmovl %eax, %ds");
CHILD(g_stack, "movl $0x27, %eax\n\tmovl %eax, %ss");
CHILD(g_kernel, "movq $0x2f00000000, %rax\n\tpushq %rax\n\tljmpl *(%rsp)");
CHILD(g_ret, "pushq $0x1f\n\tpushq $0x400000\n\tlretq");
CHILD(g_iret, "movq %rsp, %rax\n\tmovl %ss, %ecx\n\tpushq %rcx\n\tpushq %rax\n\tpushq "
	      "$0x202\n\tpushq $0x1f\n\t"
	      "pushq $0x400000\n\tiretq");
CHILD(g_lldt, "movl $0x28, %eax\n\tlldt %ax");

int main(int argc, char **argv, char **envp)
{
	u32 frame = core_pool_take(&core_pool, 1);
	u64 *table = (u64 *)0;
	u64 target = ARIL_KERNEL_VA + 0x200000;

	(void)argc, (void)argv, (void)envp;
	allowed("a page at 0", core_map(&core_self, 0, frame, 1, ARIL_BIND_WRITE, core_auth));
	__asm__ volatile("" : "+r"(table));
	for (u32 i = 0; i < 64; i++)
		table[i] = 0;
	table[1] = (target & 0xffff) | 8ul << 16 | 0xecul << 40 | (target >> 16 & 0xffff) << 48;
	table[2] = target >> 32;
	table[3] = 0x00affb000000ffff;
	table[4] = 0x00cff3000000ffff;
	table[5] = 0x00af9b000000ffff;
	dies("a call gate", g_call, 13);
	dies("a code segment", g_jump, 13);
	dies("a data segment", g_data, 13);
	dies("a stack segment", g_stack, 13);
	dies("a code segment of ring 0", g_kernel, 13);
	dies("a far return to it", g_ret, 13);
	dies("an iret to it", g_iret, 13);
	dies("a table of one's own", g_lldt, 13);
	return done();
}

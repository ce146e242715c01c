// SPDX-License-Identifier: MIT
// Every exception that a program can raise reaches its env, once, with its vector, error code, address and instruction;
// a handler may itself fault, as deep as its stack has room, and is resumed where it was; vector state is as it was.
// with:
// smp: 1
// expect: exceptions: [0-9]+ causes ok
// expect: exceptions: nested ok
// expect: exceptions: vector state ok
// expect: exceptions: deepest ended alone, its cause is shown ok
// expect: exceptions: done
// forbid: exceptions: WRONG
#include "../adversary/adversary.h"

#define ANY (~0ul)
#define SELECTOR 0x47 /* of an LDT that is not there, for ring 3 */

/* What the handler saw, and where it goes on. */
extern u64 resume_at, resume_rsp;
u64 resume_at, resume_rsp;
static volatile u64 seen_vector, seen_error, seen_addr, seen_rip, seen, nested_left;
extern u64 fault_at, fault_end;
u64 fault_at, fault_end;
static u64 read_only, not_bound, not_code;

/* One cause: sets fault_at to the instruction's address, and does it; the handler goes on at 9. A trap is seen after it:
 * fault_end. rax, rcx, rdx, rdi are free; rdi = argument. */
#define CAUSE(name, before, instruction)                                                           \
	void name(u64 argument);                                                                   \
	__asm__(".text\n" #name ":\n\tpushq %rbx\n\tpushq %rbp\n\tmovq %rsp, resume_rsp(%rip)\n\t" \
		"leaq 9f(%rip), %rax\n\tmovq %rax, resume_at(%rip)\n\tleaq 1f(%rip), %rax\n\t"     \
		"movq %rax, fault_at(%rip)\n\tleaq 2f(%rip), %rax\n\tmovq %rax, "                  \
		"fault_end(%rip)\n\t" before "\n1:\t" instruction                                  \
		"\n2:\tnop\n9:\tmovq resume_rsp(%rip), %rsp\n\tcld\n\t"                            \
		"pushq $0x202\n\tpopfq\n\tpopq %rbp\n\tpopq %rbx\n\tret\n")

CAUSE(c_divide, "xorl %edx, %edx\n\txorl %ecx, %ecx", "divl %ecx");
CAUSE(c_divide_overflow, "movl $-1, %edx\n\tmovl $1, %ecx", "divl %ecx");
CAUSE(c_int3, "", "int3");
CAUSE(c_int4, "", "int $4");
CAUSE(c_ud2, "", "ud2");
CAUSE(c_into, "",
      ".byte 0xce"); /* INTO is no instruction in 64-bit mode; BOUND is another one's prefix */
CAUSE(c_int0, "", "int $0");
CAUSE(c_int14, "", "int $14");
CAUSE(c_int128, "", "int $0x80");
CAUSE(c_ds, "movl $0x47, %eax", "movl %eax, %ds");
CAUSE(c_fs, "movl $0x47, %eax", "movl %eax, %fs");
CAUSE(c_ss, "movl $0x47, %eax", "movl %eax, %ss");
CAUSE(c_ss_null, "xorl %eax, %eax", "movl %eax, %ss"); /* with RPL 0 */
CAUSE(c_call_gate, "movq $0x4700000000, %rax\n\tpushq %rax", "lcall *(%rsp)");
CAUSE(c_sldt_load, "movl $0x28, %eax", "lldt %ax");
CAUSE(c_hole, "movq $0x0000800000000000, %rax", "movq (%rax), %rcx");
CAUSE(c_hole_ret, "movq $0x0000800000000000, %rax\n\tpushq %rax", "ret");
CAUSE(c_hole_iret,
      "movq %rsp, %rbx\n\tmovl %ss, %eax\n\tpushq %rax\n\tpushq %rbx\n\tpushq $0x202\n\tmovl %cs, "
      "%eax\n\t"
      "pushq %rax\n\tmovq $0x0000800000000000, %rax\n\tpushq %rax",
      "iretq");
CAUSE(c_nt_iret, "pushq $0x4202\n\tpopfq", "iretq");
CAUSE(c_cli, "", "cli");
CAUSE(c_in, "", "inb $0x71, %al");
CAUSE(c_out_edge, "movl $0xffff, %edx", "outl %eax, %dx"); /* beyond the last port */
CAUSE(c_wrmsr, "xorl %ecx, %ecx", "wrmsr");
CAUSE(c_wrpkru, "xorl %ecx, %ecx\n\txorl %edx, %edx\n\txorl %eax, %eax", "wrpkru");
CAUSE(c_rdpkru, "xorl %ecx, %ecx", "rdpkru");
CAUSE(c_xrstor, "movl $-1, %eax\n\tmovl $-1, %edx", "xrstor64 (%rdi)");
CAUSE(c_mxcsr, "movl $0xffff1f80, (%rdi)", "ldmxcsr (%rdi)");
CAUSE(c_sse_unaligned, "", "movaps 1(%rdi), %xmm0");
CAUSE(c_x87, "fninit\n\tpushq $0x33b\n\tfldcw (%rsp)\n\tfld1\n\tfldz\n\tfdivrp", "fwait");
CAUSE(c_sse,
      "pushq $0x1d80\n\tldmxcsr (%rsp)\n\tmovl $1, %eax\n\tcvtsi2sd %eax, %xmm0\n\txorpd %xmm1, "
      "%xmm1",
      "divsd %xmm1, %xmm0");
CAUSE(c_align, "pushq $0x40202\n\tpopfq", "movq 1(%rdi), %rax");
CAUSE(c_load, "", "movq (%rdi), %rax");
CAUSE(c_store, "", "movb $1, (%rdi)");
CAUSE(c_jump, "", "jmp *%rdi");
CAUSE(c_trap_flag, "pushq $0x302\n\tpopfq", "nop");
CAUSE(c_syscall, "movl $39, %eax", "syscall");

/* error: as the manuals have it; ANY for `int n`, where QEMU counts a gate as 16 bytes. trap 1: the instruction is over
 * when it is told; 2: it is told where the jump leads; 3: QEMU does not raise it. argument: what it is done to, and the
 * address that a page fault must tell. icebp is not here: QEMU has it as no instruction; see adversary/flags. */
static const struct cause {
	const char *what;
	void (*f)(u64);
	u64 vector, error;
	int trap;
	u64 *argument;
} causes[] = {
	{"a division by 0", c_divide, 0, 0, 0, 0},
	{"a quotient too large", c_divide_overflow, 0, 0, 0, 0},
	{"TF", c_trap_flag, 1, 0, 1, 0},
	{"int3", c_int3, 3, 0, 1, 0},
	{"int 4", c_int4, 4, 0, 1, 0},
	{"ud2", c_ud2, 6, 0, 0, 0},
	{"into", c_into, 6, 0, 0, 0},
	{"int 0", c_int0, 13, 0x2, 0, 0},
	{"int 14", c_int14, 13, ANY, 0, 0},
	{"int 0x80", c_int128, 13, ANY, 0, 0},
	{"DS from no LDT", c_ds, 13, 0x44, 0, 0},
	{"FS from no LDT", c_fs, 13, 0x44, 0, 0},
	{"SS from no LDT", c_ss, 13, 0x44, 0, 0},
	{"a null SS", c_ss_null, 13, 0, 0, 0},
	{"a call gate in no LDT", c_call_gate, 13, 0x44, 0, 0},
	{"lldt", c_sldt_load, 13, 0, 0, 0},
	{"a load from the hole", c_hole, 13, 0, 0, 0},
	{"iret with NT", c_nt_iret, 13, 0, 0, 0},
	{"iret into the hole", c_hole_iret, 13, 0, 2, 0},
	{"ret into the hole", c_hole_ret, 13, 0, 2, 0},
	{"cli", c_cli, 13, 0, 0, 0},
	{"a port", c_in, 13, 0, 0, 0},
	{"the last port and beyond", c_out_edge, 13, 0, 0, 0},
	{"wrmsr", c_wrmsr, 13, 0, 0, 0},
	{"wrpkru", c_wrpkru, 6, 0, 0, 0},
	{"rdpkru", c_rdpkru, 6, 0, 0, 0},
	{"a forged XSAVE header", c_xrstor, 13, 0, 0, &read_only},
	{"reserved bits of MXCSR", c_mxcsr, 13, 0, 3, &not_code},
	{"an x87 error", c_x87, 16, 0, 0, 0},
	{"an SSE error", c_sse, 19, 0, 3, 0},
	{"a load of nothing", c_load, 14, 4, 0, &not_bound},
	{"a store to nothing", c_store, 14, 6, 0, &not_bound},
	{"a store to what is read-only", c_store, 14, 7, 0, &read_only},
	{"a jump to nothing", c_jump, 14, 0x14, 2, &not_bound},
	{"a jump to what is no code", c_jump, 14, 0x15, 2, &not_code},
	{"a foreign system call", c_syscall, ARIL_VECTOR_SYSCALL, 0, 1, 0},
};

static int handler(struct core_frame *frame)
{
	seen++;
	if (nested_left) {
		u64 left = nested_left--;

		core_context()->mask = ARIL_MASK_ASYNC;
		if (left > 1)
			__asm__ volatile("ud2");
		frame->save.rip += 2;
		return 1;
	}
	seen_vector = frame->save.vector;
	seen_error = frame->save.error;
	seen_addr = frame->save.addr;
	seen_rip = frame->save.rip;
	frame->save.rip = resume_at;
	frame->save.rsp = resume_rsp;
	frame->save.rflags = 0x202;
	return 1;
}

static int try(const struct cause *c)
{
	u64 argument = c->argument ? *c->argument : 0;

	seen = 0;
	seen_vector = ANY;
	c->f(argument);
	u64 rip = c->trap == 1 ? fault_end : fault_at;
	if (c->trap == 2 && c->vector == 14)
		rip = argument;
	if (!seen && c->trap == 3)
		return 1;
	int right = seen == 1 && seen_vector == c->vector &&
		    (c->error == ANY || seen_error == c->error) &&
		    seen_addr == (c->vector == 14 ? argument : 0) &&
		    (seen_rip == rip || (c->trap == 2 && c->vector != 14));
	if (!right)
		core_log("exceptions: WRONG %s: %lu seen, vector %lu, error %#lx, address %#lx, at "
			 "%#lx not %#lx",
			 c->what, seen, seen_vector, seen_error, seen_addr, seen_rip, rip);
	return right;
}

/* A fault in the middle of x87 and vector work: all of it is there after. */
static int vectors_kept(void)
{
	u64 in[4] = {1, 2, 3, 4}, out[4] = {0};
	double x = 0;

	__asm__ volatile(
		"vmovdqu %2, %%ymm7\n\tfld1\n\tud2\n\tvmovdqu %%ymm7, %0\n\tfstpl %1\n\tvzeroupper"
		: "=m"(out), "=m"(x)
		: "m"(in)
		: "memory");
	return !memcmp(in, out, sizeof(in)) && *(u64 *)&x == 0x3ff0000000000000;
}

/* A child faults again and again, unmasked, at its entry: until its stack has no room. */
CHILD(deeper, "movq %rsp, %rax\n\tandq $-4096, %rax\n\tmovl $1, (%rax)\n\tud2");

static int deepest(void)
{
	static struct child c;

	if (child_make(&c, deeper, 0))
		return 0;
	const volatile struct aril_env_info *e = child_run(&c);
	return e->state == ARIL_ENV_DEAD && e->end == ARIL_END_FAULT && e->end_vector == 6 &&
	       e->end_rip > (u64)deeper && e->end_rip < (u64)deeper + 64 &&
	       e->upcalls == 2560 / ARIL_SAVE_BYTES;
}

int main(int argc, char **argv, char **envp)
{
	u32 frame, right = 0;
	u64 page = (u64)core_pages(3, &frame);

	(void)argc, (void)argv, (void)envp;
	not_code = page;
	read_only = page + ARIL_PAGE_SIZE;
	not_bound = page + 2 * ARIL_PAGE_SIZE;
	memset((void *)read_only, 0xff, ARIL_PAGE_SIZE); /* an XSAVE header of ones, too */
	core_map(&core_self, read_only, frame + 1, 1, 0, core_auth);
	core_unmap(&core_self, not_bound, 1);
	core_handlers.exception = handler;
	core_async_off();
	for (u32 i = 0; i < sizeof(causes) / sizeof(causes[0]); i++)
		right += try(&causes[i]);
	core_async_on();
	if (right == sizeof(causes) / sizeof(causes[0]))
		core_log("exceptions: %u causes ok", right);
	core_async_off();
	seen = 0;
	nested_left = 4;
	__asm__ volatile("ud2");
	core_async_on();
	core_log("exceptions: nested %s", seen == 4 && !nested_left ? "ok" : "WRONG");
	core_async_off();
	nested_left = 1;
	int kept = vectors_kept();
	core_async_on();
	core_log("exceptions: vector state %s", kept ? "ok" : "WRONG");
	core_log("exceptions: deepest ended alone, its cause is shown %s",
		 deepest() ? "ok" : "WRONG");
	core_log("exceptions: done");
	return 0;
}

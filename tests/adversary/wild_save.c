/* SPDX-License-Identifier: MIT
 * Has the kernel write save areas where they cannot go: a stack pointer in the kernel, at the edges of the
 * context, a context that is not bound, or is taken away, or was filled with lies. */
// expect: wild_save: refused a stack without room
// expect: wild_save: refused a forced state with a kernel address
// expect: wild_save: done
// forbid: wild_save: WRONG
#include "adversary.h"

/* Takes START, unmasks exceptions, sets rsp to r8, and faults. Entered again by the fault it ends with 77. */
#define FAULT_WITH(load)                                                                 \
	"cmpq $257, (%rsp)\n\tjne 1f\n\tmovq %rsp, %r8\n\tandq $-4096, %r8\n\tmovl $1, " \
	"(%r8)\n\t" load "\n\tud2\n1:\tcmpq $6, (%rsp)\n\tjne 2f\n\t" EXIT(77) "2:\t" EXIT(78)

CHILD(w_kernel, FAULT_WITH("movq $0xffffffff80100000, %rsp"));
CHILD(w_physical, FAULT_WITH("movq $0xffff800000200000, %rsp"));
CHILD(w_hole, FAULT_WITH("movq $0x0000800000000008, %rsp"));
CHILD(w_zero, FAULT_WITH("xorl %esp, %esp"));
CHILD(w_ones, FAULT_WITH("movq $-1, %rsp"));
CHILD(w_header, FAULT_WITH("leaq 8(%r8), %rsp"));
CHILD(w_low, FAULT_WITH("leaq 1536(%r8), %rsp"));
CHILD(w_noroom, FAULT_WITH("leaq 1544(%r8), %rsp"));
CHILD(w_noroom2, FAULT_WITH("leaq 1615(%r8), %rsp"));
CHILD(w_room, FAULT_WITH("leaq 1616(%r8), %rsp"));
CHILD(w_odd, FAULT_WITH("leaq 4095(%r8), %rsp"));
CHILD(w_top, FAULT_WITH("leaq 4096(%r8), %rsp"));
CHILD(w_above, FAULT_WITH("leaq 4097(%r8), %rsp"));
/* Nests exceptions until the stack is full. */
CHILD(w_nest, "movq %rsp, %r8\n\tandq $-4096, %r8\n\tmovl $1, (%r8)\n\tud2");
CHILD(w_push, "pushq %rax\n\t" EXIT(1));
CHILD(w_exit, EXIT(5));

static struct child c;

static void ended(const char *what, u32 end, int vector)
{
	const volatile struct aril_env_info *e = child_run(&c);

	if (e->state != ARIL_ENV_DEAD || (end && e->end != end) ||
	    (vector >= 0 && e->end_vector != (u32)vector))
		core_log("%s: WRONG %s: state %u, end %u, exception %u", NAME, what, e->state,
			 e->end, e->end_vector);
	else
		core_log("%s: refused %s (end %u, exception %u)", NAME, what, e->end,
			 e->end_vector);
}

static void context_gone(void)
{
	allowed("a child", child_make(&c, w_push, 0));
	allowed("unbinding its context", core_unmap(&core_self, (u64)c.context, 1));
	ended("a context that is not bound", ARIL_END_FAULT, 14);
	core_map(&core_self, (u64)c.context, c.context_frame, 1, ARIL_BIND_WRITE, core_auth);

	allowed("a child", child_make(&c, w_exit, 0));
	s64 reset = aril_frame_reset(core_auth, c.context_frame);
	core_log("%s: resetting a context's frame gave %ld", NAME, reset);
	if (env_info(c.env)->state == ARIL_ENV_ALIVE)
		ended("a context whose frame was reset", 0, -1);
	else
		core_log("%s: refused to keep an env without its context", NAME);
	c.context = NULL;
	c.frame = 0;
}

/* Lies in the state that the kernel resumes from. */
static void forced(const char *what, u64 rip, u64 rflags, u64 rsp, u64 fs, u8 vector_byte)
{
	allowed("a child", child_make(&c, w_exit, 0));
	memset(c.context->state.xsave, vector_byte, sizeof(c.context->state.xsave));
	c.context->state.rip = rip;
	c.context->state.rflags = rflags;
	c.context->state.rsp = rsp;
	c.context->state.fs_base = fs;
	c.context->forced = 1;
	const volatile struct aril_env_info *e = child_run(&c);
	if (e->state != ARIL_ENV_DEAD)
		core_log("%s: WRONG %s: state %u", NAME, what, e->state);
	else
		core_log("%s: refused %s (end %u, status %ld, exception %u)", NAME, what, e->end,
			 e->status, e->end_vector);
}

int main(int argc, char **argv, char **envp)
{
	(void)argc;
	(void)argv;
	(void)envp;
	exits("a stack in the kernel", w_kernel, 77);
	exits("a stack in all memory", w_physical, 77);
	exits("a stack in the hole", w_hole, 77);
	exits("a stack at zero", w_zero, 77);
	exits("a stack at the end", w_ones, 77);
	exits("a stack in the context's head", w_header, 77);
	dies("a stack that is full", w_low, 6);
	dies("a stack without room", w_noroom, 6);
	dies("a stack almost without room", w_noroom2, 6);
	exits("a stack with just enough room", w_room, 77);
	exits("an odd stack", w_odd, 77);
	exits("a stack at the top", w_top, 77);
	exits("a stack above", w_above, 77);
	dies("nesting without end", w_nest, 6);
	context_gone();
	forced("a forced state with a kernel address", ARIL_KERNEL_VA + 0x100000, 0x202, 0, 0, 0);
	forced("a forced state in the hole", 0x0000800000000000, 0x202, 0, 0, 0);
	forced("a forced state with all flags", (u64)w_exit, ~0ul, 0, 0, 0);
	forced("a forced state with a wild base", (u64)w_exit, 0x202, 0, 0x8000000000000000, 0);
	forced("a forced state with wild vector state", (u64)w_exit, 0x202, 0, 0, 0xff);
	forced("a forced state with a wild stack", (u64)w_exit, 0x202, 0x8000000000000000, 0, 0);
	return done();
}

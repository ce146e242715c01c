/* SPDX-License-Identifier: MIT
 * The frame of a signal handler on the program's stack, as Linux lays it out, and the way back from it. */
#include <aril/info.h>

#include "proc_calls.h"
#include "proc_internal.h"
#include "sched.h"

#define FX_SW_BYTES 464 /* where the FXSAVE area says what follows it */
#define FX_BYTES 512
#define XSAVE_HEADER 512 /* xstate_bv, xcomp_bv, 48 reserved bytes */
#define FX_MXCSR 24
#define FX_MXCSR_MASK 28
#define RED_ZONE 128
/* Arithmetic flags, TF, DF, RF, AC: what a program may set through its frame. */
#define RFLAGS_PROGRAM 0x50dd5ul

static int on_altstack(const struct thread *t, u64 sp)
{
	return sp > t->altstack_sp && sp - t->altstack_sp <= t->altstack_size;
}

/* What sigaltstack reports as flags. */
static u32 altstack_flags(const struct thread *t, u64 sp)
{
	if (!t->altstack_size)
		return SS_DISABLE;
	return (on_altstack(t, sp) ? SS_ONSTACK : 0) | t->altstack_flags;
}

void siginfo_to_linux(const struct siginfo_k *from, struct linux_siginfo *to)
{
	*to = (struct linux_siginfo){
		.signo = from->signo, .errnum = from->errnum, .code = from->code};
	if (from->signo == SIGCHLD && from->code > 0) {
		to->child.pid = from->pid;
		to->child.uid = (u32)from->uid;
		to->child.status = from->status;
	} else if (from->code > 0 && from->code != SI_KERNEL) {
		to->fault.addr = from->addr;
	} else {
		to->kill.pid = from->pid;
		to->kill.uid = (u32)from->uid;
		to->kill.value = from->value;
	}
}

static void context_fill(struct linux_sigcontext *c, const struct user_regs *r, u64 mask)
{
	const struct thread *t = current();
	*c = (struct linux_sigcontext){
		.r8 = r->r8,
		.r9 = r->r9,
		.r10 = r->r10,
		.r11 = r->r11,
		.r12 = r->r12,
		.r13 = r->r13,
		.r14 = r->r14,
		.r15 = r->r15,
		.rdi = r->rdi,
		.rsi = r->rsi,
		.rbp = r->rbp,
		.rbx = r->rbx,
		.rdx = r->rdx,
		.rax = r->rax,
		.rcx = r->rcx,
		.rsp = r->rsp,
		.rip = r->rip,
		.rflags = r->rflags,
		.cs = (u16)r->cs,
		.ss = (u16)r->ss,
		.err = t->fault_error,
		.trapno = t->fault_vector,
		.oldmask = mask,
		.cr2 = t->fault_addr,
	};
}

static void context_restore(const struct linux_sigcontext *c, struct user_regs *r)
{
	r->r8 = c->r8, r->r9 = c->r9, r->r10 = c->r10, r->r11 = c->r11, r->r12 = c->r12,
	r->r13 = c->r13;
	r->r14 = c->r14, r->r15 = c->r15, r->rdi = c->rdi, r->rsi = c->rsi, r->rbp = c->rbp,
	r->rbx = c->rbx;
	r->rdx = c->rdx, r->rax = c->rax, r->rcx = c->rcx, r->rsp = c->rsp, r->rip = c->rip;
	r->rflags = (r->rflags & ~RFLAGS_PROGRAM) | (c->rflags & RFLAGS_PROGRAM);
	r->orig_rax = ~0ul; /* rax is the program's, not a call's result */
}

/* Writes the vector state at `to`, 64-byte aligned, with what tells its readers its size. Leaves the registers
 * in their initial state, as a handler finds them. 0, -EFAULT, -ENOMEM. */
static int vector_push(u64 to)
{
	u32 bytes = ARIL_INFO->xsave_bytes, magic2 = FP_XSTATE_MAGIC2;
	u8 *area = page_zalloc(0);
	if (!area)
		return -ENOMEM;
	vector_save(area);
	*(struct linux_fpx_sw_bytes *)(area + FX_SW_BYTES) = (struct linux_fpx_sw_bytes){
		.magic1 = FP_XSTATE_MAGIC1,
		.extended_size = bytes + (u32)sizeof(magic2),
		.xfeatures = ARIL_INFO->xcr0,
		.xstate_size = bytes,
	};
	int error = copy_out(to, area, bytes);
	if (!error)
		error = copy_out(to + bytes, &magic2, sizeof(magic2));
	if (!error)
		vector_load(vector_initial);
	page_put(area);
	return error;
}

/* Reads the vector state that a frame carries (an FXSAVE area alone where its marks are gone) and loads it, after
 * clearing all that XRSTOR would refuse. 0 or -EFAULT, -ENOMEM. */
static int vector_pop(u64 from)
{
	u32 bytes = ARIL_INFO->xsave_bytes, mask = 0, magic2 = 0;
	if (!from) {
		vector_load(vector_initial);
		return 0;
	}
	u8 *area = page_zalloc(0);
	if (!area)
		return -ENOMEM;
	int error = copy_in(area, from, FX_BYTES);
	const struct linux_fpx_sw_bytes *sw = (void *)(area + FX_SW_BYTES);
	int extended = sw->magic1 == FP_XSTATE_MAGIC1 && sw->xstate_size == bytes &&
		       !copy_in(&magic2, from + bytes, sizeof(magic2)) &&
		       magic2 == FP_XSTATE_MAGIC2;
	if (!error && extended)
		error = copy_in(area + FX_BYTES, from + FX_BYTES, bytes - FX_BYTES);
	if (!error) {
		u64 *header = (u64 *)(area + XSAVE_HEADER);
		u64 present = extended ? header[0] & ARIL_INFO->xcr0 : 3;
		__builtin_memset(header, 0, 64);
		header[0] = present;
		u8 *probe = page_zalloc(0);
		if (probe) {
			vector_save(probe);
			mask = *(u32 *)(probe + FX_MXCSR_MASK);
			page_put(probe);
		}
		*(u32 *)(area + FX_MXCSR) &= mask ? mask : 0xffbf;
		vector_load(area);
	}
	page_put(area);
	return error;
}

int sigframe_push(struct user_regs *regs, const struct siginfo_k *info,
		  const struct linux_sigaction *action, u64 mask)
{
	struct thread *t = current();
	u64 sp = regs->rsp - RED_ZONE;
	struct linux_rt_sigframe frame = {.restorer = action->restorer};
	if (!(action->flags & SA_RESTORER))
		return -EFAULT;
	if ((action->flags & SA_ONSTACK) && t->altstack_size && !on_altstack(t, regs->rsp))
		sp = t->altstack_sp + t->altstack_size;
	u64 fpstate = (sp - (ARIL_INFO->xsave_bytes + 4)) & ~63ul;
	sp = ((fpstate - sizeof(frame)) & ~15ul) - 8;
	if (on_altstack(t, regs->rsp) && (action->flags & SA_ONSTACK) && !on_altstack(t, sp))
		return -EFAULT; /* would run over the alternate stack's end */
	frame.uc.flags = UC_FP_XSTATE | UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS;
	frame.uc.stack = (struct linux_stack){t->altstack_sp, altstack_flags(t, regs->rsp), 0,
					      t->altstack_size};
	context_fill(&frame.uc.mcontext, regs, mask);
	frame.uc.mcontext.fpstate = fpstate;
	frame.uc.sigmask = mask;
	siginfo_to_linux(info, &frame.info);
	if (copy_out(sp, &frame, sizeof(frame)) || vector_push(fpstate))
		return -EFAULT;
	if (t->altstack_flags & SS_AUTODISARM)
		t->altstack_sp = t->altstack_size = t->altstack_flags = 0;
	regs->rdi = (u64)info->signo;
	regs->rsi = sp + __builtin_offsetof(struct linux_rt_sigframe, info);
	regs->rdx = sp + __builtin_offsetof(struct linux_rt_sigframe, uc);
	regs->rax = 0;
	regs->rip = action->handler;
	regs->rsp = sp;
	regs->rflags &= ~0x10500ul; /* RF, DF, TF */
	return 0;
}

/* A new alternate stack: 0, -EPERM while on it, -EINVAL, -ENOMEM. */
static s64 altstack_set(struct thread *t, const struct linux_stack *s, u64 sp)
{
	u32 mode = s->flags & ~SS_AUTODISARM;
	if (t->altstack_size && on_altstack(t, sp) && !(t->altstack_flags & SS_AUTODISARM))
		return -EPERM;
	if (mode != 0 && mode != SS_ONSTACK && mode != SS_DISABLE)
		return -EINVAL;
	if (mode == SS_DISABLE) {
		t->altstack_sp = t->altstack_size = t->altstack_flags = 0;
		return 0;
	}
	if (s->size < MINSIGSTKSZ)
		return -ENOMEM;
	t->altstack_sp = s->sp;
	t->altstack_size = s->size;
	t->altstack_flags = s->flags & SS_AUTODISARM;
	return 0;
}

s64 sys_sigaltstack(u64 new_stack, u64 old_stack)
{
	struct thread *t = current();
	struct linux_stack wanted,
		old = {t->altstack_sp, altstack_flags(t, t->regs->rsp), 0, t->altstack_size};
	if (new_stack) {
		if (copy_in(&wanted, new_stack, sizeof(wanted)))
			return -EFAULT;
		s64 error = altstack_set(t, &wanted, t->regs->rsp);
		if (error)
			return error;
	}
	return old_stack ? copy_out(old_stack, &old, sizeof(old)) : 0;
}

/* The handler's return address popped the frame's first word; rsp is behind it. A frame that cannot be read, or
 * names an address outside the program's half, is SIGSEGV. */
s64 sys_rt_sigreturn(void)
{
	struct thread *t = current();
	struct user_regs *regs = t->regs;
	struct linux_rt_sigframe frame;
	u64 at = regs->rsp - 8;
	if (copy_in(&frame, at, sizeof(frame) - sizeof(frame.info)) ||
	    frame.uc.mcontext.rip >= ARIL_USER_TOP || vector_pop(frame.uc.mcontext.fpstate)) {
		regs->orig_rax = ~0ul;
		signal_force(SIGSEGV, &(struct siginfo_k){.code = SI_KERNEL});
		return 0;
	}
	signal_set_mask(t, frame.uc.sigmask);
	context_restore(&frame.uc.mcontext, regs);
	altstack_set(t, &frame.uc.stack, regs->rsp); /* as Linux: an error here is not reported */
	return (s64)regs->rax;
}

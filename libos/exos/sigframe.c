/* SPDX-License-Identifier: MIT
 * The frame of a signal handler on the program's stack, as Linux lays it out, and the way back from it. */
#include <aril/info.h>

#include "proc_calls.h"
#include "proc_internal.h"
#include "rewrite.h"
#include "sched.h"
#include "usermem.h"

#define FX_SW_BYTES 464 /* where the FXSAVE area says what follows it */
#define FX_SW_WORDS 6
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

/* The marks by which readers of a frame know its vector state: what the FXSAVE area says, as words. */
static inline u64 mark_size(u32 bytes)
{
	return FP_XSTATE_MAGIC1 | (u64)(bytes + sizeof(u32)) << 32;
}

/* Sixteen zero bytes each, by xmm0, which is zero. */
#define ZERO(local, at, offset) \
#local ": movups %%xmm0, " #offset "(%" #at ")\n" USER_FAULT(#local "b", "fault")

/* Writes the vector state at `to`, 64-byte aligned in the program's half, with what tells its readers its size; and
 * zeroes into what of the frame at f has no meaning yet. The registers are in their initial state then, as a handler
 * finds them. XSAVE leaves the bytes as they are that it has no use for: XRSTOR wants those of the header zero.
 * 0 or -EFAULT. */
static int vector_push(u64 to, struct linux_rt_sigframe *f)
{
	u32 bytes = ARIL_INFO->xsave_bytes;
	u64 *mark = (u64 *)(to + FX_SW_BYTES);

	USER_PUT((u64 *)(to + XSAVE_HEADER), 0,
		 fault); /* XSAVE keeps the bits of what is not enabled */
	asm goto("1: xsave64 (%0)\n" USER_FAULT("1b", "fault")::"r"(to), "a"(-1), "d"(-1)
		 : "memory"
		 : fault);
	USER_PUT(&mark[0], mark_size(bytes), fault);
	USER_PUT(&mark[1], ARIL_INFO->xcr0, fault);
	USER_PUT(&mark[2], bytes, fault);
	USER_PUT(&mark[3], 0, fault);
	/* clang-format off */
	asm goto("xorps %%xmm0, %%xmm0\n"
		 ZERO(1, 0, 496)				      /* the marks' end */
		 ZERO(2, 0, 520) ZERO(3, 0, 536) ZERO(4, 0, 552) ZERO(5, 0, 560) /* the header's */
		 ZERO(6, 1, 240) ZERO(7, 1, 256) ZERO(8, 1, 272) ZERO(9, 1, 288) /* the context's */
		 ZERO(10, 1, 352) ZERO(11, 1, 368) ZERO(12, 1, 384) ZERO(13, 1, 400) ZERO(14, 1, 416)
		 ZERO(15, 1, 424)				      /* the information's */
		 : : "r"(to), "r"(f) : "memory" : fault);
	asm goto("1: movl %1, (%0)\n" USER_FAULT("1b", "fault")
		 : : "r"(to + bytes), "i"(FP_XSTATE_MAGIC2) : "memory" : fault);
	/* clang-format on */
	vector_load(vector_initial);
	return 0;
fault:
	return -EFAULT;
}
_Static_assert(__builtin_offsetof(struct linux_rt_sigframe, uc.mcontext.reserved) == 240 &&
		       __builtin_offsetof(struct linux_rt_sigframe, uc.sigmask) == 304 &&
		       __builtin_offsetof(struct linux_rt_sigframe, info) == 312 &&
		       sizeof(struct linux_rt_sigframe) == 440,
	       "what vector_push clears");

/* A vector state whose marks are not those that vector_push writes: an FXSAVE area, or all of it, after clearing what
 * XRSTOR would refuse. 0 or -EFAULT, -ENOMEM. */
static int vector_pop_other(u64 from)
{
	u32 bytes = ARIL_INFO->xsave_bytes, mask = 0, magic2 = 0;
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

/* Loads the vector state that a frame carries, from where it lies; what XRSTOR refuses there is the program's fault, as
 * with Linux. None: the initial state. 0 or -EFAULT, -ENOMEM. */
static int vector_pop(u64 from)
{
	u32 bytes = ARIL_INFO->xsave_bytes;
	const u64 *mark = (const u64 *)(from + FX_SW_BYTES);
	u64 size, features, length;
	u32 magic2;

	if (!from) {
		vector_load(vector_initial);
		return 0;
	}
	if (from > PROGRAM_TOP - PAGE)
		return -EFAULT;
	USER_GET(size, &mark[0], fault);
	USER_GET(features, &mark[1], fault);
	USER_GET(length, &mark[2], fault);
	if (size != mark_size(bytes) || features != ARIL_INFO->xcr0 || (u32)length != bytes)
		return vector_pop_other(from);
	asm goto("1: movl (%1), %0\n" USER_FAULT("1b", "fault")
		 : "=r"(magic2)
		 : "r"(from + bytes)
		 :
		 : fault);
	if (magic2 != FP_XSTATE_MAGIC2)
		return vector_pop_other(from);
	asm goto("1: xrstor64 (%0)\n" USER_FAULT("1b", "fault")::"r"(from), "a"(-1), "d"(-1)
		 : "memory"
		 : fault);
	return 0;
fault:
	return -EFAULT;
}

/* The words of a siginfo that are not zero. */
static int info_push(struct linux_rt_sigframe *f, const struct siginfo_k *info)
{
	u64 *word = (u64 *)&f->info, first, second = 0;

	if (info->signo == SIGCHLD && info->code > 0) {
		first = (u32)info->pid | (u64)(u32)info->uid << 32;
		second = (u32)info->status;
	} else if (info->code > 0 && info->code != SI_KERNEL) {
		first = info->addr;
	} else {
		first = (u32)info->pid | (u64)(u32)info->uid << 32;
		second = info->value;
	}
	USER_PUT(&word[0], (u32)info->signo | (u64)(u32)info->errnum << 32, fault);
	USER_PUT(&word[1], (u32)info->code, fault);
	USER_PUT(&word[2], first, fault);
	USER_PUT(&word[3], second, fault);
	USER_PUT(&word[4], 0, fault);
	return 0;
fault:
	return -EFAULT;
}

static int context_push(struct linux_rt_sigframe *f, const struct user_regs *r, u64 mask,
			u64 fpstate)
{
	struct linux_sigcontext *c = &f->uc.mcontext;
	const struct thread *t = current();

	USER_PUT(&c->r8, r->r8, fault);
	USER_PUT(&c->r9, r->r9, fault);
	USER_PUT(&c->r10, r->r10, fault);
	USER_PUT(&c->r11, r->r11, fault);
	USER_PUT(&c->r12, r->r12, fault);
	USER_PUT(&c->r13, r->r13, fault);
	USER_PUT(&c->r14, r->r14, fault);
	USER_PUT(&c->r15, r->r15, fault);
	USER_PUT(&c->rdi, r->rdi, fault);
	USER_PUT(&c->rsi, r->rsi, fault);
	USER_PUT(&c->rbp, r->rbp, fault);
	USER_PUT(&c->rbx, r->rbx, fault);
	USER_PUT(&c->rdx, r->rdx, fault);
	USER_PUT(&c->rax, r->rax, fault);
	USER_PUT(&c->rcx, r->rcx, fault);
	USER_PUT(&c->rsp, r->rsp, fault);
	USER_PUT(&c->rip, r->rip, fault);
	USER_PUT(&c->rflags, r->rflags, fault);
	USER_PUT((u64 *)&c->cs, (u16)r->cs | r->ss << 48, fault);
	USER_PUT(&c->err, t->fault_error, fault);
	USER_PUT(&c->trapno, t->fault_vector, fault);
	USER_PUT(&c->oldmask, mask, fault);
	USER_PUT(&c->cr2, t->fault_addr, fault);
	USER_PUT(&c->fpstate, fpstate, fault);
	return 0;
fault:
	return -EFAULT;
}

static int frame_push(struct linux_rt_sigframe *f, const struct linux_sigaction *action, u64 mask)
{
	const struct thread *t = current();

	USER_PUT(&f->restorer, action->restorer, fault);
	USER_PUT(&f->uc.flags, UC_FP_XSTATE | UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS, fault);
	USER_PUT(&f->uc.link, 0, fault);
	USER_PUT(&f->uc.stack.sp, t->altstack_sp, fault);
	USER_PUT((u64 *)&f->uc.stack.flags, t->altstack_size ? t->altstack_flags : SS_DISABLE,
		 fault);
	USER_PUT(&f->uc.stack.size, t->altstack_size, fault);
	USER_PUT(&f->uc.sigmask, mask, fault);
	return 0;
fault:
	return -EFAULT;
}

int sigframe_push(struct user_regs *regs, const struct siginfo_k *info,
		  const struct linux_sigaction *action, u64 mask)
{
	struct thread *t = current();
	u64 sp = regs->rsp - RED_ZONE;
	if (!(action->flags & SA_RESTORER))
		return -EFAULT;
	regs->rip = rewrite_shown(regs->rip);
	if ((action->flags & SA_ONSTACK) && t->altstack_size && !on_altstack(t, regs->rsp))
		sp = t->altstack_sp + t->altstack_size;
	u64 fpstate = (sp - (ARIL_INFO->xsave_bytes + 4)) & ~63ul;
	struct linux_rt_sigframe *f = (void *)(((fpstate - sizeof(*f)) & ~15ul) - 8);
	if (on_altstack(t, regs->rsp) && (action->flags & SA_ONSTACK) && !on_altstack(t, (u64)f))
		return -EFAULT; /* would run over the alternate stack's end */
	if (sp > PROGRAM_TOP || (u64)f >= sp)
		return -EFAULT;
	if (vector_push(fpstate, f) || context_push(f, regs, mask, fpstate) ||
	    frame_push(f, action, mask) || info_push(f, info))
		return -EFAULT;
	if (t->altstack_flags & SS_AUTODISARM)
		t->altstack_sp = t->altstack_size = t->altstack_flags = 0;
	regs->rdi = (u64)info->signo;
	regs->rsi = (u64)&f->info;
	regs->rdx = (u64)&f->uc;
	regs->rax = 0;
	regs->rip = action->handler;
	regs->rsp = (u64)f;
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

/* From a frame to the program's registers; rip was looked at. */
static int context_pop(const struct linux_sigcontext *c, struct user_regs *r)
{
	u64 rflags;

	USER_GET(r->r8, &c->r8, fault);
	USER_GET(r->r9, &c->r9, fault);
	USER_GET(r->r10, &c->r10, fault);
	USER_GET(r->r11, &c->r11, fault);
	USER_GET(r->r12, &c->r12, fault);
	USER_GET(r->r13, &c->r13, fault);
	USER_GET(r->r14, &c->r14, fault);
	USER_GET(r->r15, &c->r15, fault);
	USER_GET(r->rdi, &c->rdi, fault);
	USER_GET(r->rsi, &c->rsi, fault);
	USER_GET(r->rbp, &c->rbp, fault);
	USER_GET(r->rbx, &c->rbx, fault);
	USER_GET(r->rdx, &c->rdx, fault);
	USER_GET(r->rax, &c->rax, fault);
	USER_GET(r->rcx, &c->rcx, fault);
	USER_GET(r->rsp, &c->rsp, fault);
	USER_GET(rflags, &c->rflags, fault);
	r->rflags = (r->rflags & ~RFLAGS_PROGRAM) | (rflags & RFLAGS_PROGRAM);
	return 0;
fault:
	return -EFAULT;
}

/* The frame's alternate stack, where it differs. As with Linux, a bad one is not reported. 0 or -EFAULT. */
static int stack_pop(const struct linux_stack *s, struct thread *t, u64 sp)
{
	struct linux_stack stack;
	u64 flags;

	USER_GET(stack.sp, &s->sp, fault);
	USER_GET(flags, (const u64 *)&s->flags, fault);
	USER_GET(stack.size, &s->size, fault);
	stack.flags = (u32)flags;
	if (stack.sp == t->altstack_sp && stack.size == t->altstack_size &&
	    (stack.size ? (stack.flags & ~SS_ONSTACK) == t->altstack_flags
			: stack.flags == SS_DISABLE))
		return 0;
	altstack_set(t, &stack, sp);
	return 0;
fault:
	return -EFAULT;
}

static int sigframe_pop(const struct linux_rt_sigframe *f, struct user_regs *regs, u64 *mask)
{
	struct thread *t = current();
	u64 rip, fpstate;

	if ((u64)f > PROGRAM_TOP - sizeof(*f))
		return -EFAULT;
	USER_GET(rip, &f->uc.mcontext.rip, fault);
	USER_GET(fpstate, &f->uc.mcontext.fpstate, fault);
	USER_GET(*mask, &f->uc.sigmask, fault);
	if (rip >= ARIL_USER_TOP || vector_pop(fpstate) || context_pop(&f->uc.mcontext, regs))
		return -EFAULT;
	regs->rip = rip;
	return stack_pop(&f->uc.stack, t, regs->rsp);
fault:
	return -EFAULT;
}

/* The handler's return address popped the frame's first word; rsp is behind it. A frame that cannot be read, or
 * names an address outside the program's half, or a vector state that cannot be loaded, is SIGSEGV. */
s64 sys_rt_sigreturn(void)
{
	struct thread *t = current();
	struct user_regs *regs = t->regs;
	u64 mask;

	if (sigframe_pop((const void *)(regs->rsp - 8), regs, &mask)) {
		family_lock();
		signal_force(SIGSEGV, &(struct siginfo_k){.code = SI_KERNEL});
		family_unlock();
		mask = t->sig_mask;
	}
	regs->orig_rax = ~0ul; /* rax is the program's, not a call's result */
	signal_set_mask(t, mask);
	return (s64)regs->rax;
}

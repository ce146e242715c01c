/* SPDX-License-Identifier: MIT
 * The frame of a signal handler on the program's stack, as Linux lays it out, and the way back from it. */
#include <aril/info.h>

#include "guard.h"
#include "mm.h"
#include "proc_calls.h"
#include "proc_internal.h"
#include "rewrite.h"
#include "sched.h"
#include "usermem.h"

#define FX_SW_BYTES 464 /* where the FXSAVE area says what follows it */
#define FX_BYTES 512
#define XSAVE_HEADER 512 /* xstate_bv, xcomp_bv, 48 reserved bytes */
#define FX_MXCSR 24
#define FX_MXCSR_MASK 28
#define RED_ZONE 128

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
	*to = (struct linux_siginfo){.signo = 0};
	__builtin_memcpy(to, from, sizeof(*from));
}

/* What is the same in each frame: words 0 to 2 are the marks by which its readers know the vector state, in the bytes of
 * vector_initial that XRSTOR does not look at, 3 is zero; then cs, gs, fs, ss. */
static u64 *const marks = (u64 *)(vector_initial + FX_SW_BYTES);
#define MARK_SEGMENTS 4
#define MARK_WIDE 5 /* whether there is AVX2 */

/* Whether the processor has AVX2, and its registers are enabled. */
static int vectors_wide(void)
{
	u32 a = 7, b, c = 0, d;

	__asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
	return (ARIL_INFO->xcr0 & 4) != 0 && (b >> 5 & 1);
}

void sigframe_boot(void)
{
	u32 bytes = ARIL_INFO->xsave_bytes;
	u64 cs, ss;

	__asm__("movl %%cs, %k0" : "=r"(cs));
	__asm__("movl %%ss, %k0" : "=r"(ss));
	marks[0] = FP_XSTATE_MAGIC1 | (u64)(bytes + sizeof(u32)) << 32;
	marks[1] = ARIL_INFO->xcr0;
	marks[2] = bytes;
	marks[MARK_SEGMENTS] = cs | ss << 48;
	marks[MARK_WIDE] = (u64)vectors_wide();
}

/* An instruction on the program's memory; two registers, one after the other in user_regs, to their places; and 16 zero
 * bytes by xmm0, in the frame or the vector state. */
#define TOUCH(instruction) "771: " instruction "\n" USER_FAULT("771b", "fault")
#define TWO(from, low, high)                                                         \
	"movups " #from "(%[regs]), %%xmm0\n" TOUCH("movlps %%xmm0, " #low "(%[f])") \
		TOUCH("movhps %%xmm0, " #high "(%[f])")
#define ZERO(at) TOUCH("movups %%xmm0, " #at "(%[f])")
#define ZERO_STATE(at) TOUCH("movups %%xmm0, " #at "(%[state])")

/* Writes the vector state, the registers, and all else of a frame that frame_write does not; first the frame's ends, so that a
 * page that is not there is found while the vector registers are whole. XSAVE leaves those bytes as they are that it has
 * no use for; XRSTOR wants the header's zero. Behind it the vector registers are free, and in the end in their initial
 * state, as a handler finds them. 0 or -EFAULT. */
static inline __attribute__((always_inline)) int state_write(struct linux_rt_sigframe *f, u64 state,
							     const struct user_regs *regs,
							     const struct siginfo_k *info,
							     u64 restorer, const struct thread *t)
{
	/* clang-format off */
#define ENDS                                                                                       \
	TOUCH("movq %[restorer], (%[f])")                                                          \
	TOUCH("movl %[magic2], (%[state], %[bytes])")                                              \
	TOUCH("movq $0, 512(%[state])")                                                            \
	TOUCH("xsave64 (%[state])")
#define SAME_ORDER                                                                                 \
	"movups 32(%[regs]), %%xmm0\n"                                                             \
	TOUCH("movups %%xmm0, 128(%[f])") /* rbp, rbx */                                           \
	"movups 80(%[regs]), %%xmm0\n"                                                             \
	TOUCH("movups %%xmm0, 152(%[f])") /* rax, rcx */                                           \
	TWO(96, 144, 120) /* rdx, rsi */                                                           \
	TWO(144, 184, 168) /* rflags, rsp */                                                       \
	"movups (%[fault_at]), %%xmm0\n"                                                           \
	TOUCH("movups %%xmm0, 200(%[f])") /* err, trapno */
#define OPERANDS                                                                                   \
	[state] "r"(state), [f] "r"(f), [regs] "r"(regs), [info] "r"(info),                        \
	[fault_at] "r"(&t->fault_error), [initial] "r"(vector_initial), [restorer] "r"(restorer),  \
	[bytes] "r"(marks[2]), [magic2] "i"(FP_XSTATE_MAGIC2), "a"(-1), "d"(-1)
	if (marks[MARK_WIDE])
		/* four words at once, and their order turned round */
		asm goto(ENDS SAME_ORDER
			 "vpermq $0x1b, (%[regs]), %%ymm0\n"
			 TOUCH("vmovdqu %%ymm0, 80(%[f])") /* r12 to r15 */
			 "vpermq $0x1b, 48(%[regs]), %%ymm0\n"
			 TOUCH("vmovdqu %%ymm0, 48(%[f])") /* r8 to r11 */
			 "vmovdqu (%[info]), %%ymm0\n"
			 TOUCH("vmovdqu %%ymm0, 312(%[f])")
			 "vmovdqu 464(%[initial]), %%ymm0\n"
			 TOUCH("vmovdqu %%ymm0, 464(%[state])")
			 "vpxor %%xmm0, %%xmm0, %%xmm0\n"
			 TOUCH("vmovdqu %%xmm0, 496(%[state])")
			 TOUCH("vmovdqu %%ymm0, 520(%[state])") TOUCH("vmovdqu %%ymm0, 544(%[state])")
			 TOUCH("vmovdqu %%ymm0, 240(%[f])") TOUCH("vmovdqu %%ymm0, 272(%[f])")
			 TOUCH("vmovdqu %%ymm0, 344(%[f])") TOUCH("vmovdqu %%ymm0, 376(%[f])")
			 TOUCH("vmovdqu %%ymm0, 408(%[f])")
			 "xrstor64 (%[initial])\n"
			 : : OPERANDS : "memory" : fault);
	else
		asm goto(ENDS SAME_ORDER
			 TWO(0, 104, 96) TWO(16, 88, 80) /* r15, r14; r13, r12 */
			 TWO(48, 72, 64) TWO(64, 56, 48) /* r11, r10; r9, r8 */
			 "movups (%[info]), %%xmm0\n"
			 "movups 16(%[info]), %%xmm1\n"
			 TOUCH("movups %%xmm0, 312(%[f])")
			 TOUCH("movups %%xmm1, 328(%[f])")
			 "movups 464(%[initial]), %%xmm0\n"
			 "movups 480(%[initial]), %%xmm1\n"
			 TOUCH("movups %%xmm0, 464(%[state])")
			 TOUCH("movups %%xmm1, 480(%[state])")
			 "xorps %%xmm0, %%xmm0\n"
			 ZERO_STATE(496)
			 ZERO_STATE(520) ZERO_STATE(536) ZERO_STATE(552) ZERO_STATE(560)
			 ZERO(240) ZERO(256) ZERO(272) ZERO(288)
			 ZERO(344) ZERO(360) ZERO(376) ZERO(392) ZERO(408) ZERO(424)
			 "xrstor64 (%[initial])\n"
			 : : OPERANDS : "memory" : fault);
	/* clang-format on */
	return 0;
fault:
	return -EFAULT;
}
_Static_assert(__builtin_offsetof(struct linux_rt_sigframe, uc.mcontext.r8) == 48 &&
		       __builtin_offsetof(struct linux_rt_sigframe, uc.mcontext.err) == 200 &&
		       __builtin_offsetof(struct linux_rt_sigframe, uc.mcontext.reserved) == 240 &&
		       __builtin_offsetof(struct linux_rt_sigframe, uc.sigmask) == 304 &&
		       __builtin_offsetof(struct linux_rt_sigframe, info) == 312 &&
		       sizeof(struct linux_rt_sigframe) == 440 && sizeof(struct siginfo_k) == 32,
	       "state_write");
_Static_assert(__builtin_offsetof(struct linux_rt_sigframe, uc.mcontext.r8) == FRAME_R8 &&
		       __builtin_offsetof(struct linux_rt_sigframe, uc.mcontext.rcx) == FRAME_RCX &&
		       __builtin_offsetof(struct linux_rt_sigframe, uc.mcontext.rflags) ==
			       FRAME_RFLAGS,
	       "entry.S");

static inline __attribute__((always_inline)) int frame_write(struct linux_rt_sigframe *f, u64 state,
							     const struct user_regs *regs, u64 mask,
							     const struct thread *t)
{
	struct linux_sigcontext *c = &f->uc.mcontext;

	USER_PUT(&f->uc.flags, UC_FP_XSTATE | UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS, fault);
	USER_PUT(&f->uc.link, 0, fault);
	USER_PUT(&f->uc.stack.sp, t->altstack_sp, fault);
	USER_PUT((u64 *)&f->uc.stack.flags, t->altstack_size ? t->altstack_flags : SS_DISABLE,
		 fault);
	USER_PUT(&f->uc.stack.size, t->altstack_size, fault);
	USER_PUT(&f->uc.sigmask, mask, fault);
	USER_PUT(&c->rdi, regs->rdi, fault);
	USER_PUT(&c->rip, regs->rip, fault);
	USER_PUT((u64 *)&c->cs, marks[MARK_SEGMENTS], fault);
	USER_PUT(&c->oldmask, mask, fault);
	USER_PUT(&c->cr2, t->fault_addr, fault);
	USER_PUT(&c->fpstate, state, fault);
	return 0;
fault:
	return -EFAULT;
}

/* Builds the frame and sets regs to enter the handler. `mask`: what sigreturn restores. 0, or -EFAULT: the stack cannot take
 * it. */
static inline __attribute__((always_inline)) int
sigframe_push(struct thread *t, struct user_regs *regs, const struct siginfo_k *info,
	      const struct linux_sigaction *action, u64 mask)
{
	u64 sp = regs->rsp - RED_ZONE;
	if (!(action->flags & SA_RESTORER))
		return -EFAULT;
	if (regs->rip - t->proc->mm->stubs_low < t->proc->mm->stubs_span)
		regs->rip = rewrite_shown(regs->rip);
	int on_it = t->altstack_size && !(t->altstack_flags & SS_AUTODISARM) &&
		    on_altstack(t, regs->rsp);
	if (action->flags & SA_ONSTACK && t->altstack_size && !on_it) {
		sp = t->altstack_sp + t->altstack_size;
		on_it = 1;
	}
	u64 state = (sp - (marks[2] + 4)) & ~63ul;
	struct linux_rt_sigframe *f = (void *)(((state - sizeof(*f)) & ~15ul) - 8);
	if (on_it && !on_altstack(t, (u64)f))
		return -EFAULT; /* would run over the alternate stack's end */
	if (sp > PROGRAM_TOP || (u64)f >= sp)
		return -EFAULT;
	if (state_write(f, state, regs, info, action->restorer, t) ||
	    frame_write(f, state, regs, mask, t))
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

/* A handler that could not be entered. */
static __attribute__((noinline)) void handler_failed(struct linux_sigaction *action, int sig)
{
	family_lock();
	if (sig == SIGSEGV)
		action->handler = SIG_DFL;
	signal_force(SIGSEGV, &(struct siginfo_k){.code = SI_KERNEL});
	family_unlock();
}

/* `restore`: the mask that sigreturn sets. 0: SIGSEGV pends instead. */
static inline __attribute__((always_inline)) int
handler_enter(struct thread *t, struct user_regs *regs, const struct siginfo_k *info,
	      struct linux_sigaction *action, u64 restore)
{
	if (sigframe_push(t, regs, info, action, restore)) {
		handler_failed(action, info->signo);
		return 0;
	}
	u64 flags = action->flags, mask = t->sig_mask | action->mask;
	if (!(flags & SA_NODEFER))
		mask |= SIG_BIT(info->signo);
	if (flags & SA_RESETHAND)
		action->handler = SIG_DFL;
	signal_set_mask(t, mask);
	return 1;
}

/* si_pkey, in the frame at rsp. The page was written a moment ago: where another thread has taken it away, its loss. */
static __attribute__((noinline)) void sigframe_key(const struct user_regs *regs)
{
	struct linux_rt_sigframe *f = (struct linux_rt_sigframe *)regs->rsp;

	USER_PUT((u64 *)((u8 *)&f->info + 32), GUARD_KEY, fault);
fault:
	return;
}

void sigframe_enter(struct user_regs *regs, const struct siginfo_k *info)
{
	struct thread *t = current();
	u64 restore = t->sig_restore_mask ? t->sig_saved_mask : t->sig_mask;

	t->sig_restore_mask = 0;
	if (handler_enter(t, regs, info, &t->proc->sig->action[info->signo - 1], restore) &&
	    info->signo == SIGSEGV && info->code == SEGV_PKUERR)
		sigframe_key(regs);
}

int signal_enter(struct user_regs *regs, const struct siginfo_k *info, int locked)
{
	struct thread *t = current();
	struct proc *p = t->proc;
	struct linux_sigaction *action = &p->sig->action[info->signo - 1];
	u64 pending = t->pending.set | p->pending.set, mask = t->sig_mask;

	/* Others deliverable, this one blocked, or a mask to be restored first; and what is traced is seen on the way out. */
	if ((pending & ~mask) | (mask >> (info->signo - 1) & 1) | t->sig_restore_mask |
	    family.trace)
		return 0;
	if (action->handler <= SIG_IGN)
		return 0;
	if (!handler_enter(t, regs, info, action, mask))
		return 1;
	if (locked)
		family_unlock();
	exos_leave_to(regs);
	__builtin_unreachable();
}

/* A vector state whose marks are not those that vector_push writes: an FXSAVE area, or all of it, after clearing what
 * XRSTOR would refuse. 0 or -EFAULT, -ENOMEM. */
static int vector_pop_other(u64 from)
{
	u32 bytes = ARIL_INFO->xsave_bytes, mask = 0, magic2 = 0;
	if (from % 16)
		return -EFAULT; /* FXRSTOR would not take it */
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
static inline int vector_pop(u64 from)
{
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
	if (size != marks[0] || features != marks[1] || length != marks[2])
		return vector_pop_other(from);
	asm goto("1: movl (%1), %0\n" USER_FAULT("1b", "fault")
		 : "=r"(magic2)
		 : "r"(from + length)
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

/* From a frame to the program's registers. */
static int context_pop(const struct linux_sigcontext *c, struct user_regs *r)
{
	u64 rflags, rip;

	USER_GET(rip, &c->rip, fault);
	if (rip >= ARIL_USER_TOP)
		return -EFAULT;
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
	r->rip = rip;
	r->rflags = RFLAGS_ALWAYS | (rflags & RFLAGS_PROGRAM);
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

/* What a frame says but the registers: vector state, mask, alternate stack. 0 or -EFAULT. */
static __attribute__((noinline)) int state_pop(const struct linux_rt_sigframe *f)
{
	struct thread *t = current();
	u64 rip, rsp, state, mask;

	if ((u64)f > PROGRAM_TOP - sizeof(*f))
		return -EFAULT;
	USER_GET(rip, &f->uc.mcontext.rip, fault);
	USER_GET(rsp, &f->uc.mcontext.rsp, fault);
	USER_GET(state, &f->uc.mcontext.fpstate, fault);
	USER_GET(mask, &f->uc.sigmask, fault);
	if (rip >= ARIL_USER_TOP || vector_pop(state) || stack_pop(&f->uc.stack, t, rsp))
		return -EFAULT;
	signal_set_mask(t, mask);
	return 0;
fault:
	return -EFAULT;
}

/* The common case first, without a call: a frame as it was made, whose alternate stack is the thread's, and one thread. */
int sigreturn_state(const struct linux_rt_sigframe *f)
{
	struct thread *t = current();
	u64 rip, state, mask, word, length = marks[2];
	u32 magic2;

	if ((u64)f > PROGRAM_TOP - sizeof(*f) || t->proc->nthreads != 1)
		return state_pop(f);
	USER_GET(rip, &f->uc.mcontext.rip, fault);
	USER_GET(state, &f->uc.mcontext.fpstate, fault);
	USER_GET(mask, &f->uc.sigmask, fault);
	if (rip >= ARIL_USER_TOP || state - 1 >= PROGRAM_TOP - PAGE)
		return state_pop(f);
	USER_GET(word, &f->uc.stack.size, fault);
	if (word | t->altstack_size)
		return state_pop(f);
	const u64 *mark = (const u64 *)(state + FX_SW_BYTES);
	USER_GET(word, &mark[0], fault);
	if (word != marks[0])
		return state_pop(f);
	USER_GET(word, &mark[1], fault);
	if (word != marks[1])
		return state_pop(f);
	USER_GET(word, &mark[2], fault);
	if (word != length)
		return state_pop(f);
	asm goto("1: movl (%1, %2), %0\n" USER_FAULT("1b", "fault")
		 : "=r"(magic2)
		 : "r"(state), "r"(length)
		 :
		 : fault);
	if (magic2 != FP_XSTATE_MAGIC2)
		return state_pop(f);
	asm goto("1: xrstor64 (%0)\n" USER_FAULT("1b", "fault")::"r"(state), "a"(-1), "d"(-1)
		 : "memory"
		 : fault);
	__atomic_exchange_n(&t->sig_mask, mask & ~SIG_UNBLOCKABLE, __ATOMIC_SEQ_CST);
	return 0;
fault:
	return -EFAULT;
}

void sigreturn_registers(struct user_regs *regs, const struct linux_rt_sigframe *f)
{
	regs->orig_rax = ~0ul; /* rax is the program's, not a call's result */
	if (f && !context_pop(&f->uc.mcontext, regs))
		return;
	family_lock();
	signal_force(SIGSEGV, &(struct siginfo_k){.code = SI_KERNEL});
	family_unlock();
}

/* The handler's return address popped the frame's first word; rsp is behind it. A frame that cannot be read, or
 * names an address outside the program's half, or a vector state that cannot be loaded, is SIGSEGV. */
s64 sys_rt_sigreturn(void)
{
	struct user_regs *regs = current()->regs;
	const struct linux_rt_sigframe *f = (const void *)(regs->rsp - 8);

	sigreturn_registers(regs, state_pop(f) ? NULL : f);
	return (s64)regs->rax;
}

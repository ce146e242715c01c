/* SPDX-License-Identifier: MIT
 * How an env hears of things, and the page in which it does: a context is an env's presence on one
 * CPU. The page belongs to the library, is bound writable in its space, and is written by the kernel
 * through its own alias; the kernel trusts nothing that it reads there. */
#ifndef ARIL_UPCALL_H
#define ARIL_UPCALL_H

/* Vectors below 32 are the CPU's own. */
#define ARIL_VECTOR_SYSCALL \
	256 /* a foreign `syscall`: rip is after it, arguments untouched, rax its low half */
#define ARIL_VECTOR_START 257 /* the CPU is yours; error = cause, addr = who */
#define ARIL_VECTOR_END 258   /* the slice is over: save what you need and yield within the grace */
#define ARIL_VECTOR_EVENT 259 /* interrupt lines or ring completions: read pending, lines */
/* a revocation was asked for, or something was taken by force: the repossession page says what; error = kinds
 * (a bit each), addr = the nearest deadline, 0: none */
#define ARIL_VECTOR_REVOKE 260

#define ARIL_START_SLICE 1 /* at its position in the vector, or after it was skipped to */
#define ARIL_START_YIELD 2 /* addr = env that yielded */
#define ARIL_START_WAKE 3  /* a wait ended by wake */
#define ARIL_START_TIME 4  /* a wait ended by its deadline */
#define ARIL_START_EVENT 5 /* a wait ended by an interrupt line, completion or revocation */
#define ARIL_START_CLOSED \
	6 /* a synchronous gate to another CPU will not be answered; addr = the callee */

#define ARIL_MASK_NONE 0  /* everything is delivered */
#define ARIL_MASK_ASYNC 1 /* END and EVENT pend; exceptions and system calls are delivered */
#define ARIL_MASK_ALL 2	  /* END and EVENT pend; an exception ends the env */

#define ARIL_PEND_END 1
#define ARIL_PEND_EVENT 2
#define ARIL_PEND_REVOKE 4

/* offsets for assembly, asserted below */
#define ARIL_CTX_MASK 0
#define ARIL_CTX_PENDING 4
#define ARIL_CTX_GATE_OPEN 8
#define ARIL_CTX_FORCED 12
#define ARIL_CTX_SEQ 16
#define ARIL_CTX_CPU 32
#define ARIL_CTX_COOKIE 40
#define ARIL_CTX_GATE_CALLER 48
#define ARIL_CTX_STACK_LOW 1536
#define ARIL_CTX_STACK_TOP 4096

#define ARIL_SAVE_VECTOR 0
#define ARIL_SAVE_ERROR 8
#define ARIL_SAVE_ADDR 16
#define ARIL_SAVE_SEQ 24
#define ARIL_SAVE_RIP 32
#define ARIL_SAVE_CS 40
#define ARIL_SAVE_RFLAGS 48
#define ARIL_SAVE_RSP 56
#define ARIL_SAVE_SS 64
#define ARIL_SAVE_KEYS 72
#define ARIL_SAVE_BYTES 80

#ifndef __ASSEMBLER__
#include <aril/types.h>

/* One save area, on the context's upcall stack. The handler is entered with rsp at its first word and
 * every other register as it was; with rsp at .rip an `iretq` resumes without the kernel. The kernel
 * pushes the next one at the stack's top, or below rsp where rsp is inside the stack already: so
 * nesting needs no counter, and unmasking just before `iretq` is safe. */
struct aril_save {
	u64 vector;
	u64 error; /* the CPU's error code */
	u64 addr;  /* CR2 of a page fault */
	u64 seq;   /* the context's seq when this was written */
	u64 rip, cs, rflags, rsp, ss;
	u64 keys; /* PKRU, where the machine has keys: the handler is entered with 0, all open */
};
ARIL_ASSERT_SIZE(struct aril_save, ARIL_SAVE_BYTES);
ARIL_ASSERT_OFFSET(struct aril_save, rip, ARIL_SAVE_RIP);

/* Everything of a thread that overran the grace and was stopped by force; the kernel resumes it from
 * here at the env's next START on this CPU (no START is delivered), after checking it. An env that another ends while it
 * runs leaves what it had here, too (forced 1), if its page stays: an env that gets the page as its context (env_context
 * clears forced) goes on there when its library sets forced again. In a kernel call of kind `locked` it was not: a call
 * that has begun ends, one that has not is made again. */
struct aril_forced {
	u64 rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15;
	u64 rip, rflags, rsp, fs_base, gs_base;
	u64 keys; /* PKRU, where the machine has keys */
	u64 pad[3];
	u8 xsave[832] __attribute__((aligned(64)));
};

struct aril_context {
	u32 mask;      /* ARIL_MASK_*; the kernel sets ALL with every upcall */
	u32 pending;   /* ARIL_PEND_*; the kernel sets bits, the library takes them atomically */
	u32 gate_open; /* not 0: a gate may enter while mask is NONE or the context is idle */
	u32 forced;    /* 1: the forced state below is what will be resumed */
	u64 seq;       /* even: no save area is being written; the save areas are complete */
	u64 lines;     /* grants of interrupt lines that fired, a bit each; taken atomically */
	u32 cpu;
	u32 env;
	u64 cookie; /* the library's */
	/* who entered the gate last: its env id; above it, in 32 bits, the mode that answers it: 0, or ARIL_GATE_CPU of
	 * the other CPU it is on */
	u64 gate_caller;
	/* A word of a shared frame that this context may be holding, such as a lock (core/critical.h); frame 0:
	 * none. When the env ends, if critical_auth opens the frame for WRITE, the kernel ORs critical_mark into the
	 * word, then wakes one who waits on it. */
	u32 critical_frame, critical_offset, critical_auth, critical_mark;
	u64 pad[23];
	struct aril_forced state;
	u8 unused[ARIL_CTX_STACK_LOW - 256 - sizeof(struct aril_forced)];
	u8 stack[ARIL_CTX_STACK_TOP - ARIL_CTX_STACK_LOW];
};
ARIL_ASSERT_SIZE(struct aril_context, 4096);
ARIL_ASSERT_OFFSET(struct aril_context, pending, ARIL_CTX_PENDING);
ARIL_ASSERT_OFFSET(struct aril_context, gate_open, ARIL_CTX_GATE_OPEN);
ARIL_ASSERT_OFFSET(struct aril_context, forced, ARIL_CTX_FORCED);
ARIL_ASSERT_OFFSET(struct aril_context, seq, ARIL_CTX_SEQ);
ARIL_ASSERT_OFFSET(struct aril_context, gate_caller, ARIL_CTX_GATE_CALLER);
ARIL_ASSERT_OFFSET(struct aril_context, cpu, ARIL_CTX_CPU);
ARIL_ASSERT_OFFSET(struct aril_context, cookie, ARIL_CTX_COOKIE);
ARIL_ASSERT_OFFSET(struct aril_context, state, 256);
ARIL_ASSERT_OFFSET(struct aril_context, stack, ARIL_CTX_STACK_LOW);
_Static_assert(__builtin_offsetof(struct aril_forced, xsave) % 64 == 0, "XSAVE area alignment");
#endif

#endif

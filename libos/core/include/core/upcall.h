/* SPDX-License-Identifier: MIT
 * Upcalls for programs that link core as their library OS: one thread of execution per CPU.
 *
 * The image's entry is core_upcall. GS base holds the address of the CPU's context while such a program
 * runs. An upcall is handled on the context's own stack, with everything masked, and the interrupted code
 * resumed without the kernel; at a slice's end the registers are saved on the interrupted stack, below
 * its red zone, and the CPU is given back. */
#ifndef CORE_UPCALL_H
#define CORE_UPCALL_H

/* struct core_frame, for assembly */
#define CORE_FRAME_SAVE 128
/* struct core_cpu */
#define CORE_CPU_RSP 0
#define CORE_CPU_MASK 8
#define CORE_CPU_PEER 12
#define CORE_CPU_TRUSTING 24
#define CORE_CPU_WORDS 32
/* what a switch returns beside START causes: the answer of the gate that was called */
#define CORE_GATE_ANSWER 256

#ifndef __ASSEMBLER__
#include <aril/types.h>
#include <aril/upcall.h>

/* All general registers of interrupted code, with the save area above. */
struct core_frame {
	u64 pad, r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
	struct aril_save save;
};
ARIL_ASSERT_OFFSET(struct core_frame, save, CORE_FRAME_SAVE);

/* What core keeps per CPU; the context's cookie points to it. */
struct core_cpu {
	u64 rsp;  /* where the next START continues; 0: nothing waits for one */
	u32 mask; /* of normal code: restored when an upcall or a switch is over */
	u32 peer; /* env whose answer to a gate is awaited; 0: none */
	struct aril_context *context;
	u64 trusting; /* stack of a trusting call that is out; 0: none */
	u64 words[3]; /* of the answer */
};
ARIL_ASSERT_OFFSET(struct core_cpu, peer, CORE_CPU_PEER);
ARIL_ASSERT_OFFSET(struct core_cpu, trusting, CORE_CPU_TRUSTING);
ARIL_ASSERT_OFFSET(struct core_cpu, words, CORE_CPU_WORDS);
ARIL_ASSERT_OFFSET(struct core_cpu, mask, CORE_CPU_MASK);

struct core_message;
/* A program's own handlers, called on the context's stack (about 2 KiB) with all masked. */
struct core_handlers {
	/* An exception, or a foreign system call (vector ARIL_VECTOR_SYSCALL). May change the frame. Not 0: go
	 * on with the frame; 0: not handled, the env ends with this as its cause. NULL: none handled. */
	int (*exception)(struct core_frame *frame);
	/* Lines or completions: take context->lines. */
	void (*event)(struct aril_context *context);
	/* A revocation, or something taken by force: the repossession page says what (core/revoke.h). */
	void (*revoke)(struct aril_context *context);
	/* A request through core_gate (core/rpc.h). */
	s64 (*gate)(u32 caller, struct core_message *message);
};
extern struct core_handlers core_handlers;

/* This CPU's context. */
static inline struct aril_context *core_context(void)
{
	struct aril_context *context;

	__asm__ volatile("rdgsbase %0" : "=r"(context));
	return context;
}

/* The env's entry. */
void core_upcall(void);
/* Goes on with interrupted code. */
_Noreturn void core_resume(struct core_frame *frame);

/* Masks END and EVENT for a short stretch of code; on again, and takes what came meanwhile. */
void core_async_off(void);
void core_async_on(void);
/* Takes what is pending, where nothing is masked. */
void core_poll(void);

/* Blocks until wake on the word, an event, or the deadline, if the word equals expected: the START cause,
 * or a refusal: -ARIL_E_VALUE, -ARIL_E_AGAIN (an event came: it is taken when this returns), and others. */
s64 core_wait(u32 auth, u32 frame, u32 offset, u32 expected, u64 deadline);
/* The same until a predicate of downloaded code holds: the START cause, -ARIL_E_VALUE: it does already, and others. */
struct aril_code_wait;
s64 core_code_wait(const struct aril_code_wait *desc);
/* Gives the rest of the slice to env (0: back to the vector): the START cause, or a refusal. */
s64 core_yield(u32 auth, u32 env);
/* Blocks for so many nanoseconds, or until an event. */
void core_sleep(u64 ns);

/* What the image supplies; native.c has the usual ones. */
/* The stack on which core_run starts on a CPU. */
u64 core_stack(u32 cpu);
/* The program on one CPU; all masked until it calls core_async_on. */
_Noreturn void core_run(struct aril_context *context);
#endif

#endif

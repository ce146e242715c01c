/* SPDX-License-Identifier: MIT
 * What the entry code knows of C's structures: asserted in trap.c. */
/* clang-format off */
#ifndef KERNEL_ENTRY_H
#define KERNEL_ENTRY_H

/* struct cpu */
#define CPU_KERNEL_RSP %gs:8
#define CPU_USER_RSP %gs:16
/* From the program's stack, which stays in CPU_USER_RSP, to the kernel's, which is empty. */
#define KERNEL_STACK             \
	movq %rsp, CPU_USER_RSP; \
	movq CPU_KERNEL_RSP, %rsp
/* struct trap_frame, from its end: what the CPU pushes, then vector and error */
#define FRAME_RAX 80
#define FRAME_VECTOR 120
#define FRAME_RIP 136
#define FRAME_CS 144
#define FRAME_RFLAGS 152
#define FRAME_RSP 160
#define FRAME_BYTES 176
#define FRAME_REGISTERS 120

/* struct context, struct env, struct aril_env_info, struct aril_frame: asserted in trap.c */
#define CPU_CTX %gs:24
#define CPU_ENV %gs:32
#define CPU_CR3 %gs:56
#define CPU_GRACE_END %gs:64
#define CPU_BOOK %gs:72
#define CPU_SHORT_RCX %gs:80
#define CPU_SHORT_R11 %gs:88
/* its struct space_permit */
#define CPU_SPACE_AUTH %gs:96
#define CPU_SPACE_ID %gs:100
#define CPU_SPACE_EPOCH %gs:104
#define CPU_SPACE_TO %gs:112
#define CPU_SPACE_REGION %gs:120
#define CPU_SPACE_ENTRIES %gs:128
#define CPU_RUN %gs:224
#define CPU_COUNTS %gs:232 /* where this CPU's counts are in a book of code */
#define CPU_AGAIN(n) %gs:(240 + 8 * (n))
/* struct ext_run, struct aril_code_counts, struct aril_code_slot */
#define RUN_BUDGET 0
#define RUN_STOPPED 8
#define RUN_USE 32
#define COUNTS_RUNS 0
#define COUNTS_STOPS 8
#define COUNTS_LEFT 16
#define NODE_NEXT 32
#define NODE_FIRST 40 /* of a handler */
#define NODE_COUNT 48 /* of a guard */
#define NODE_ALLOWANCE 64
#define NODE_RUN 24
#define NODE_ENTER 72
#define BOOK_SWITCHES 16
#define BOOK_ENV 32
#define CTX_PAGE 0
#define CTX_VA 8
#define CTX_ENV 16
#define CTX_STATE 24
#define CTX_DONEE 28
#define CTX_GATE 32
#define CTX_YIELD 56
#define CTX_START_CAUSE 80
#define CTX_SPARE 84
#define CTX_TOP 88
#define CTX_SAVE 96
#define CTX_STRIKES 104
#define PERMIT_AUTH 0
#define PERMIT_ID 4
#define PERMIT_EPOCH 8
#define PERMIT_TO 16
#define READY 1
#define RUNNING 2
#define ENV_ENTRY 0
#define ENV_GATE 8
#define ENV_INFO 16
#define ENV_ROOT 24
#define ENV_CR3 32
#define ENV_ID 40
#define ENV_FAULT 48
#define INFO_UPCALLS 64
#define FRAME_FLAGS 10
#define FRAME_CACHED 32 /* ARIL_FRAME_CACHED */
/* What the handler of an upcall finds when the program was on a stack of its own. */
#define SAVE (ARIL_CTX_STACK_TOP - ARIL_SAVE_BYTES)

#define VECTOR_GATE 511 /* marks a frame made for the gate call */
#define GATE_SYNC 1     /* ARIL_GATE_SYNC */
#define E_CALL 1        /* ARIL_E_CALL */

#endif

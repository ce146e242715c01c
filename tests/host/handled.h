/* SPDX-License-Identifier: MIT
 * What the tests of code that runs share: a caller on the fake machine, and a handler that calls what it is told to. */
#ifndef HOST_HANDLED_H
#define HOST_HANDLED_H

#include "sealed.h"

#define VA 0x40000000ul

/* Calls the function data[0] with data[1..5]; data[6]: its result; data[7]: the event's address. */
BLOB(caller,
     "movq %rsi, " DATA(
	     caller,
	     56) "\n\t"
		 "movq " DATA(
			 caller,
			 0) ", %rax\n\t"
			    "movq " DATA(
				    caller,
				    8) ", %rdi\n\t"
				       "movq " DATA(
					       caller,
					       16) ", %rsi\n\t"
						   "movq " DATA(
							   caller,
							   24) ", %rdx\n\t"
							       "movq " DATA(
								       caller,
								       32) ", %rcx\n\t"
									   "movq " DATA(
										   caller,
										   40) ", %r8\n\t"
										       "pushq "
										       "%r9\n\t"
										       "call "
										       "*64(%r9, "
										       "%rax, "
										       "8)\n\t"
										       "popq "
										       "%r9\n\t"
										       "movq "
										       "%rax,"
										       " " DATA(
											       caller,
											       48) "\n\t"
												   "movq " DATA(
													   caller,
													   64) ", %rax\n\t"
													       "ret");

static struct aril_code_wait w;
static struct env *env;
static struct context *ctx;
static struct aril_context the_page;
static u32 page, page2;

static inline void start(u32 point, const u8 *blob, const u8 *end)
{
	code_start();
	code_sealed(point, blob, end);
	env = fake_cpu.env;
	ctx = &env->ctx[0];
	memset(&the_page, 0, sizeof(the_page));
	ctx->page = &the_page;
	ctx->state = CTX_RUNNING;
	page = fake_frame();
	page2 = fake_frame();
	memset(frame_memory(page), 0, 4096);
	memset(frame_memory(page2), 0, 4096);
	w = (struct aril_code_wait){.code = first,
				    .auth = root,
				    .page = {page, 0, 0},
				    .word = {8, ARIL_CODE_NO_WORD, ARIL_CODE_NO_WORD},
				    .value = {5, 9}};
}

static u64 *data;
static u32 space;

static inline void handle(u32 point)
{
	start(point, caller, caller_end);
	data = code_data(first);
	memset(data, 0, 4096);
	space = fake_space(root, VA, NULL);
	env->space = space;
	env->account = 1;
	ctx->counted_slice = fake_cpu.slice_end;
	struct aril_code_attach a = {
		.code = first, .point = point, .target = env->id, .space = root, .frames = root};
	if (point == ARIL_POINT_VICTIM)
		a.target = ARIL_ACCOUNT_ROOT;
	SAME(call_code_attach(root, &a), 0);
}

static inline s64 calls(u64 function, u64 a, u64 b, u64 c, u64 d)
{
	const struct trap_frame frame = {.vector = 14};

	data[0] = function;
	data[1] = a;
	data[2] = b;
	data[3] = c;
	data[4] = d;
	data[8] = ARIL_FAULT_RESUME;
	if (code_book(first)->point == ARIL_POINT_FAULT)
		SAME(code_fault(&frame, 0x1234), 1);
	else
		SAME(code_victim(1, 1, 9, 1), ARIL_FAULT_RESUME);
	return (s64)data[6];
}

#endif

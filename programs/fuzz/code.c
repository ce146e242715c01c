/* SPDX-License-Identifier: MIT
 * Downloaded code for the fuzzers: pieces of each kind, right as the code authority would make them, sealed by the supervisor,
 * which alone may; the fuzzers attach them, wait by them and write their data, and the supervisor takes them back and seals
 * them again while they do. */
#include "fuzz.h"
#include <aril/error.h>
#include <aril/points.h>

#define KINDS 4
#define PIECES (2 * KINDS) /* one of each point for each side */
#define CODE_FRAMES 3
#define CODE_VA 0x620000000000ul
#define DATA_VA 0x620000100000ul

#define BLOB(name, code)                                                                           \
	extern const u8 name[], name##_end[];                                                      \
	__asm__(".section .rodata\n\t.globl " #name ", " #name "_end\n\t.hidden " #name ", " #name \
		"_end\n\t.balign 16\n" #name ":\n\t" code "\n" #name "_end:\n\t.byte 0\n\t.text")
#define DATA(name, n) #name " + 4096 + " #n "(%rip)"

/* Three words of the first page, by the values. */
BLOB(fuzz_predicate, "andl $4088, %ecx\n\t"
		     "movq (%rdi, %rcx), %rax\n\t"
		     "xorq (%rsi, %rcx), %rax\n\t"
		     "addq (%rdx), %rax\n\t"
		     "andl %r8d, %eax\n\t"
		     "ret");
/* Binds what its data says, or makes writable, and looks at a frame; goes on where that was done. */
BLOB(fuzz_handler,
     "pushq %rbx\n\t"
     "pushq %r12\n\t"
     "movq %r9, %r12\n\t"
     "movq %rsi, %rbx\n\t"
     "movq " DATA(fuzz_handler,
		  0) ", %rdi\n\t"
		     "call *64 + 8 * 2(%r12)\n\t"
		     "movq %r12, %r9\n\t"
		     "movq " DATA(fuzz_handler,
				  0) ", %rdi\n\t"
				     "call *64 + 8 * 3(%r12)\n\t"
				     "movq %rbx, %rdi\n\t"
				     "movq " DATA(fuzz_handler,
						  0) ", %rsi\n\t"
						     "movq " DATA(fuzz_handler,
								  8) ", %rdx\n\t"
								     "movq %r12, %r9\n\t"
								     "call *64(%r12)\n\t"
								     "testq %rax, %rax\n\t"
								     "jz 1f\n\t"
								     "movq %rbx, %rdi\n\t"
								     "movq %r12, %r9\n\t"
								     "call *64 + 8(%r12)\n\t"
								     "testq %rax, %rax\n"
								     "1:\tsetz %al\n\t"
								     "movzbl %al, %eax\n\t"
								     "popq %r12\n\t"
								     "popq %rbx\n\t"
								     "ret");
/* The frame that its data names; its budget is spent where bit 40 is set. */
BLOB(fuzz_victim, "movq " DATA(fuzz_victim, 0) ", %rax\n\t"
					       "btq $40, %rax\n\t"
					       "jnc 1f\n\t"
					       "subq $20000, (%r9)\n\t"
					       "movq $1, 8(%r9)\n"
					       "1:\tret");

/* As its data says. */
BLOB(fuzz_guard, "movl " DATA(fuzz_guard, 0) ", %eax\n\t"
					     "xorl (%rdi), %eax\n\t"
					     "andl $1, %eax\n\t"
					     "ret");

static const struct {
	u32 point;
	const u8 *from, *to;
} kinds[] = {
	{ARIL_POINT_PREDICATE, fuzz_predicate, fuzz_predicate_end},
	{ARIL_POINT_FAULT, fuzz_handler, fuzz_handler_end},
	{ARIL_POINT_VICTIM, fuzz_victim, fuzz_victim_end},
	{ARIL_POINT_GUARD, fuzz_guard, fuzz_guard_end},
};
static u32 first[PIECES]; /* frames */

/* Side n / KINDS's piece of kind n % KINDS. */
static s64 piece_seal(u32 n)
{
	const struct side *s = &sides[n / KINDS % SIDES];
	struct aril_code_desc d = {.first = first[n],
				   .text = 1,
				   .data = 1,
				   .point = kinds[n % KINDS].point,
				   .worst = 8,
				   .budget = ARIL_CODE_BUDGET,
				   .entry_cost = 100,
				   .loader = root,
				   .account = CORE_DOMAIN->account,
				   .name = "fuzz"};

	s64 error = core_map(&core_self, CODE_VA, first[n] + 1, 1, ARIL_BIND_WRITE, core_auth);
	if (error)
		return error;
	memcpy((void *)CODE_VA, kinds[n % KINDS].from,
	       (u64)(kinds[n % KINDS].to - kinds[n % KINDS].from));
	core_unmap(&core_self, CODE_VA, 1);
	memcpy(d.guard[0].name, CORE_DOMAIN->cap.name, sizeof(d.guard[0].name));
	d.guard[0].len = CORE_DOMAIN->cap.len;
	d.guard[0].rights = ARIL_ALL;
	d.guard[1] = s->guard;
	d.guard[1].rights = ARIL_READ | ARIL_WRITE | ARIL_EXEC;
	return aril_code_seal(root, &d);
}

void code_start(void)
{
	for (u32 i = 0; i < PIECES; i++) {
		first[i] = core_pool_take(&core_pool, CODE_FRAMES);
		must("to seal code", piece_seal(i));
	}
}

/* One of them is taken back, whoever runs it, and sealed again. */
void code_again(u32 n)
{
	s64 error;

	n %= PIECES;
	while ((error = aril_frame_reset(root, first[n] + n % CODE_FRAMES)) == -ARIL_E_AGAIN)
		;
	must("to take code back", error);
	for (u32 i = 0; i < CODE_FRAMES; i++)
		if (frame_info(first[n] + i)->state != ARIL_FRAME_NORMAL)
			fuzz_finding("a frame of code that was taken back: frame, state",
				     first[n] + i, frame_info(first[n] + i)->state);
	must("to seal code again", piece_seal(n));
}

/* The side's piece for that point, mostly. */
static u32 piece(struct fuzzer *f, u32 point)
{
	u32 side = one_in(f, 8) ? !f->side : f->side;

	return first[side * KINDS + (one_in(f, 12) ? below(f, KINDS) : (point - 1) % KINDS)];
}

static void make_attach(struct fuzzer *f, struct aril_code_attach *a)
{
	u32 point = ARIL_POINT_FAULT + below(f, 2);

	*a = (struct aril_code_attach){
		.code = piece(f, point),
		.point = one_in(f, 24) ? below(f, 5) : point,
		.target = point == ARIL_POINT_FAULT ? pick_env(f) : pick_account(f, 1),
		.space = pick_auth(f),
		.frames = pick_auth(f),
		.order = point == ARIL_POINT_FAULT ? below(f, 9) : (u32)one_in(f, 16),
		.guard = one_in(f, point == ARIL_POINT_FAULT ? 2 : 16) ? piece(f, ARIL_POINT_GUARD)
								       : 0,
		.zero = one_in(f, 64)};
}

static void make_wait(struct fuzzer *f, struct aril_code_wait *w)
{
	const struct side *s = &sides[f->side];

	*w = (struct aril_code_wait){
		.code = piece(f, ARIL_POINT_PREDICATE),
		.auth = pick_auth(f),
		.word = {(u16)(8 * below(f, 32)), ARIL_CODE_NO_WORD, ARIL_CODE_NO_WORD},
		.value = {8 * below(f, 32), below(f, 2) ? below(f, 4) : 0},
		.deadline = core_now() + below(f, 2000000)};
	for (u32 i = 0; i < ARIL_CODE_PAGES; i++)
		w->page[i] = i && one_in(f, 2) ? 0
			     : below(f, 12)    ? s->first + below(f, PAGES)
			     : one_in(f, 3)    ? first[below(f, PIECES)] + below(f, CODE_FRAMES)
					       : find_frame(f, s->first, POOL, below(f, 18));
	if (one_in(f, 24))
		w->word[below(f, 3)] = (u16)below(f, ~0u);
}

static void make_desc(struct fuzzer *f, struct aril_code_desc *d)
{
	*d = (struct aril_code_desc){.first = pick_run(f, 3),
				     .text = 1,
				     .data = 1,
				     .point = 1 + below(f, KINDS),
				     .worst = 100,
				     .budget = 100,
				     .loader = pick_auth(f),
				     .account = sides[f->side].account};
	d->guard[0] = sides[f->side].guard;
	if (one_in(f, 3))
		((u32 *)d)[below(f, 14)] = below(f, ~0u);
}

u32 code_record(struct fuzzer *f, u32 kind, u8 *to)
{
	switch (kind) {
	case ARIL_ARG_P_CODE_DESC:
		make_desc(f, (struct aril_code_desc *)to);
		return sizeof(struct aril_code_desc);
	case ARIL_ARG_P_CODE_ATTACH:
		make_attach(f, (struct aril_code_attach *)to);
		return sizeof(struct aril_code_attach);
	default:
		make_wait(f, (struct aril_code_wait *)to);
		return sizeof(struct aril_code_wait);
	}
}

/* --- the data of handlers is the side's to write: the fuzzers' frames, and what is none */

void code_disturb(struct fuzzer *random)
{
	u32 n = below(random, PIECES);
	volatile u64 *data = (volatile u64 *)(DATA_VA + n * 4096ul);

	if (core_map(&core_self, (u64)data, first[n] + 2, 1, ARIL_BIND_WRITE, core_auth))
		return;
	data[0] = one_in(random, 4) ? random->random : sides[n / KINDS].first + below(random, POOL);
	data[1] = one_in(random, 6) ? random->random : below(random, 64);
}

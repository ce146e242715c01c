// SPDX-License-Identifier: MIT
// Several handlers of one env's exceptions, in order and behind guards: each sees the exception whole, whatever those before
// it left in the registers; what is stopped is passed over; the program's registers are as they were.
// with:
// root: yes
// expect: code_event: asked in order
// expect: code_event: behind guards
// expect: code_event: behind guards that keep their arguments
// expect: code_event: a stopped one is passed over
// expect: code_event: registers as they were
// expect: code_event: done
// forbid: code_event: WRONG
#include "code.h"

#define BASE 0x510000000000ul
#define SPOIL                                                    \
	"movq $-1, %rdi\n\tmovq $-2, %rsi\n\tmovq $-3, %rcx\n\t" \
	"movq $-4, %rdx\n\tmovq $-5, %r8\n\tmovq $-6, %r9\n\t"   \
	"movq $-7, %r10\n\tmovq $-8, %r11\n\t"

/* Counts in data[0], writes address and vector to data[1], data[2], says data[3]. */
#define SAYS(name)                                                                              \
	BLOB(name,                                                                              \
	     "incq " DATA(name,                                                                 \
			  0) "\n\t"                                                             \
			     "movq %rsi, " DATA(                                                \
				     name,                                                      \
				     8) "\n\t"                                                  \
					"movq (%rdi), %rax\n\t"                                 \
					"movq %rax, " DATA(name, 16) "\n\t" SPOIL "movq " DATA( \
						name, 24) ", %rax\n\tret")
SAYS(says_a);
SAYS(says_b);
SAYS(says_c);
BLOB(paged, "cmpq $14, (%rdi)\n\tsete %al\n\tmovzbl %al, %eax\n\t" SPOIL "ret");
BLOB(paged_keeps, "cmpq $14, (%rdi)\n\tsete %al\n\tmovzbl %al, %eax\n\tret");
BLOB(forever, "1:\t" CHECKPOINT(5) "jmp 1b");

static struct code a, b, c, guard, keeper, looping;
static volatile u32 upcalls;

static int on_exception(struct core_frame *f)
{
	upcalls++;
	expect("the library's address", f->save.vector == 14 ? BASE : 0, f->save.addr);
	if (f->save.vector == 14)
		f->save.rip += 3; /* movb (%rax), %al; nop */
	return f->save.vector == 14 || f->save.vector == 3;
}

static void touch(void)
{
	__asm__ volatile("movb (%0), %%al\n\tnop" ::"a"(BASE) : "memory");
}

static void use(const struct code *x, u32 order, const struct code *with)
{
	allowed("attaching", code_use_at(x, ARIL_POINT_FAULT, CORE_DOMAIN->env, order, with));
}

/* How often each was asked since this was called last, a digit each, then how often the library was. */
static u64 asked(void)
{
	u64 n = a.data[0] * 1000 + b.data[0] * 100 + c.data[0] * 10 + upcalls;

	a.data[0] = b.data[0] = c.data[0] = upcalls = 0;
	return n;
}

static void saw(const struct code *x, u64 address, u64 vector)
{
	expect("address", address, x->data[1]);
	expect("vector", vector, x->data[2]);
}

static void ordered(void)
{
	use(&c, 5, NULL);
	use(&a, 0, NULL);
	use(&b, 3, NULL);
	touch();
	expect("asked", 1111, asked());
	saw(&a, BASE, 14);
	saw(&b, BASE, 14);
	saw(&c, BASE, 14);
	__asm__ volatile("int3");
	expect("asked", 1111, asked());
	saw(&a, 0, 3);
	saw(&b, 0, 3);
	saw(&c, 0, 3);
	b.data[3] = 1;
	__asm__ volatile("int3");
	expect("asked", 1100, asked());
	c.data[3] = 1;
	b.data[3] = 2; /* is neither: as none */
	__asm__ volatile("int3");
	expect("asked", 1110, asked());
	b.data[3] = 1ul << 32;
	__asm__ volatile("int3");
	expect("asked", 1110, asked());
	b.data[3] = 0;
	core_log("code_event: asked in order");
}

static u64 counts(const struct code *g)
{
	u64 n = 0;

	for (u32 i = 0; i < ARIL_CODE_SLOTS; i++)
		if (g->book->slot[i].point == ARIL_POINT_GUARD)
			n += g->book->slot[i].count[0] * 100 + g->book->slot[i].count[1];
	return n;
}

static void guarded(const struct code *g, const char *what)
{
	c.data[3] = 0;
	use(&a, 0, g);
	use(&b, 3, g);
	touch();
	expect("asked", 1111, asked());
	saw(&a, BASE, 14);
	saw(&b, BASE, 14);
	saw(&c, BASE, 14);
	__asm__ volatile("int3");
	expect("asked", 11, asked());
	saw(&c, 0, 3);
	c.data[3] = 1;
	__asm__ volatile("int3");
	__asm__ volatile("int3");
	expect("asked", 20, asked());
	expect("what it said", 602, counts(g));
	use(&b, 3, NULL);
	__asm__ volatile("int3");
	expect("asked", 110, asked());
	use(&c, 5, g); /* the last: nobody is left */
	__asm__ volatile("int3");
	expect("asked", 101, asked());
	use(&c, 5, NULL);
	core_log("code_event: %s", what);
}

static void stopped(void)
{
	use(&looping, 0, NULL);
	use(&a, 1, NULL);
	__asm__ volatile("int3");
	expect("asked", 1110, asked());
	expect("stops", 1, code_stops(&looping));
	expect("stops", 0, code_stops(&a) + code_stops(&b) + code_stops(&c));
	__asm__ volatile("int3");
	expect("stops", 2, code_stops(&looping));
	expect("left", (u64)-10, looping.book->cpu[core_context()->cpu].left);
	core_log("code_event: a stopped one is passed over");
}

static void kept(void)
{
	u64 r[11];

	for (u32 i = 0; i < 4; i++) {
		use(&a, 1, i & 1 ? &guard : i ? &keeper : NULL);
		__asm__ volatile(
			"pushq %%rbp\n\tpushq %0\n\t"
			"movl $1, %%eax\n\tmovl $2, %%ecx\n\tmovl $3, %%edx\n\tmovl $4, %%ebx\n\t"
			"movl $5, %%esi\n\tmovl $6, %%edi\n\tmovl $7, %%r8d\n\tmovl $8, %%r9d\n\t"
			"movl $9, %%r10d\n\tmovl $10, %%r11d\n\tmovl $11, %%ebp\n\tint3\n\t"
			"xchgq %%r11, (%%rsp)\n\t"
			"movq %%rax, (%%r11)\n\tmovq %%rcx, 8(%%r11)\n\tmovq %%rdx, 16(%%r11)\n\t"
			"movq %%rbx, 24(%%r11)\n\tmovq %%rsi, 32(%%r11)\n\tmovq %%rdi, "
			"40(%%r11)\n\t"
			"movq %%r8, 48(%%r11)\n\tmovq %%r9, 56(%%r11)\n\tmovq %%r10, 64(%%r11)\n\t"
			"movq %%rbp, 80(%%r11)\n\tpopq %%rax\n\tmovq %%rax, 72(%%r11)\n\tpopq %%rbp"
			:
			: "r"(r)
			: "rax", "rcx", "rdx", "rbx", "rsi", "rdi", "r8", "r9", "r10", "r11", "cc",
			  "memory");
		for (u64 n = 0; n < 11; n++)
			expect("a register", n + 1, r[n]);
		c.data[3] = i < 2; /* then the library's */
	}
	core_log("code_event: registers as they were");
}

int main(int argc, char **argv, char **envp)
{
	(void)argc, (void)argv, (void)envp;
	core_handlers.exception = on_exception;
	allowed("sealing", code_make(&a, ARIL_POINT_FAULT, says_a, says_a_end));
	allowed("sealing", code_make(&b, ARIL_POINT_FAULT, says_b, says_b_end));
	allowed("sealing", code_make(&c, ARIL_POINT_FAULT, says_c, says_c_end));
	allowed("sealing", code_make(&looping, ARIL_POINT_FAULT, forever, forever_end));
	allowed("sealing", code_make(&guard, ARIL_POINT_GUARD, paged, paged_end));
	code_keeps = 1;
	allowed("sealing", code_make(&keeper, ARIL_POINT_GUARD, paged_keeps, paged_keeps_end));
	ordered();
	guarded(&guard, "behind guards");
	guarded(&keeper, "behind guards that keep their arguments");
	stopped();
	kept();
	return done();
}

// SPDX-License-Identifier: MIT
// A handler binds pages on one CPU while another waits for all CPUs again and again, with the kernel's lock in its hands: the
// handler's calls are put off then, and nobody waits for ever. All pages are there in the end, and no upcall was needed.
// root: yes
// smp: 2
// expect: code_bind_storm: 400 pages bound beside [0-9]+ waits
// expect: code_bind_storm: done
// forbid: code_bind_storm: WRONG
#include "../native/code.h"

#define BASE 0x510000000000ul
#define PAGES 400u

/* Binds the frame data[0], data[0] + 1, ...; counts in data[1] how often it was put off, and then lets the fault come again. */
BLOB(pager,
     "movq %rsi, %rdi\n\t"
     "movq " DATA(pager,
		  0) ", %rsi\n\t"
		     "movl $1, %edx\n\t" CALL(0) "incq " DATA(
			     pager,
			     0) "\n\t"
				"testq %rax, %rax\n\t"
				"jz 1f\n\t"
				"decq " DATA(pager,
					     0) "\n\t"
						"cmpq $-11, %rax\n\t"
						"jne 2f\n\t"
						"incq " DATA(pager,
							     8) "\n"
								"1:\tmovl $1, %eax\n\t"
								"ret\n"
								"2:\txorl %eax, %eax\n\tret");
BLOB(other, "xorl %eax, %eax\n\tret");

static struct code paging, swapped;
static volatile u32 go, finished, upcalls;

static int on_exception(struct core_frame *f)
{
	upcalls++;
	f->save.rip += 3;
	return f->save.vector == 14;
}

void core_secondary(u32 cpu)
{
	(void)cpu;
	while (!go)
		core_sleep(1000000);
	for (u32 i = 0; i < PAGES; i++)
		__asm__ volatile("movb %%al, (%0)\n\tnop" ::"r"(BASE + i * 4096ul) : "memory");
	finished = 1;
}

int main(int argc, char **argv, char **envp)
{
	u64 end = core_now() + 20000000000ul;
	u32 waits = 0, stock = core_pool_take(&core_pool, PAGES);

	(void)argc, (void)argv, (void)envp;
	core_handlers.exception = on_exception;
	core_add_tables(&core_self, BASE);
	allowed("sealing", code_make(&paging, ARIL_POINT_FAULT, pager, pager_end));
	allowed("sealing", code_make(&swapped, ARIL_POINT_FAULT, other, other_end));
	paging.data[0] = stock;
	allowed("attaching", code_use_at(&paging, ARIL_POINT_FAULT, CORE_DOMAIN->env, 1, NULL));
	go = 1;
	for (; !finished && core_now() < end; waits++)
		allowed("replacing", code_use(&swapped, ARIL_POINT_FAULT, CORE_DOMAIN->env));
	expect("finished", 1, finished);
	expect("upcalls", 0, upcalls);
	expect("bound", stock + PAGES, paging.data[0]);
	for (u32 i = 0; i < PAGES; i++)
		expect("refs", 1, frame_info(stock + i)->refs);
	core_log("code_bind_storm: %u pages bound beside %u waits", PAGES, waits);
	core_log("put off %lu times", paging.data[1]);
	return done();
}

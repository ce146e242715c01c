// SPDX-License-Identifier: MIT
// Handlers of faults: pages bound and made writable without an upcall, replaced, stopped, detached, gone with their code.
// with:
// root: yes
// expect: code_fault: bound 64 pages, 0 upcalls
// expect: code_fault: bound while masked
// expect: code_fault: made writable
// expect: code_fault: a breakpoint went on
// expect: code_fault: stopped
// expect: code_fault: replaced and detached
// expect: code_fault: gone with its code
// expect: code_fault: done
// forbid: code_fault: WRONG
#include "code.h"

#define BASE 0x510000000000ul
#define PAGES 64u

/* Binds the frame data[0], data[0] + 1, ... at BASE; data[1]: flags, data[2]: the last result. */
BLOB(pager,
     "movq %rsi, %rdi\n\t"
     "movabsq $-0x510000000000, %rax\n\t"
     "addq %rdi, %rax\n\t"
     "cmpq $0x40000, %rax\n\t"
     "jae 1f\n\t"
     "movq " DATA(pager, 0) ", %rsi\n\t"
			    "movq " DATA(pager, 8) ", %rdx\n\t" CALL(0) "movq %rax, " DATA(
				    pager, 16) "\n\t"
					       "testq %rax, %rax\n\t"
					       "jnz 1f\n\t"
					       "incq " DATA(pager, 0) "\n\t"
								      "movl $1, %eax\n\t"
								      "ret\n"
								      "1:\txorl %eax, %eax\n\t"
								      "ret");
BLOB(writer, "movq %rsi, %rdi\n\t" CALL(1) "movq %rax, " DATA(writer, 16) "\n\t"
									  "testq %rax, %rax\n\t"
									  "sete %al\n\t"
									  "movzbl %al, %eax\n\t"
									  "ret");
/* Lets breakpoints pass. */
BLOB(breaks, "xorl %eax, %eax\n\t"
	     "cmpq $3, (%rdi)\n\t"
	     "sete %al\n\t"
	     "ret");
BLOB(forever, "1:\t" CHECKPOINT(5) "incq " DATA(forever, 0) "\n\t"
							    "jmp 1b");

static struct code paging, writing, breaking, looping;
static volatile u32 upcalls, last_vector;

static int on_exception(struct core_frame *f)
{
	upcalls++;
	last_vector = (u32)f->save.vector;
	if (f->save.vector == 14)
		f->save.rip += 3; /* movb (%rax), %al; nop */
	return 1;
}

static void touch(u64 va)
{
	__asm__ volatile("movb (%0), %%al\n\tnop" ::"a"(va) : "memory");
}

static void store(u64 va)
{
	__asm__ volatile("movb $1, (%0)" ::"a"(va) : "memory");
}

static void paged(void)
{
	u32 stock = core_pool_take(&core_pool, PAGES + 1);

	core_add_tables(&core_self, BASE);
	paging.data[0] = stock;
	paging.data[1] = ARIL_BIND_WRITE;
	allowed("attaching", code_use(&paging, ARIL_POINT_FAULT, CORE_DOMAIN->env));
	for (u32 i = 0; i < PAGES - 1; i++) {
		touch(BASE + i * 4096ul);
		store(BASE + i * 4096ul);
	}
	expect("env's code", paging.first, env_info(CORE_DOMAIN->env)->fault);
	core_async_off();
	core_context()->mask = ARIL_MASK_ALL;
	store(BASE + (PAGES - 1) * 4096ul);
	core_context()->mask = ARIL_MASK_ASYNC;
	core_async_on();
	for (u32 i = 0; i < PAGES; i++) {
		expect("refs", 1, frame_info(stock + i)->refs);
		expect("page", 1, *(volatile u8 *)(BASE + i * 4096ul));
	}
	expect("runs", PAGES, code_runs(&paging));
	expect("its counter", stock + PAGES, paging.data[0]);
	core_log("code_fault: bound %u pages, %u upcalls", PAGES, upcalls);
	core_log("code_fault: bound while masked");
	touch(BASE + PAGES * 4096ul); /* not its business */
	expect("upcalls", 1, upcalls);
	expect("runs", PAGES + 1, code_runs(&paging));
}

static void written(void)
{
	u32 page = core_pool_take(&core_pool, 1);
	u64 va = BASE + 0x100000;

	allowed("binding", core_map(&core_self, va, page, 1, ARIL_BIND_WRITE | ARIL_BIND_MAY_WRITE,
				    core_auth));
	allowed("protecting",
		aril_page_protect(core_auth, CORE_DOMAIN->space, va, ARIL_PAGE_MAY_WRITE));
	allowed("replacing", code_use(&writing, ARIL_POINT_FAULT, CORE_DOMAIN->env));
	expect("uses of what was replaced", 0, paging.book->uses);
	upcalls = 0;
	store(va);
	expect("upcalls", 0, upcalls);
	expect("runs", 1, code_runs(&writing));
	if (*(volatile u8 *)va == 1)
		core_log("code_fault: made writable");
}

static void broken(void)
{
	allowed("replacing", code_use(&breaking, ARIL_POINT_FAULT, CORE_DOMAIN->env));
	upcalls = 0;
	__asm__ volatile("int3");
	expect("upcalls", 0, upcalls);
	touch(BASE + 0x200000);
	expect("upcalls", 1, upcalls);
	core_log("code_fault: a breakpoint went on");
}

static void stopped(void)
{
	u64 stops = code_stops(&looping);

	allowed("replacing", code_use(&looping, ARIL_POINT_FAULT, CORE_DOMAIN->env));
	upcalls = 0;
	touch(BASE + 0x200000);
	expect("upcalls", 1, upcalls);
	expect("stops", stops + 1, code_stops(&looping));
	expect("steps", (1000 - 10) / 5, looping.data[0]);
	expect("left", (u64)-5, looping.book->cpu[core_context()->cpu].left);
	core_log("code_fault: stopped");
}

static void detached(void)
{
	allowed("detaching", aril_code_detach(core_auth, ARIL_POINT_FAULT, CORE_DOMAIN->env, 0));
	allowed("detaching again",
		aril_code_detach(core_auth, ARIL_POINT_FAULT, CORE_DOMAIN->env, 0));
	expect("env's code", 0, env_info(CORE_DOMAIN->env)->fault);
	upcalls = 0;
	touch(BASE + 0x200000);
	expect("upcalls", 1, upcalls);
	expect("stops", 1, code_stops(&looping));
	core_log("code_fault: replaced and detached");
}

static void gone(void)
{
	allowed("attaching", code_use(&paging, ARIL_POINT_FAULT, CORE_DOMAIN->env));
	allowed("taking back", aril_frame_reset(core_auth, paging.first + 2));
	for (u32 i = 0; i < 3; i++) {
		expect("state", ARIL_FRAME_NORMAL, frame_info(paging.first + i)->state);
		expect("refs", 0, frame_info(paging.first + i)->refs);
	}
	expect("env's code", 0, env_info(CORE_DOMAIN->env)->fault);
	/* memory as any, and nothing of the code in it */
	allowed("binding", core_map(&core_self, BASE + 0x300000, paging.first + 1, 1,
				    ARIL_BIND_WRITE, core_auth));
	u64 left = 0;
	for (u32 i = 0; i < 512; i++)
		left |= ((volatile u64 *)(BASE + 0x300000))[i];
	expect("what is left", 0, left);
	store(BASE + 0x300000);
	upcalls = 0;
	touch(BASE + 0x200000);
	expect("upcalls", 1, upcalls);
	core_log("code_fault: gone with its code");
}

int main(int argc, char **argv, char **envp)
{
	(void)argc, (void)argv, (void)envp;
	core_handlers.exception = on_exception;
	allowed("sealing", code_make(&paging, ARIL_POINT_FAULT, pager, pager_end));
	allowed("sealing", code_make(&writing, ARIL_POINT_FAULT, writer, writer_end));
	allowed("sealing", code_make(&breaking, ARIL_POINT_FAULT, breaks, breaks_end));
	allowed("sealing", code_make(&looping, ARIL_POINT_FAULT, forever, forever_end));
	paged();
	written();
	broken();
	stopped();
	detached();
	gone();
	return done();
}

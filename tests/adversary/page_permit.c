/* SPDX-License-Identifier: MIT
 * The short ways of the calls for one page, warmed, and then each thing that their permit compares is otherwise: another index,
 * another context with the same index, another place. And what is taken away is gone from this CPU before the call returns. */
// expect: page_permit: refused protecting by an index that may not
// expect: page_permit: refused binding by an index that may not
// expect: page_permit: refused unbinding by an index that may not
// expect: page_permit: refused protecting in another place
// expect: page_permit: refused binding in another place
// expect: page_permit: refused a frame under another's guard
// expect: page_permit: refused the kernel's write to a protected page
// expect: page_permit: refused the kernel's write to an unbound page
// expect: page_permit: survived the same index in another env
// expect: page_permit: done
// forbid: page_permit: WRONG
// smp: 1
#include "adversary.h"

u8 child_stack[16384] __attribute__((aligned(16)));
static u64 va;
static u32 first, root, weak, number;
static struct aril_cap weak_cap;

void child_main(void);
CHILD(x_child, "leaq child_stack+16384(%rip), %rsp\n\tcall child_main");

static s64 protect(u32 auth, u64 at, u32 flags)
{
	return aril_page_protect(auth, root, at, flags);
}

static s64 bind(u32 auth, u64 at, u32 frame)
{
	return aril_page_bind(auth, root, at, frame, ARIL_BIND_WRITE | ARIL_BIND_MAY_WRITE, auth);
}

/* The permit is of the first page from then on, and of core_auth. */
static void warm(void)
{
	for (u32 i = 0; i < 10; i++) {
		allowed("unbinding", aril_page_unbind(core_auth, root, va));
		allowed("binding", bind(core_auth, va, first));
		*(volatile u8 *)va = 1;
		allowed("protecting", protect(core_auth, va, ARIL_PAGE_MAY_WRITE));
		allowed("unprotecting",
			protect(core_auth, va, ARIL_PAGE_WRITE | ARIL_PAGE_MAY_WRITE));
		*(volatile u8 *)va = 1;
	}
}

/* Entered at each START. Has a capability of our name without WRITE under the number that ours has in our env. */
void child_main(void)
{
	s64 index;

	if (number)
		aril_env_exit(protect(number, va, ARIL_PAGE_MAY_WRITE) != -ARIL_E_RIGHTS);
	do
		index = aril_cap_open(&weak_cap);
	while (index > 0 && index != core_auth);
	number = (u32)index;
	/* by another index it may: so it has work that it need not ask for */
	protect((u32)aril_cap_open(&CORE_DOMAIN->cap), va, ARIL_PAGE_WRITE | ARIL_PAGE_MAY_WRITE);
	aril_yield(number, CORE_DOMAIN->env); /* the parent warms its permit, and comes back */
	aril_env_exit(-1);
}

/* A kernel call that writes there, by the translation that this CPU has. */
static s64 kernel_write(u64 to)
{
	return aril_cap_derive(&CORE_DOMAIN->cap, NULL, 0, ARIL_ALL, ~0ul, (struct aril_cap *)to);
}

/* What the kernel worked with is in no register afterwards. */
static void registers(void)
{
	register u64 r8 __asm__("r8") = 1;
	register u64 r9 __asm__("r9") = 1;
	register u64 r10 __asm__("r10") = ARIL_PAGE_WRITE | ARIL_PAGE_MAY_WRITE;
	s64 error;

	__asm__ volatile("syscall"
			 : "=a"(error), "+r"(r8), "+r"(r9), "+r"(r10)
			 : "a"(ARIL_CALL_PAGE_PROTECT), "D"(core_auth), "S"(root), "d"(va)
			 : "rcx", "r11", "memory");
	if (error || r8 || r9)
		wrong("what is left in registers", (s64)(r8 | r9));
}

static void another_env(void)
{
	struct child c = {0};

	allowed("a child", child_make(&c, x_child, 0));
	const volatile struct aril_env_info *e = env_info(c.env);
	for (u32 i = 0; i < 1000 && e->state != ARIL_ENV_DEAD; i++) {
		warm();
		core_yield(core_auth, c.env);
	}
	if (e->end != ARIL_END_EXIT || e->status || number != core_auth)
		wrong("the same index in another env", e->status);
	else
		core_log("%s: survived the same index in another env", NAME);
}

int main(int argc, char **argv, char **envp)
{
	(void)argc, (void)argv, (void)envp;
	root = core_self.root;
	va = (u64)core_pages(2, &first);
	allowed("a weaker capability",
		aril_cap_derive(&CORE_DOMAIN->cap, NULL, 0, ARIL_READ | ARIL_RUN | ARIL_CALL,
				CORE_DOMAIN->cap.generation, &weak_cap));
	weak = (u32)aril_cap_open(&weak_cap);
	warm();
	refused("protecting by an index that may not", protect(weak, va, ARIL_PAGE_MAY_WRITE),
		ARIL_E_RIGHTS);
	warm();
	refused("unbinding by an index that may not", aril_page_unbind(weak, root, va),
		ARIL_E_RIGHTS);
	refused("binding by an index that may not", bind(weak, va, first), ARIL_E_RIGHTS);
	warm();
	refused("protecting in another place",
		protect(core_auth, va + (1ul << 40), ARIL_PAGE_MAY_WRITE), ARIL_E_TABLE);
	allowed("unbinding", aril_page_unbind(core_auth, root, va));
	refused("binding in another place", bind(core_auth, va + (1ul << 40), first), ARIL_E_TABLE);
	refused("a frame under another's guard",
		bind(core_auth, va, find_frame(ARIL_FRAME_NORMAL, 0, 1)), ARIL_E_RIGHTS);
	allowed("binding", bind(core_auth, va, first));
	warm();
	allowed("the kernel's write", kernel_write(va));
	allowed("protecting", protect(core_auth, va, ARIL_PAGE_MAY_WRITE));
	refused("the kernel's write to a protected page", kernel_write(va), ARIL_E_ADDR);
	warm();
	allowed("the kernel's write", kernel_write(va));
	allowed("unbinding", aril_page_unbind(core_auth, root, va));
	refused("the kernel's write to an unbound page", kernel_write(va), ARIL_E_ADDR);
	allowed("binding", bind(core_auth, va, first));
	warm();
	registers();
	another_env();
	return done();
}

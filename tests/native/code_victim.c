// SPDX-License-Identifier: MIT
// Code that chooses which frames an account gives: by a list, by who was used; and what it may not name.
// with:
// root: yes
// expect: code_victim: gave those of its list
// expect: code_victim: what it may not give stays
// expect: code_victim: gave what was not used
// expect: code_victim: by force too, as it chose
// expect: code_victim: gone with its account
// expect: code_victim: done
// forbid: code_victim: WRONG
#include "code.h"

#define FRAMES 16u
#define VA 0x511000000000ul

/* Names data[1], data[2], ...; data[0]: how many it has named. */
BLOB(list,
     "movq " DATA(list, 0) ", %rax\n\t"
			   "incq " DATA(list, 0) "\n\t"
						 "andl $63, %eax\n\t"
						 "leaq " DATA(list,
							      8) ", %rdx\n\t"
								 "movq (%rdx, %rax, 8), %rax\n\t"
								 "ret");
/* The first of the range that was not accessed since it was asked last. */
BLOB(clock, "pushq %rbx\n\t"
	    "pushq %rbp\n\t"
	    "movl (%rdi), %ebx\n\t"
	    "movl 4(%rdi), %ebp\n"
	    "1:\tmovl %ebx, %edi\n\t" CALL(2) "testl $0x20, %eax\n\t"
					      "jz 2f\n\t"
					      "incl %ebx\n\t"
					      "cmpl %ebp, %ebx\n\t"
					      "jbe 1b\n\t"
					      "xorl %ebx, %ebx\n"
					      "2:\tmovl %ebx, %eax\n\t"
					      "popq %rbp\n\t"
					      "popq %rbx\n\t"
					      "ret");

static struct code listing, clocking;
static u32 account, first;

static const volatile struct aril_account *books(void)
{
	return (const volatile struct aril_account *)ARIL_INFO->accounts_va + (account & 0xffff);
}

/* An account with FRAMES frames of its own. */
static void account_make(void)
{
	struct aril_guard guard = code_guard_of(ARIL_ALL);
	struct aril_account_desc desc = {
		.guard = guard, .limit = {FRAMES, 0, 0, 0, 0, 0, ~0u, ~0u}, .reserve = 4};

	if (!first)
		first = core_pool_take(&core_pool, FRAMES);
	aril_frame_free(core_auth, first, FRAMES);
	s64 made = aril_account_create(core_auth, CORE_DOMAIN->account, &desc);
	allowed("an account", made);
	account = (u32)made;
	expect("its frames", FRAMES,
	       (u64)aril_frame_alloc(core_auth, account, first, FRAMES, &guard));
}

static void account_end(void)
{
	for (u32 i = 0; i < FRAMES; i++)
		aril_frame_free(core_auth, first + i, 1);
	allowed("an end", aril_account_destroy(core_auth, account));
}

static s64 ask(u32 count, u64 ns)
{
	struct aril_revocation want = {.kind = ARIL_REVOKE_FRAMES,
				       .count = count,
				       .first = first,
				       .last = first + FRAMES - 1,
				       .deadline = core_now() + ns};

	return aril_revoke(core_auth, account, &want);
}

static u32 wanted(void)
{
	return books()->wanted[ARIL_REVOKE_FRAMES];
}

static int freed(u32 frame)
{
	return !frame_info(frame)->account;
}

static void names(u32 a, u32 b, u32 c)
{
	listing.data[0] = 0;
	listing.data[1] = a;
	listing.data[2] = b;
	listing.data[3] = c;
	listing.data[4] = 0;
}

static void listed(void)
{
	account_make();
	allowed("attaching", code_use(&listing, ARIL_POINT_VICTIM, account));
	expect("shown", listing.first, books()->victim / 64);
	core_map(&core_self, VA, first + 5, 1, ARIL_BIND_WRITE, core_auth);
	names(first + 5, first + 1, first + 9);
	allowed("asking", ask(3, 10000000000ul));
	expect("wanted", 0, wanted());
	expect("given", 3, books()->given);
	expect("taken", 0, books()->taken);
	for (u32 i = 0; i < FRAMES; i++)
		expect("freed", i == 5 || i == 1 || i == 9, (u64)freed(first + i));
	expect("bound", 0, frame_info(first + 5)->refs);
	expect("runs", 3, code_runs(&listing));
	core_log("code_victim: gave those of its list");
}

static void barred(void)
{
	struct aril_frame_op keep = {
		.first = first + 2, .count = 1, .kind = ARIL_FRAME_MARK_KEEP, .tag = 1};
	u32 others[] = {first + 2, first + 5, first - 1,     first + FRAMES,
			0,	   ~0u,	      listing.first, CORE_DOMAIN->env_frame};

	allowed("keeping", aril_frame_update(core_auth, &keep, 1));
	for (u32 i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		u64 runs = code_runs(&listing);

		names(others[i], first + 3, first + 4);
		allowed("asking", ask(1, 10000000000ul));
		expect("runs", runs + 1, code_runs(&listing));
		expect("wanted", 1, wanted());
		expect("freed", 0, (u64)(freed(first + 3) | freed(first + 2)));
		allowed("withdrawing", ask(0, 0));
	}
	core_log("code_victim: what it may not give stays");
}

static void by_force(void)
{
	u64 until = core_now() + 3000000000ul;

	names(0, first + 12, first + 13); /* nothing when asked, then those */
	allowed("asking", ask(2, 1000000));
	while (wanted() && core_now() < until)
		core_sleep(1000000);
	expect("wanted", 0, wanted());
	expect("taken", 2, books()->taken);
	expect("freed", 2, (u64)(freed(first + 12) + freed(first + 13)));
	core_log("code_victim: by force too, as it chose");
	account_end();
}

static void unused(void)
{
	account_make();
	for (u32 i = 0; i < FRAMES; i++)
		core_map(&core_self, VA + i * 4096ul, first + i, 1, ARIL_BIND_WRITE, core_auth);
	for (u32 i = 0; i < FRAMES; i++)
		if (i != 3 && i != 7)
			*(volatile u8 *)(VA + i * 4096ul) = 1;
	allowed("attaching", code_use(&clocking, ARIL_POINT_VICTIM, account));
	allowed("asking", ask(1, 10000000000ul));
	expect("wanted", 0, wanted());
	expect("freed", 1, (u64)freed(first + 3));
	for (u32 i = 0; i < FRAMES; i++)
		if (i != 3 && i != 7)
			*(volatile u8 *)(VA + i * 4096ul) = 1;
	core_log("code_victim: gave what was not used");
}

int main(int argc, char **argv, char **envp)
{
	(void)argc, (void)argv, (void)envp;
	allowed("sealing", code_make(&listing, ARIL_POINT_VICTIM, list, list_end));
	allowed("sealing", code_make(&clocking, ARIL_POINT_VICTIM, clock, clock_end));
	core_add_tables(&core_self, VA);
	listed();
	barred();
	by_force();
	expect("uses", 0, listing.book->uses);
	unused();
	expect("uses", 1, clocking.book->uses);
	account_end();
	expect("uses", 0, clocking.book->uses);
	core_log("code_victim: gone with its account");
	return done();
}

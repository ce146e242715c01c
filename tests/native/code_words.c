// SPDX-License-Identifier: MIT
// Waiting by a predicate on three words, one in each page: a wake on any of them runs it, and none is lost between its
// look and the queue, though another processor changes the words and wakes meanwhile.
// with:
// smp: 2
// root: yes
// expect: code_words: each of three words wakes
// expect: code_words: 3000 changes seen, no wake lost
// expect: code_words: ended in three queues
// expect: code_words: done
// forbid: code_words: WRONG
#include "code.h"
#include "member.h"

#define ROUNDS 3000u
#define LOOKS 20000u
#define WORD(i) (64 * ((i) + 1))

/* The sum of the three words is at least value0. */
BLOB(sum, "movl 64(%rdi), %eax\n\t"
	  "addl 128(%rsi), %eax\n\t"
	  "addl 192(%rdx), %eax\n\t"
	  "cmpq %rcx, %rax\n\t"
	  "setae %al\n\t"
	  "movzbl %al, %eax\n\t"
	  "ret");

static struct code code;
static struct member member;
static volatile u32 *page[3];
static u32 frame[3];
static volatile u32 seen, vain, refusal;

static u32 total(void)
{
	u32 n = 0;

	for (u32 i = 0; i < 3; i++)
		n += __atomic_load_n(&page[i][WORD(i) / 4], __ATOMIC_SEQ_CST);
	return n;
}

static void member_run(void)
{
	struct member *self = member_self();

	member_begin();
	for (;;) {
		struct aril_code_wait w = {.code = code.first,
					   .auth = self->auth,
					   .page = {frame[0], frame[1], frame[2]},
					   .word = {WORD(0), WORD(1), WORD(2)},
					   .value = {seen + 1, 0}};
		s64 result = core_code_wait(&w);

		if (result < 0 && result != -ARIL_E_VALUE)
			refusal = (u32)-result;
		u32 now = total();
		vain += now == seen;
		__atomic_store_n(&seen, now, __ATOMIC_SEQ_CST);
	}
}

/* For the other CPU: at once, or where the host runs that one later, asleep, which lets it. */
static void look_again(u64 looks)
{
	if (looks > LOOKS)
		core_sleep(50000);
}

/* Changes a word and wakes; 0: it was not seen. */
static int change(u32 i)
{
	u32 n = total() + 1;
	u64 until = core_now() + 5000000000ul;

	__atomic_add_fetch(&page[i][WORD(i) / 4], 1, __ATOMIC_SEQ_CST);
	aril_wake(core_auth, frame[i], WORD(i), ~0u);
	for (u64 i = 0; __atomic_load_n(&seen, __ATOMIC_SEQ_CST) != n && core_now() < until; i++)
		look_again(i);
	return seen == n;
}

static void blocked(void)
{
	u64 until = core_now() + 5000000000ul;

	for (u64 i = 0; !code.book->uses && core_now() < until; i++)
		look_again(i);
	expect("uses", 1, code.book->uses);
}

int main(int argc, char **argv, char **envp)
{
	u32 done_rounds = 0;

	(void)argc, (void)argv, (void)envp;
	for (u32 i = 0; i < 3; i++)
		page[i] = core_pages(1, &frame[i]);
	allowed("sealing", code_make(&code, ARIL_POINT_PREDICATE, sum, sum_end));
	allowed("a member", member_make(&member, 1, 0, member_run, 0));
	member_slices(1, member.env, 0, 1);
	for (u32 i = 0; i < 3; i++) {
		blocked();
		u64 runs = code_runs(&code);
		expect("another word", 0, (u64)aril_wake(core_auth, frame[i], 4, ~0u));
		expect("runs", 0, code_runs(&code) - runs);
		expect("not yet", 0, (u64)aril_wake(core_auth, frame[i], WORD(i), ~0u));
		expect("runs", 1, code_runs(&code) - runs);
		expect("seen", 1, (u64)change(i));
	}
	core_log("code_words: each of three words wakes");
	while (done_rounds < ROUNDS && change(done_rounds % 3))
		done_rounds++;
	expect("wakes in vain", 0, vain);
	expect("a refusal", 0, refusal);
	if (done_rounds < ROUNDS)
		core_log("code_words: WRONG: a wake was lost in round %u", done_rounds);
	core_log("code_words: %u changes seen, no wake lost", done_rounds);
	blocked();
	allowed("an end", member_end(&member));
	expect("uses", 0, code.book->uses);
	for (u32 i = 0; i < 3; i++)
		expect("woken", 0, (u64)aril_wake(core_auth, frame[i], WORD(i), ~0u));
	core_log("code_words: ended in three queues");
	return done();
}

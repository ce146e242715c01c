// SPDX-License-Identifier: MIT
// Waiting until a predicate holds: wakes for which it does not are slept through, and every way a wait ends.
// with:
// smp: 2
// root: yes
// expect: code_wait: slept through 5 wakes of 6
// expect: code_wait: it held already
// expect: code_wait: ended by its deadline
// expect: code_wait: ended with its code
// expect: code_wait: of 8 who wait those whose predicate holds were woken
// expect: code_wait: who may not read any more is let go
// expect: code_wait: done
// forbid: code_wait: WRONG
#include "code.h"
#include "member.h"

#define MEMBERS 8u

/* The word at value0 in the first page is at least value1, and the other pages, which are the same, begin with 0. */
BLOB(at_least, "movl (%rdi, %rcx), %eax\n\t"
	       "cmpq %r8, %rax\n\t"
	       "setae %al\n\t"
	       "movzbl %al, %eax\n\t"
	       "cmpq $0, (%rsi)\n\t"
	       "jne 1f\n\t"
	       "cmpq $0, 4088(%rdx)\n\t"
	       "jne 1f\n\t"
	       "ret\n"
	       "1:\txorl %eax, %eax\n\t"
	       "ret");

static struct code code;
static struct member member[MEMBERS];
static volatile u32 *word;
static u32 word_frame;
static volatile u32 woken[MEMBERS], wanted[MEMBERS];
static volatile s64 cause[MEMBERS];
static volatile u64 deadline;
static u64 work;

static struct aril_code_wait until(u32 auth, u64 least)
{
	return (struct aril_code_wait){.code = code.first,
				       .auth = auth,
				       .page = {word_frame, 0, 0},
				       .word = {64, ARIL_CODE_NO_WORD, ARIL_CODE_NO_WORD},
				       .value = {64, least},
				       .deadline = deadline};
}

/* Waits for what is wanted of it, again and again. */
static void member_run(void)
{
	struct member *self = member_self();
	u32 i = self->number;

	member_begin();
	for (;;) {
		struct aril_code_wait w = until(self->auth, wanted[i]);

		cause[i] = core_code_wait(&w);
		woken[i]++;
		u32 was = wanted[i];
		while (wanted[i] == was)
			core_yield(0, 0);
	}
}

static void pause_for(volatile u32 *what, u32 value)
{
	u64 end = core_now() + 20000000000ul;

	while (*what != value && core_now() < end)
		core_sleep(1000000);
	core_sleep(5000000);
}

/* Until so many are blocked. */
static void blocked(u32 n)
{
	u64 end = core_now() + 20000000000ul;

	while (code.book->uses != n && core_now() < end)
		core_sleep(1000000);
	expect("uses", n, code.book->uses);
}

static s64 wake(u32 n)
{
	return aril_wake(core_auth, word_frame, 64, n);
}

static void slept_through(void)
{
	u64 runs = code_runs(&code);

	work = env_info(member[0].env)->work;
	for (u32 i = 1; i < 6; i++) {
		word[16] = i;
		expect("woken", 0, (u64)wake(~0u));
	}
	core_sleep(20000000);
	expect("wakes", 0, woken[0]);
	word[16] = 6;
	expect("woken", 1, (u64)wake(~0u));
	pause_for(&woken[0], 1);
	expect("wakes", 1, woken[0]);
	expect("cause", ARIL_START_WAKE, (u64)cause[0]);
	expect("runs", 6, code_runs(&code) - runs);
	core_log("code_wait: slept through 5 wakes of 6");
}

static void held(void)
{
	struct aril_code_wait w = until(core_auth, 6);

	expect("holding already", (u64)-ARIL_E_VALUE, (u64)core_code_wait(&w));
	expect("uses", 0, code.book->uses);
	core_log("code_wait: it held already");
}

static void ended(void)
{
	deadline = core_now() + 20000000;
	struct aril_code_wait w = until(core_auth, 100);
	expect("cause", ARIL_START_TIME, (u64)core_code_wait(&w));
	if (core_now() < deadline)
		core_log("code_wait: WRONG early");
	expect("uses", 0, code.book->uses);
	deadline = 0;
	core_log("code_wait: ended by its deadline");
}

static void many(void)
{
	word[16] = 0;
	for (u32 i = 0; i < MEMBERS; i++)
		woken[i] = 0, wanted[i] = 10 + i;
	blocked(MEMBERS);
	/* six runs while it slept, and the one before it slept again */
	expect("charged to who waits", 6 + 1, env_info(member[0].env)->work - work);
	word[16] = 12;
	expect("woken", 2, (u64)wake(2));
	expect("woken then", 1, (u64)wake(~0u));
	expect("and then", 0, (u64)wake(~0u));
	for (u32 i = 0; i < MEMBERS; i++)
		pause_for(&woken[i], i < 3);
	for (u32 i = 0; i < MEMBERS; i++)
		expect("who was woken", i < 3, woken[i]);
	core_log("code_wait: of %u who wait those whose predicate holds were woken", MEMBERS);
}

/* The page becomes another's: the predicate does not see it any more. */
static void barred(void)
{
	struct aril_guard other = {.len = CORE_DOMAIN->cap.len, .rights = ARIL_ALL},
			  own = code_guard_of(ARIL_ALL);
	struct core_run run = {word_frame, 1};
	u64 runs = code_runs(&code);
	u32 auth;

	memcpy(other.name, CORE_DOMAIN->cap.name, sizeof(other.name));
	other.name[1] ^= 0x80;
	auth = code_root;
	allowed("another guard", core_set_guard(auth, run, 0, &other));
	expect("woken", 0, (u64)aril_wake(auth, word_frame, 64, ~0u));
	for (u32 i = 3; i < MEMBERS; i++)
		pause_for(&woken[i], 1);
	expect("runs", runs, code_runs(&code));
	allowed("the guard again", core_set_guard(auth, run, 0, &own));
	core_map(&core_self, (u64)word, word_frame, 1, ARIL_BIND_WRITE, core_auth);
	expect("uses", 0, code.book->uses);
	core_log("code_wait: who may not read any more is let go");
}

static void gone(void)
{
	for (u32 i = 0; i < MEMBERS; i++)
		woken[i] = 0, wanted[i] = 1000 + i;
	blocked(MEMBERS);
	allowed("an end of one who waits", member_end(&member[7]));
	expect("uses", MEMBERS - 1, code.book->uses);
	allowed("taking back", aril_frame_free(core_auth, code.first + 1, 1));
	for (u32 i = 0; i < MEMBERS - 1; i++) {
		pause_for(&woken[i], 1);
		expect("cause", ARIL_START_WAKE, (u64)cause[i]);
	}
	core_log("code_wait: ended with its code");
}

int main(int argc, char **argv, char **envp)
{
	(void)argc, (void)argv, (void)envp;
	word = core_pages(1, &word_frame);
	allowed("sealing", code_make(&code, ARIL_POINT_PREDICATE, at_least, at_least_end));
	for (u32 i = 0; i < MEMBERS; i++) {
		member[i].number = i;
		wanted[i] = i ? 0 : 6;
		allowed("a member", member_make(&member[i], i % 2, 0, member_run, 0));
		member_slices(i % 2, member[i].env, 2 + i, 10);
		if (!i) {
			blocked(1);
			slept_through();
			held();
			ended();
		}
	}
	many();
	barred();
	gone();
	return done();
}

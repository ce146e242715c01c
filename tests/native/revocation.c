// SPDX-License-Identifier: MIT
// Visible revocation: who answers keeps by its own choice; who does not loses at the deadline, and finds what.
// smp: 2
// expect: revocation: sulker lost what was asked, by the books and by its page ok
// expect: revocation: nothing asked in vain ok
// expect: revocation: limits moved ok
// expect: revocation: kept frames stay ok
// expect: revocation: an idle machine takes in time ok
// expect: revocation: slices, gate ok
// expect: revocation: page taken away, handler dead ok
// expect: revocation: storm ok
// expect: revocation: done
// forbid: revocation: WRONG
#include <aril/error.h>
#include <aril/info.h>
#include <aril/ops.h>
#include <aril_stubs.h>
#include <core/child.h>
#include <core/native.h>
#include <core/print.h>
#include <core/revoke.h>
#include <core/string.h>
#include <core/time.h>
#include <core/upcall.h>

#define FRAMES 160 /* of a child */
#define ASKED 8

static const struct aril_frame *frames;
static const struct aril_account *accounts;
static u32 first;    /* of the child's frames */
static u32 position; /* of CPU 1, for the child */
static struct core_child child;

static const struct aril_account *books(void)
{
	return &accounts[child.account & 0xffff];
}

static u64 read_u64(const u64 *at)
{
	return __atomic_load_n(at, __ATOMIC_RELAXED);
}

static void report(const char *what, int ok)
{
	core_log("revocation: %s %s", what, ok ? "ok" : "WRONG");
}

/* --- the child: hears, keeps everything, and says on a page that it shares what it found */

struct shared {
	u32 ready;
	u32 upcalls;
	u32 losses; /* in its repossession page */
	u32 overflow;
	u64 late_by; /* ns from the last deadline asked for to the loss */
	u32 first_lost;
	u32 die;
};
static struct shared *shared;

static void sulk(struct aril_context *context)
{
	const volatile struct aril_repossession *page = core_repossession();

	(void)context;
	shared->upcalls++;
	shared->overflow = page->overflow;
	while (shared->losses != page->head) { /* what overflowed is not in it */
		const volatile struct aril_loss *loss = &page->loss[shared->losses % ARIL_LOSSES];

		shared->first_lost = loss->what;
		shared->late_by = loss->when - page->request[loss->kind].deadline;
		shared->losses++;
	}
	((volatile struct aril_repossession *)page)->tail = shared->losses;
}

static int child_main(void)
{
	static const struct core_revoke none = {.self = NULL};

	shared = (struct shared *)(CORE_DOMAIN_VA + 0x8000);
	s64 error = core_revoke_start(&none, CORE_DOMAIN->account);
	core_handlers.revoke = sulk;
	if (error)
		core_log("revocation: WRONG handler %ld", error);
	aril_env_entry((u64)core_upcall, (u64)core_upcall);
	__atomic_store_n(&shared->ready, 1, __ATOMIC_SEQ_CST);
	while (!__atomic_load_n(&shared->die, __ATOMIC_SEQ_CST))
		core_sleep(2000000);
	return 0;
}

/* --- the parent */

static s64 ask(u32 kind, u32 count, u32 from, u32 to, u32 lower, u64 ns)
{
	struct aril_revocation want = {.kind = kind,
				       .count = count,
				       .first = from,
				       .last = to,
				       .lower = lower,
				       .deadline = core_now() + ns};

	return aril_revoke(core_auth, child.account, &want);
}

static int wait_until_closed(u32 kind)
{
	u64 limit = core_now() + 20000000000ul;

	while (*(volatile u32 *)&books()->wanted[kind] && core_now() < limit)
		core_sleep(500000);
	return !*(volatile u32 *)&books()->wanted[kind];
}

/* A child with FRAMES frames, of which `reserve` are never taken. Its first frames are what it is made of. */
static int child_make(u32 reserve)
{
	struct aril_guard guard = core_child_guard(7);
	struct aril_account_desc desc = {
		.guard = guard,
		.limit = {FRAMES, 1, 1, 0, 0, 0, ~0u, ~0u},
		.reserve = reserve,
	};
	u32 frame;

	if (!first)
		first = core_pool_take(&core_pool, FRAMES);
	aril_frame_free(core_auth, first, FRAMES);
	aril_slice_free(core_auth, 1, position);
	s64 account = aril_account_create(core_auth, CORE_DOMAIN->account, &desc);
	s64 got = account < 0 ? account
			      : aril_frame_alloc(core_auth, (u32)account, first, FRAMES, &guard);
	child = (struct core_child){.number = 7,
				    .account = (u32)account,
				    .cpu = 1,
				    .run = {first, FRAMES},
				    .args = "revocation\0child",
				    .args_bytes = 17};
	s64 made = got == FRAMES ? core_child_make(&child) : got;
	if (!shared)
		shared = core_pages(1, &frame);
	else
		frame = ARIL_PTE_FRAME(*(volatile u64 *)(ARIL_SELF_VA + ((u64)shared >> 12) * 8));
	memset(shared, 0, sizeof(*shared));
	s64 bound = core_map(&child.space, CORE_DOMAIN_VA + 0x8000, frame, 1, ARIL_BIND_WRITE,
			     core_auth);
	s64 started = core_child_start(&child);
	s64 slice = aril_slice_alloc(core_auth, child.account, 1, position, &guard);
	if (!slice)
		slice = aril_slice_set(core_auth, 1, position, child.env, NULL);
	u64 limit = core_now() + 20000000000ul;
	while (!__atomic_load_n(&shared->ready, __ATOMIC_SEQ_CST) && core_now() < limit)
		core_sleep(1000000);
	if (shared->ready)
		return 1;
	core_log("revocation: WRONG account %ld frames %ld child %ld bind %ld start %ld slice %ld",
		 account, got, made, bound, started, slice);
	return 0;
}

static void child_end(void)
{
	shared->die = 1;
	u64 limit = core_now() + 20000000000ul;
	const volatile struct aril_env_info *env =
		(const volatile struct aril_env_info *)ARIL_INFO->envs_va + (child.env & 0xffff);
	while (env->state == ARIL_ENV_ALIVE && core_now() < limit)
		core_sleep(1000000);
	for (u32 done = 0; done < FRAMES;) {
		s64 freed = aril_frame_free(core_auth, first + done, FRAMES - done);

		if (freed < 0 && freed != -ARIL_E_AGAIN && freed != -ARIL_E_RIGHTS)
			core_log("revocation: WRONG free %ld", freed);
		done += freed > 0 ? (u32)freed : freed == -ARIL_E_RIGHTS;
	}
	aril_slice_free(core_auth, 1, position);
	s64 error = aril_account_destroy(core_auth, child.account);
	if (error)
		core_log("revocation: WRONG account stays %ld", error);
}

static u32 owned(u32 from, u32 to)
{
	u32 n = 0;

	for (u32 f = from; f <= to; f++)
		n += frames[f].account == (child.account & 0xffff);
	return n;
}

static void sulker(void)
{
	u32 last = first + FRAMES - 1, from = last - 31, upcalls = shared->upcalls;

	s64 asked = ask(ARIL_REVOKE_FRAMES, ASKED, from, last, 0, 3000000);
	int closed = wait_until_closed(ARIL_REVOKE_FRAMES);
	for (u32 i = 0; i < 20000 && shared->losses < ASKED; i++)
		core_sleep(1000000);
	report("sulker lost what was asked, by the books and by its page",
	       !asked && closed && owned(from, last) == 32 - ASKED &&
		       read_u64(&books()->taken) == ASKED && shared->losses == ASKED &&
		       shared->first_lost >= from && shared->upcalls > upcalls);
	core_log("revocation: the last loss %lu us after the deadline, %u upcalls",
		 shared->late_by / 1000, shared->upcalls);
	/* with limit, more than there is in the range */
	u32 limit = books()->limit[0];
	u64 taken = read_u64(&books()->taken);
	ask(ARIL_REVOKE_FRAMES, 500, from, last, 1, 0);
	closed = wait_until_closed(ARIL_REVOKE_FRAMES);
	report("nothing asked in vain",
	       closed && owned(from, last) == 0 && read_u64(&books()->taken) == taken + 32 - ASKED);
	report("limits moved", books()->limit[0] == limit - (32 - ASKED) &&
				       !aril_account_set(core_auth, child.account, 0, limit));
	/* everything that is not kept: the child itself lies in kept frames */
	ask(ARIL_REVOKE_FRAMES, 5000, 0, ARIL_INFO->nframes - 1, 0, 1000000);
	closed = wait_until_closed(ARIL_REVOKE_FRAMES);
	upcalls = shared->upcalls;
	ask(ARIL_REVOKE_FRAMES, 1, 0, ARIL_INFO->nframes - 1, 0, 0);
	for (u32 i = 0; i < 20000 && shared->upcalls == upcalls; i++)
		core_sleep(1000000);
	core_log("revocation: %u frames, %u kept, %u upcalls", books()->used[0], books()->kept,
		 shared->upcalls - upcalls);
	report("kept frames stay",
	       closed && books()->used[0] == books()->kept && shared->upcalls > upcalls);
}

/* All CPUs asleep at the deadline: this one wakes, asleep itself until well after it, and sees when it was done. Whether
 * all was taken. */
static int idle_once(void)
{
	struct aril_guard guard = core_child_guard(7);
	u64 taken = read_u64(&books()->taken);
	u32 losses = shared->losses, last = first + FRAMES - 1;

	s64 got = aril_frame_alloc(core_auth, child.account, last - 15, 16, &guard);
	ask(ARIL_REVOKE_FRAMES, 16, last - 15, last, 0, 20000000);
	core_sleep(1000000000);
	for (u32 i = 0; i < 20000 && shared->losses == losses; i++)
		core_sleep(1000000);
	core_log("revocation: got %ld, taken %lu, losses %u, %lu us late", got,
		 read_u64(&books()->taken) - taken, shared->losses - losses,
		 shared->late_by / 1000);
	return got == 16 && read_u64(&books()->taken) == taken + 16 && shared->losses != losses;
}

/* Again, where the host itself had no time for half a second. */
static void idle(void)
{
	int ok = idle_once();

	for (u32 tries = 0; tries < 5 && ok && shared->late_by >= 500000000; tries++)
		ok = idle_once();
	report("an idle machine takes in time", ok && shared->late_by < 500000000);
}

static void others(void)
{
	const struct aril_slice *slice =
		(const struct aril_slice *)ARIL_INFO->slices_va + ARIL_SLICES + position;
	const volatile struct aril_env_info *env =
		(const volatile struct aril_env_info *)ARIL_INFO->envs_va + (child.env & 0xffff);
	u32 gate = env->gate;

	ask(ARIL_REVOKE_GATES, 1, child.env, child.env, 0, 1000000);
	int closed = wait_until_closed(ARIL_REVOKE_GATES);
	u32 open = env->gate;
	ask(ARIL_REVOKE_SLICES, 1, ARIL_SLICES + position, ARIL_SLICES + position, 0, 1000000);
	closed &= wait_until_closed(ARIL_REVOKE_SLICES);
	report("slices, gate", closed && gate && !open && !*(volatile u32 *)&slice->account &&
				       !*(volatile u32 *)&slice->env);
	struct aril_guard guard = core_child_guard(7);
	aril_slice_alloc(core_auth, child.account, 1, position, &guard);
	aril_slice_set(core_auth, 1, position, child.env, NULL);
}

static void gone(void)
{
	u32 page = books()->handler_frame;
	int ok = page && books()->handler == child.env;

	ok &= !aril_frame_reset(core_auth, page);
	ok &= !*(volatile u32 *)&books()->handler && !*(volatile u32 *)&books()->handler_frame;
	ask(ARIL_REVOKE_FRAMES, 4, 0, ARIL_INFO->nframes - 1, 0, 1000000);
	ok &= wait_until_closed(ARIL_REVOKE_FRAMES);
	child_end(); /* with nobody to tell */
	ok &= child_make(128);
	ask(ARIL_REVOKE_FRAMES, 20, 0, ARIL_INFO->nframes - 1, 0, 20000000);
	shared->die = 1; /* its handler goes while a request is open */
	ok &= wait_until_closed(ARIL_REVOKE_FRAMES);
	for (u32 n = 0; n < 20000 && *(volatile u32 *)&books()->handler; n++)
		core_sleep(1000000);
	ok &= !*(volatile u32 *)&books()->handler;
	report("page taken away, handler dead", ok);
	child_end();
}

/* Thousands of requests, most replaced by the next, some withdrawn, all the time. */
static void storm(void)
{
	int ok = child_make(128);
	u64 since = core_now(), until = since + 500000000, asked = 0, upcalls = 0;

	for (; core_now() < until || asked < 2000; asked++)
		ok &= !ask(asked % 4, asked % 7 ? 1 : 0, asked % 4 == 3 ? child.env : 0,
			   asked % 4 == 3 ? child.env : 50, 0, asked % 3 ? 1000 : 100000000);
	for (u32 kind = 0; kind < ARIL_REVOKE_KINDS; kind++)
		ok &= !ask(kind, 0, 0, 0, 0, 0);
	for (u32 i = 0; i < 20000 && !shared->upcalls; i++)
		core_sleep(1000000);
	upcalls = shared->upcalls;
	core_log("revocation: %lu requests in %lu ms, %lu upcalls", asked,
		 (core_now() - since) / 1000000, upcalls);
	report("storm", ok && asked > 1000 && upcalls);
	child_end();
}

int main(int argc, char **argv, char **envp)
{
	(void)argv, (void)envp;
	frames = (const struct aril_frame *)ARIL_INFO->frames_va;
	accounts = (const struct aril_account *)ARIL_INFO->accounts_va;
	if (argc > 1)
		return child_main();
	const struct aril_slice *slices = (const struct aril_slice *)ARIL_INFO->slices_va;
	u32 own = CORE_DOMAIN->account & 0xffff;
	while (position < ARIL_SLICES - 1 && slices[ARIL_SLICES + position].account != own)
		position++;
	if (!child_make(128))
		return 1;
	sulker();
	idle();
	others();
	gone();
	storm();
	core_log("revocation: done");
	return 0;
}

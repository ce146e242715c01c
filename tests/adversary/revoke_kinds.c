/* SPDX-License-Identifier: MIT
 * Taking by force what is in use that moment: a frame of 2 MiB into which another CPU writes, asked for by one of its parts;
 * ports that it reads, device memory that it reads and a line. Once an account has them no more, nothing of them is left. */
// machine: q35
// device: rtc hpet
// smp: 2
// expect: revoke_kinds: a frame of 2 MiB taken [0-9]+ times, no late write
// expect: revoke_kinds: refused a kept frame of 2 MiB
// expect: revoke_kinds: ports, memory and lines taken
// expect: revoke_kinds: done
// forbid: revoke_kinds: WRONG
#include "../native/member.h"
#include <aril/ops.h>
#include <core/frames.h>
#include <core/hpet.h>
#include <core/rtc.h>

#define LARGE_VA 0x500000000000ul
#define HPET_VA 0x500080000000ul
#define N 512u
#define ROUNDS 6u

static struct aril_guard ours;
static u32 account, first;
static volatile u32 writing, faults, writes;

static const volatile struct aril_account *books(void)
{
	return (const volatile struct aril_account *)ARIL_INFO->accounts_va + (account & 0xffff);
}

/* A refused access goes on where rcx says. */
static int on_exception(struct core_frame *f)
{
	if (f->save.vector != 14 && f->save.vector != 13)
		return 0;
	f->save.rip = f->rcx;
	return 1;
}

static u32 put(u64 va, u32 value)
{
	u32 through;

	__asm__ volatile("leaq 9f(%%rip), %%rcx\n\txorl %k0, %k0\n\tmovl %k2, (%1)\n\tmovl $1, "
			 "%k0\n9:"
			 : "=&r"(through)
			 : "r"(va), "r"(value)
			 : "rcx", "memory");
	return through;
}

static u32 get(u64 va)
{
	u32 through;

	__asm__ volatile("leaq 9f(%%rip), %%rcx\n\txorl %k0, %k0\n\tmovl (%1), %%eax\n\tmovl $1, "
			 "%k0\n9:"
			 : "=&r"(through)
			 : "r"(va)
			 : "rax", "rcx", "memory");
	return through;
}

static u32 port(u32 number)
{
	u32 through;

	__asm__ volatile("leaq 9f(%%rip), %%rcx\n\txorl %k0, %k0\n\tinb %%dx, %%al\n\tmovl $1, "
			 "%k0\n9:"
			 : "=&r"(through)
			 : "d"(number)
			 : "rax", "rcx", "memory");
	return through;
}

/* The other CPU writes, all over the 2 MiB. */
void core_secondary(u32 cpu)
{
	(void)cpu;
	for (u32 i = 0;; i++) {
		if (!writing) {
			core_sleep(200000);
			continue;
		}
		if (put(LARGE_VA + (u64)(i * 4099 % N) * ARIL_PAGE_SIZE + i % 1024 * 4, 0xbad))
			writes++;
		else
			faults++;
	}
}

static s64 ask(u32 kind, u32 count, u32 from, u32 to)
{
	struct aril_revocation want = {.kind = kind, .count = count, .first = from, .last = to};

	return aril_revoke(core_auth, account, &want);
}

static void until_closed(u32 kind)
{
	for (u64 until = core_now() + 5000000000ul; books()->wanted[kind];)
		if (core_now() > until) {
			wrong("a revocation that does not end", kind);
			return;
		}
}

/* The frames, joined and bound, charged to the account. */
static void large_make(void)
{
	s64 got = 0;

	for (u32 n = 0; n < N && got >= 0; n += (u32)got)
		allowed("frames",
			got = aril_frame_alloc(core_auth, account, first + n, N - n, &ours));
	for (u32 f = 0; f < N; f += 64) /* they are cleared: nothing of the round before */
		if (frame_info(first + f)->account != (account & 0xffff))
			wrong("a frame's account", f);
	allowed("joining", core_frames_join(core_auth, first));
	allowed("binding",
		core_map_large(&core_self, LARGE_VA, first, 1, ARIL_BIND_WRITE, core_auth));
}

static void large_taken(void)
{
	u32 before = writes, fault = faults;

	writing = 1;
	while (writes == before)
		core_sleep(20000);
	allowed("revoking", ask(ARIL_REVOKE_FRAMES, N, first, first + N - 1));
	until_closed(ARIL_REVOKE_FRAMES);
	for (u32 f = 0; f < N; f++)
		if (frame_info(first + f)->account || frame_info(first + f)->level ||
		    frame_info(first + f)->refs ||
		    frame_info(first + f)->state != ARIL_FRAME_NORMAL)
			wrong("what is left of frame", f);
	/* a next owner's: the other CPU's writes must not arrive */
	for (u32 n = 0; n < N;) {
		s64 got = aril_frame_alloc(core_auth, account, first + n, N - n, &ours);
		if (got < 0) {
			wrong("taking them", got);
			core_log("used %u limit %u n %u", books()->used[0], books()->limit[0], n);
		}
		n += (u32)got;
	}
	allowed("looking", core_map(&core_self, LARGE_VA + 0x40000000, first, N, 0, core_auth));
	while (faults == fault)
		core_sleep(20000);
	core_sleep(2000000);
	for (u32 i = 0; i < N * 1024; i++)
		if (((volatile u32 *)(LARGE_VA + 0x40000000))[i]) {
			wrong("a late write at", i);
			break;
		}
	writing = 0;
	core_sleep(500000);
	allowed("freeing", core_frames_free(core_auth, first, N));
}

/* By one part, of which the frame itself is not in the range. */
static void part_taken(void)
{
	large_make();
	allowed("revoking", ask(ARIL_REVOKE_FRAMES, 1, first + 77, first + 77));
	until_closed(ARIL_REVOKE_FRAMES);
	if (frame_info(first + 77)->account || frame_info(first)->level || frame_info(first)->refs)
		wrong("what is left of a frame of which a part was taken", first);
	if (frame_info(first)->account != (account & 0xffff))
		wrong("a frame that nobody asked for", first);
	if (put(LARGE_VA, 1) || put(LARGE_VA + 77 * ARIL_PAGE_SIZE, 1))
		wrong("a binding of what was taken apart", 1);
	for (u32 f = first; f < first + N; f++)
		if (frame_info(f)->account)
			allowed("freeing", core_frames_free(core_auth, f, 1));
}

static void kept(void)
{
	struct aril_frame_op keep = {
		.first = first, .count = N, .kind = ARIL_FRAME_MARK_KEEP, .tag = 1};

	large_make();
	for (u32 n = 0; n < N;) {
		keep.first = first + n, keep.count = N - n > 512 ? 512 : N - n;
		s64 got = aril_frame_update(core_auth, &keep, 1);
		if (got < 0) {
			wrong("marking", got);
			break;
		}
		n += keep.count;
	}
	allowed("revoking", ask(ARIL_REVOKE_FRAMES, N, first, first + N - 1));
	until_closed(ARIL_REVOKE_FRAMES);
	refused("a kept frame of 2 MiB",
		books()->used[ARIL_QUOTA_FRAMES] == N && put(LARGE_VA, 1) ? -ARIL_E_STATE : 0, 0);
	allowed("freeing", core_frames_free(core_auth, first, N));
}

/* --- grants, of a member in that account */

static struct member m;
static volatile u32 want_port, ports_through, memory_through, turns;

static void member_run(void)
{
	member_begin();
	for (;; turns++) {
		if (want_port) {
			ports_through = port(RTC_PORT + 1);
			memory_through = get(HPET_VA);
		}
		core_yield(member_self()->auth, CORE_DOMAIN->env);
	}
}

static void member_turn(void)
{
	for (u32 before = turns; turns == before;)
		core_yield(core_auth, m.env);
}

static void grants(u32 cpu)
{
	s64 number[4] = {core_grant(ARIL_GRANT_PORTS, RTC_PORT),
			 core_grant(ARIL_GRANT_MEMORY, HPET_FRAME), -1, -1};
	struct aril_env_desc desc = {.space = CORE_DOMAIN->space,
				     .flags = ARIL_ENV_LOG,
				     .entry = (u64)core_upcall,
				     .account = account};

	for (u32 i = 0; i < 64; i++) {
		const volatile struct aril_grant *g =
			(const volatile struct aril_grant *)ARIL_INFO->grants_va + i;

		if (g->env == CORE_DOMAIN->env && g->kind == ARIL_GRANT_LINE)
			number[number[2] < 0 ? 2 : 3] = i;
	}
	allowed("a member", member_make(&m, cpu, 0, member_run, 0));
	/* the same again, in that account */
	allowed("ending it", member_end(&m));
	s64 env = aril_env_create(core_auth, m.frame, &desc);
	allowed("an env of the account", env);
	m.env = (u32)env;
	m.context->cookie = (u64)&m.cpu;
	allowed("its context",
		aril_env_context(core_auth, m.env, cpu, m.context_frame, (u64)m.context));
	for (u32 i = 0; i < 4; i++)
		allowed("moving",
			aril_grant_move(core_auth, (u32)number[i], m.env, i < 2 ? 0 : cpu));
	if (books()->used[ARIL_QUOTA_GRANTS] != 4)
		wrong("grants of the account", books()->used[ARIL_QUOTA_GRANTS]);
	refused("unmasking a line that is another's", aril_line_unmask((u32)number[2]),
		ARIL_E_RIGHTS);
	refused("binding device memory that is another's",
		core_map(&core_self, HPET_VA, HPET_FRAME, 1, ARIL_BIND_UNCACHED, core_auth), 0);
	want_port = 1;
	member_turn();
	if (!ports_through)
		wrong("a port that was granted", 0);
	allowed("revoking one", ask(ARIL_REVOKE_GRANTS, 1, (u32)number[0], (u32)number[0]));
	until_closed(ARIL_REVOKE_GRANTS);
	member_turn();
	if (ports_through || port(RTC_PORT + 1))
		wrong("a port that was taken", 1);
	/* device memory, bound by its owner, in use */
	allowed("moving it back", aril_grant_move(core_auth, (u32)number[1], CORE_DOMAIN->env, 0));
	allowed("binding",
		core_map(&core_self, HPET_VA, HPET_FRAME, 1, ARIL_BIND_UNCACHED, core_auth));
	if (!get(HPET_VA))
		wrong("device memory that was granted", 0);
	allowed("and again", aril_grant_move(core_auth, (u32)number[1], m.env, 0));
	if (get(HPET_VA))
		wrong("device memory that was moved away", 0);
	allowed("revoking all", ask(ARIL_REVOKE_GRANTS, 64, 0, 63));
	until_closed(ARIL_REVOKE_GRANTS);
	member_turn();
	if (memory_through || books()->used[ARIL_QUOTA_GRANTS])
		wrong("what is left", books()->used[ARIL_QUOTA_GRANTS]);
	if (books()->taken < 4)
		wrong("taken", (s64)books()->taken);
	for (u32 i = 0; i < 4; i++)
		turned_down("a grant that was taken", aril_grant_destroy(core_auth, (u32)number[i]),
			    ARIL_E_RANGE);
	core_log("%s: ports, memory and lines taken", NAME);
	allowed("ending it", member_end(&m));
}

int main(int argc, char **argv, char **envp)
{
	struct aril_account_desc desc = {.reserve = N};

	(void)argc, (void)argv, (void)envp;
	core_async_off();
	u32 cpu = core_context()->cpu;
	core_async_on();
	ours = (struct aril_guard){.len = CORE_DOMAIN->cap.len,
				   .rights = ARIL_ALL,
				   .generation = CORE_DOMAIN->cap.generation};
	memcpy(ours.name, CORE_DOMAIN->cap.name, sizeof(ours.name));
	core_handlers.exception = on_exception;
	desc.guard = ours;
	desc.limit[ARIL_QUOTA_FRAMES] = N;
	desc.limit[ARIL_QUOTA_ENVS] = 1;
	desc.limit[ARIL_QUOTA_GRANTS] = 4;
	desc.limit[ARIL_QUOTA_WORK] = desc.limit[ARIL_QUOTA_FLUSHES] = ~0u;
	first = core_pool_take(&core_pool, 2 * N - 1);
	first = (first + N - 1) / N * N;
	allowed("freeing", core_frames_free(core_auth, first, N));
	s64 got = aril_account_create(core_auth, CORE_DOMAIN->account, &desc);
	allowed("an account", got);
	account = (u32)got;
	for (u32 n = 0; n < ROUNDS; n++) {
		large_make();
		large_taken();
	}
	core_log("%s: a frame of 2 MiB taken %u times, no late write", NAME, ROUNDS);
	part_taken();
	kept();
	grants(cpu);
	allowed("ending the account", aril_account_destroy(core_auth, account));
	return done();
}

/* SPDX-License-Identifier: MIT
 * The fake machine. */
#include "fake.h"
#include "account.h"
#include "cache.h"
#include "code_wait.h"
#include "grant.h"
#include "region.h"
#include "ring.h"
#include "lock.h"
#include "slice.h"

#include <stdarg.h>
#include <sys/mman.h>
#include <unistd.h>

#define WEAK __attribute__((weak))

struct aril_frame *frames;
u32 nframes = FAKE_FRAMES, ncpus = 2;
struct aril_env_info *env_infos;
struct cpu fake_cpu;
struct lock object_lock = LOCK("object");
u32 fake_flushed; /* the space of the last flush of one */
u32 fake_flushes, fake_quiesces, fake_copies, fake_grant_env;
struct context *fake_charged;
int fake_entropy = 1;
static u8 *memory;
static struct env *envs[ARIL_MAX_ENVS];
static u32 next_frame;
static u64 kernel_half[256];
static struct aril_account fake_accounts[ARIL_MAX_ACCOUNTS];

struct cpu *this_cpu(void)
{
	return &fake_cpu;
}

void *phys(u64 address)
{
	if (address >= FAKE_FRAMES * 4096ul) {
		printf("physical address %#lx is nobody's\n", (unsigned long)address);
		abort();
	}
	return memory + address;
}

const u64 *arch_kernel_entries(void)
{
	return kernel_half;
}

int copy_from_user(void *to, const void *from, u64 bytes)
{
	if ((u64)from < 0x10000)
		return -1;
	fake_copies++;
	memcpy(to, from, bytes);
	return 0;
}

int copy_to_user(void *to, const void *from, u64 bytes)
{
	if ((u64)to < 0x10000)
		return -1;
	memcpy(to, from, bytes);
	return 0;
}

void smp_flush_all(void)
{
	fake_flushes++;
	fake_charged = fake_cpu.ctx;
}

u8 fake_alias[FAKE_FRAMES]; /* how the kernel sees each frame; memory is so here too */
u32 fake_kernel_flushes;

void arch_alias_set(u32 first, u32 count, u32 how)
{
	static const int modes[] = {PROT_READ | PROT_WRITE, PROT_READ, PROT_READ | PROT_EXEC};

	memset(fake_alias + first, (int)how, count);
	if (mprotect(memory + first * 4096ul, count * 4096ul, modes[how]))
		abort();
}

u32 arch_alias_get(u32 frame)
{
	return fake_alias[frame];
}

void smp_flush_kernel(void)
{
	fake_kernel_flushes++;
}

void smp_flush_space(u32 root)
{
	fake_flushes++;
	fake_flushed = root;
}

/* A handler of narrower arguments sees the low half of a register only. */
WEAK s64 call_page_bind(u32 auth, u32 space, u64 va, u32 frame, u32 flags, u32 opener);
WEAK s64 call_page_unbind(u32 auth, u32 space, u64 va);
const call_fn call_table[ARIL_CALL_SLOTS] = {
	[ARIL_CALL_PAGE_BIND_INDEX] = (call_fn)(void (*)(void))call_page_bind,
	[ARIL_CALL_PAGE_UNBIND_INDEX] = (call_fn)(void (*)(void))call_page_unbind,
};

u64 fake_flushed_page;
void arch_flush_page(u64 va)
{
	fake_flushed_page = va;
}

u32 fake_new_space;
void smp_space_new(u32 root)
{
	fake_new_space = root;
}

void (*fake_on_quiesce)(void);
void smp_quiesce(void)
{
	fake_quiesces++;
	if (fake_on_quiesce)
		fake_on_quiesce();
}

WEAK void smp_poll(void)
{
}

u64 arch_random(int *ok)
{
	*ok = fake_entropy;
	return test_random();
}

void page_clear(void *page)
{
	memset(page, 0, 4096);
}

void panic_at(const char *file, int line, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fprintf(stderr, "panic: %s:%d: ", file, line);
	vfprintf(stderr, format, args);
	fprintf(stderr, "\n");
	_exit(TEST_PANIC);
}

/* kernel/grant.c's goes before it where that is linked. */
WEAK int grant_memory(const struct env *env, u32 frame)
{
	return env->id == fake_grant_env && frame - FAKE_DEVICE < 64;
}

static u32 device_head, device_refs; /* the list of all bindings of device memory */

WEAK u32 *grant_list(u32 frame, u32 **refs)
{
	(void)frame;
	*refs = &device_refs;
	return &device_head;
}

WEAK int region_destroy(u32 frame, u32 *budget, int *stale)
{
	printf("a region %u without regions (%u %d)\n", frame, *budget, *stale);
	abort();
}

WEAK s64 env_check(u32 id, const struct auth *a, u32 rights)
{
	struct env *env = env_get(id);

	return env ? frame_check(env->frame, a, rights) : -ARIL_E_ENV;
}

WEAK void ring_frame_gone(u32 frame)
{
	(void)frame;
}

/* kernel/revoke.c's and kernel/audit_account.c's go before these where they are linked. */
u32 fake_given[4],
	fake_given_what; /* by kind: credits that revoke_given heard of; the last one's number */
WEAK void revoke_given(u32 slot, u32 kind, u32 what)
{
	(void)slot;
	fake_given[kind]++;
	fake_given_what = what;
}

WEAK void revoke_awaits(u32 slot, u32 frame)
{
	(void)slot, (void)frame;
}

WEAK void revoke_frame_gone(u32 frame)
{
	(void)frame;
}

WEAK void revoke_account_gone(u32 slot)
{
	(void)slot;
}

WEAK u32 audit_counted;

WEAK void audit_recount(u32 frame, int sign)
{
	(void)frame, (void)sign;
}

#include "code_stubs.h"

/* Without kernel/code_wait.c nobody waits by a predicate. */
WEAK int code_wait_over(struct context *ctx, s32 *budget)
{
	(void)ctx, (void)budget;
	abort();
}

WEAK void code_wait_left(struct context *ctx)
{
	(void)ctx;
	abort();
}

WEAK void code_wait_queue(u32 ref)
{
	(void)ref;
	abort();
}

WEAK int code_wait_queued(const struct context *ctx)
{
	(void)ctx;
	abort();
}

WEAK void code_bucket_audit(u32 bucket, struct aril_check *out)
{
	(void)bucket, (void)out;
}

WEAK int code_look_again(struct aril_code_slot *s, s32 budget)
{
	(void)s, (void)budget;
	abort();
}

WEAK struct aril_code_word *code_wake_one(struct aril_code_word *w)
{
	(void)w;
	abort();
}

/* Without kernel/cache.c nobody has one. */
WEAK struct cache *cache_of(u32 root, u64 va)
{
	(void)root, (void)va;
	return NULL;
}

WEAK u32 cache_entry_frame(u64 entry)
{
	return entry >> 12 & (ARIL_MAX_FRAMES - 1);
}

WEAK u64 cache_entry_clear(u32 id)
{
	printf("an STLB entry %u without a cache\n", id);
	abort();
}

WEAK int cache_destroy(u32 frame, u32 *budget, int *stale)
{
	printf("a cache %u without caches (%u %d)\n", frame, *budget, *stale);
	abort();
}

WEAK int cache_destroy_all(u32 table, u32 *budget, int *stale)
{
	(void)table, (void)budget, (void)stale;
	return 1;
}

WEAK _Noreturn void slice_next(void)
{
	printf("nobody is next\n");
	abort();
}

struct env *env_get(u32 id)
{
	struct env *env = envs[id % ARIL_MAX_ENVS];

	return env && env->id == id && env->info->state == ARIL_ENV_ALIVE ? env : NULL;
}

void env_destroy(struct env *env, u32 end, s64 status)
{
	env->info->end = end;
	env->info->status = status;
	env->info->state = ARIL_ENV_DEAD;
	for (u32 i = 0; i < ARIL_MAX_CPUS; i++)
		if (env->ctx[i].state != CTX_NONE) {
			env->ctx[i].state = CTX_NONE;
			frame_unpin(env->ctx[i].frame);
		}
	if (env->space)
		frames[env->space].users--;
	envs[env->info->id % ARIL_MAX_ENVS] = NULL;
	frame_release(env->frame);
}

void fake_reset(void)
{
	free(frames);
	free(env_infos);
	frames = calloc(FAKE_FRAMES, sizeof(*frames));
	env_infos = calloc(ARIL_MAX_ENVS, sizeof(*env_infos));
	if (!memory)
		memory = aligned_alloc(4096, FAKE_FRAMES * 4096);
	arch_alias_set(0, FAKE_FRAMES, ARCH_ALIAS_DATA);
	fake_kernel_flushes = 0;
	memset(memory, 0xaa, FAKE_FRAMES * 4096); /* what is not cleared shows */
	memset(memory, 0xff, 4096);		  /* a missing table's entries would look present */
	memset(envs, 0, sizeof(envs));
	for (u32 i = 0; i < 256; i++)
		kernel_half[i] = i == 200 ? 0x123003 : 0;
	frames[0].state = ARIL_FRAME_KERNEL;
	frames[FAKE_KERNEL].state = ARIL_FRAME_KERNEL;
	frames[FAKE_ABSENT].state = ARIL_FRAME_ABSENT;
	next_frame = FAKE_FREE;
	fake_flushes = fake_quiesces = fake_copies = fake_grant_env = 0;
	fake_entropy = 1;
	memset(fake_given, 0, sizeof(fake_given));
	device_head = device_refs = 0;
	memset(fake_accounts, 0, sizeof(fake_accounts));
	accounts = fake_accounts;
	account_init(FAKE_FRAMES - FAKE_FREE);
	cap_init();
	fake_cpu.id = 0;
	fake_become(fake_env(0, 0));
}

u32 fake_frame(void)
{
	if (next_frame == FAKE_FRAMES)
		abort();
	fake_own(next_frame, 1);
	return next_frame++;
}

void fake_own(u32 first, u32 count)
{
	for (u32 frame = first; frame < first + count; frame++)
		account_move_frame(frame, ARIL_ACCOUNT_ROOT & 0xffff);
}

struct env *fake_env(u32 i, u32 space)
{
	u32 frame = fake_frame();
	struct env *env = frame_memory(frame);

	frame_retype(frame, ARIL_FRAME_ENV, 0, 0x10000 + i + 1, 1);
	env->id = 0x10000 + i + 1;
	env->frame = frame;
	env->account = ARIL_ACCOUNT_ROOT & 0xffff;
	env->space = space;
	env->info = &env_infos[i + 1];
	env->info->id = env->id;
	env->info->state = ARIL_ENV_ALIVE;
	env->info->space = space;
	if (space)
		frames[space].users++;
	envs[i + 1] = env;
	return env;
}

void fake_become(struct env *env)
{
	fake_cpu.env = env;
	fake_cpu.ctx = &env->ctx[fake_cpu.id];
	fake_cpu.ctx->env = env;
}

void fake_context(struct env *env, u32 cpu, u32 frame)
{
	env->ctx[cpu].state = CTX_READY;
	env->ctx[cpu].frame = frame;
	frame_pin(frame);
}

static void fake_cap(struct aril_cap *cap, const char *name, u32 rights, u64 generation)
{
	memset(cap, 0, sizeof(*cap));
	cap->len = strlen(name);
	memcpy(cap->name, name, cap->len);
	cap->rights = rights;
	cap->generation = generation;
	cap_sign(cap);
}

u32 fake_open(const char *name, u32 rights, u64 generation)
{
	struct aril_cap cap;

	fake_cap(&cap, name, rights, generation);
	return call_cap_open(&cap);
}

struct aril_guard fake_guard(const char *name, u32 rights, u64 generation)
{
	struct aril_guard g = {.len = strlen(name), .rights = rights, .generation = generation};

	memcpy(g.name, name, g.len);
	return g;
}

s64 fake_set_guard(u32 auth, u32 frame, u32 slot, struct aril_guard guard)
{
	struct aril_frame_op op = {frame, 1, ARIL_FRAME_GUARD, slot, 0, 0, guard};

	return call_frame_update(auth, &op, 1);
}

s64 fake_op(u32 auth, u32 space, u32 kind, u64 va, u32 frame, u32 count, u32 flags, u32 op_auth)
{
	struct aril_space_op op = {va, frame, count, kind, flags, op_auth};

	return call_space_update(auth, space, &op, 1);
}

u32 fake_space(u32 auth, u64 va, u32 *leaf)
{
	u32 root = fake_frame(), table;

	SAME(call_space_create(auth, root, fake_frame()), 0);
	for (u32 level = 3; level; level--) {
		table = fake_frame();
		SAME(call_space_table(auth, root, va, level, table, fake_frame()), 0);
		if (leaf)
			*leaf = table;
	}
	return root;
}

u64 fake_entry(u32 space, u64 va)
{
	u64 *entry = space_entry(space, va, 1);

	return entry ? *entry : 0;
}

/* One list: whether its ring closes after refs members that all name the frame, guard[0]'s before
 * guard[1]'s. 0 or a line. */
static int list_check(u32 frame)
{
	u32 id = frames[frame].head, before = 0, n = 0, guard = 0;

	if (!id)
		return frames[frame].refs ? __LINE__ : 0;
	do {
		u64 *table = frame_memory(id >> 9), entry = table[id & 511];
		u64 *shadow = frame_memory(frames[id >> 9].partner), word = shadow[id & 511];
		u64 names = (entry & PTE_ADDR) >> 12;

		if (frames[id >> 9].state == ARIL_FRAME_STLB)
			names = entry >> 12 & (ARIL_MAX_FRAMES - 1);
		if (!(entry & PTE_P) || names != frame)
			return __LINE__;
		if (before && word >> 32 != before)
			return __LINE__;
		if (guard && !(entry & PTE_GUARD1))
			return __LINE__;
		guard = !!(entry & PTE_GUARD1);
		before = id;
		id = word;
		if (++n > frames[frame].refs)
			return __LINE__;
	} while (id != frames[frame].head);
	u64 *shadow = frame_memory(frames[id >> 9].partner);
	if (shadow[id & 511] >> 32 != before)
		return __LINE__;
	return n == frames[frame].refs ? 0 : __LINE__;
}

/* A cache's page table, which has no books. */
static int entry_is_pool(const struct aril_frame *t, u64 entry, u64 shadow)
{
	return t->level == 2 && entry & PTE_POOL && !shadow &&
	       frames[(entry & PTE_ADDR) >> 12].state == ARIL_FRAME_POOL;
}

/* Present entries of a software TLB have books. */
static int stlb_check(u32 table, u32 *seen)
{
	u64 *entries = frame_memory(table), *shadow = frame_memory(frames[table].partner);

	for (u32 i = 0; i < 512; i++) {
		if (!entries[i] != !shadow[i])
			return __LINE__;
		if (entries[i])
			seen[entries[i] >> 12 & (ARIL_MAX_FRAMES - 1)]++;
	}
	return 0;
}

/* One table: its entries name what they may, and only present ones have books. Counts into seen. */
static int table_check(u32 table, u32 *seen)
{
	const struct aril_frame *t = &frames[table];
	u64 *entries = frame_memory(table), *shadow = frame_memory(t->partner);

	if (frames[t->partner].state != ARIL_FRAME_SHADOW || frames[t->partner].partner != table)
		return __LINE__;
	for (u32 i = 0; i < (t->level == 4 ? 256 : 512); i++) {
		u64 frame = (entries[i] & PTE_ADDR) >> 12;
		int books = entries[i] & PTE_P && frame < nframes && frame != FAKE_ABSENT;

		if (!(entries[i] & PTE_P) && entries[i])
			return __LINE__;
		if (entry_is_pool(t, entries[i], shadow[i]))
			continue;
		if (!(entries[i] & PTE_P) != !shadow[i])
			return __LINE__;
		if (!books)
			continue;
		seen[frame]++;
		if (t->level == 1 && (frames[frame].state == ARIL_FRAME_REGION ||
				      frames[frame].state == ARIL_FRAME_CODE ||
				      frames[frame].state == ARIL_FRAME_CONSTANT ||
				      frames[frame].state == ARIL_FRAME_DATA))
			continue;
		if (t->level == 2 && entries[i] & PTE_PS && frames[frame].level == 2 &&
		    frames[frame].state == ARIL_FRAME_NORMAL)
			continue;
		if (t->level == 1 && (frames[frame].level || entries[i] & PTE_PS))
			return __LINE__;
		if (t->level == 1 ? frames[frame].state != ARIL_FRAME_NORMAL &&
					    frames[frame].state != ARIL_FRAME_CACHE &&
					    frames[frame].state != ARIL_FRAME_STLB
				  : frames[frame].state != ARIL_FRAME_TABLE ||
					    frames[frame].level != t->level - 1)
			return __LINE__;
	}
	return 0;
}

int books_check(void)
{
	u32 *seen = calloc(nframes, sizeof(*seen));
	int bad = 0;

	for (u32 f = 0; f < nframes && !bad; f++)
		if (frames[f].state == ARIL_FRAME_TABLE || frames[f].state == ARIL_FRAME_SPACE)
			bad = table_check(f, seen);
		else if (frames[f].state == ARIL_FRAME_STLB)
			bad = stlb_check(f, seen);
	for (u32 f = 0; f < nframes && !bad; f++)
		bad = seen[f] != frames[f].refs ? __LINE__ : list_check(f);
	free(seen);
	return bad;
}

/* SPDX-License-Identifier: MIT
 * Grants: a fixed table of port ranges, interrupt lines and device memory, each one env's.
 *
 * Invariants, under object_lock. (1) Nothing is granted twice: ranges of a kind do not
 * overlap, nor does a grant what the kernel drives itself (ring.c). (2) env's port_first/port_count,
 * where the count is not 0, are its grants of ports: nports of them. (3) A CPU's I/O bitmap
 * follows env's list: it is loaded when env is entered, and again when the CPU acknowledges a
 * quiesce; so after ports_changed no CPU lets a withdrawn port through. (4) A granted line is
 * masked unless its owner unmasked it since it fired last. (5) All bindings of device memory
 * are in the list of a grant of it, which stays until the list is empty: BREAKING from the
 * moment its env is to lose it, when no binding is added any more. (6) What reaches the whole
 * machine is granted to envs of the root account alone, and answers to the root alone. (7) A
 * grant is charged to its env's account, or, where that env died and bindings are left, to
 * the account that was its. */
#include "grant.h"
#include "account.h"
#include "arch.h"
#include "boot.h"
#include "check.h"
#include "frame.h"
#include "lock.h"
#include "ring.h"
#include "slice.h"
#include "space.h"
#include "util.h"

#define MEMORY_MAX 65536 /* frames in one grant */
#define COM1_FIRST 0x3f8u
#define COM1_COUNT 8u
#define ROOT (ARIL_ACCOUNT_ROOT & 0xffff)

/* What the exposed entry does not say. */
struct grant {
	u32 head, refs; /* MEMORY: the bindings, as a frame's are */
	u32 breaking;
	u32 line_flags;
};

static struct grant grants[GRANTS];
struct aril_grant *grant_books;
static int uart_taken; /* read without the lock, by the log */

static int overlap(u32 a, u32 an, u32 b, u32 bn)
{
	return a < b ? b - a < an : a - b < bn;
}

/* Whether any of [first, first + count) of that kind is granted. */
static int is_granted(u32 kind, u32 first, u32 count)
{
	for (u32 i = 0; i < GRANTS; i++)
		if (grant_books[i].env && grant_books[i].kind == kind &&
		    overlap(grant_books[i].first, grant_books[i].count, first, count))
			return 1;
	return 0;
}

int grant_line_taken(u32 gsi)
{
	return is_granted(ARIL_GRANT_LINE, gsi, 1);
}

int grant_memory_taken(u32 first, u32 count)
{
	return is_granted(ARIL_GRANT_MEMORY, first, count);
}

int grant_uart_taken(void)
{
	return read_once(uart_taken);
}

/* The grant of a frame of device memory, or GRANTS. */
static u32 grant_of(u32 frame)
{
	u32 n = 0;

	while (n < GRANTS && !(grant_books[n].env && grant_books[n].kind == ARIL_GRANT_MEMORY &&
			       frame - grant_books[n].first < grant_books[n].count))
		n++;
	return n;
}

int grant_memory(const struct env *env, u32 frame)
{
	u32 n = grant_of(frame);

	return n < GRANTS && grant_books[n].env == env->id && !grants[n].breaking;
}

u32 *grant_list(u32 frame, u32 **refs)
{
	u32 n = grant_of(frame);

	assert(n < GRANTS); /* invariant (5) */
	*refs = &grants[n].refs;
	return &grants[n].head;
}

/* Breaks, within the budget, the bindings of a grant of memory; 1 when none is left. */
static int memory_break(u32 n, u32 *budget)
{
	int stale = 0, done;

	grants[n].breaking = 1;
	done = space_break_list(&grants[n].head, -1, budget, &stale);
	if (stale)
		smp_flush_all();
	return done;
}

/* env's list of ports was edited: makes every CPU's bitmap follow it (invariant 3). */
static void ports_changed(struct env *env)
{
	struct cpu *cpu = this_cpu();

	write_once(uart_taken, is_granted(ARIL_GRANT_PORTS, COM1_FIRST, COM1_COUNT));
	if (cpu->env == env)
		arch_load_ports(env);
	else if (cpu->ports_of == env->id)
		cpu->ports_of = ~0u; /* nobody's id: the next env entered loads its own */
	smp_quiesce();
}

/* There is room: decode_ports. Other CPUs read the list as they enter env, without a lock:
 * none may see the new count with the first port that stood there before. */
static void ports_add(struct env *env, u32 first, u32 count)
{
	u32 i = 0;

	while (env->port_count[i])
		i++;
	write_once(env->port_first[i], first);
	smp_quiesce();
	write_once(env->port_count[i], count);
	env->nports++;
	authority_changed();
	ports_changed(env);
}

static void ports_remove(struct env *env, u32 first)
{
	for (u32 i = 0; i < array_count(env->port_first); i++)
		if (env->port_count[i] && env->port_first[i] == first)
			write_once(env->port_count[i], 0);
	env->nports--;
	authority_changed();
	ports_changed(env);
}

/* Removes a grant from the table and its effect from the machine, env being its owner if it lives. 1; or 0 when
 * the budget was spent on bindings and some are left: done again, it goes on. */
static int grant_withdraw(u32 n, struct env *env, u32 *budget)
{
	struct aril_grant *g = &grant_books[n], was = *g;

	if (g->kind == ARIL_GRANT_MEMORY && !memory_break(n, budget))
		return 0;
	if (g->kind == ARIL_GRANT_LINE)
		arch_line_mask(g->first, 1);
	memset(g, 0, sizeof(*g));
	memset(&grants[n], 0, sizeof(grants[n]));
	if (was.kind == ARIL_GRANT_PORTS) /* its env lives, or is just being ended */
		ports_remove(env, was.first);
	account_credit(was.account, ARIL_QUOTA_GRANTS, n);
	return 1;
}

int grant_take(u32 n)
{
	u32 budget = ARIL_BATCH_PAGES;

	if (n >= GRANTS || !grant_books[n].env)
		return 1;
	return grant_withdraw(n, env_get(grant_books[n].env), &budget);
}

/* Whether a opens the grant's guard for rights; without a guard it is the root's. */
static int grant_opens(const struct aril_grant *g, const struct auth *a, u32 rights)
{
	if (g->guard.rights)
		return guard_opens(&g->guard, a, rights);
	return !a->len && (a->rights & rights) == rights;
}

/* Whether what is granted reaches more than one device. */
static int is_whole(u32 kind, u32 first, u32 count)
{
	if (kind == ARIL_GRANT_PORTS)
		return arch_ports_whole(first, count);
	return kind == ARIL_GRANT_MEMORY && arch_memory_whole(first, count);
}

/* Whether the grant can be that env's, beside its accounts' limit: invariant (6), and its list of ports. */
static s64 owner_check(u32 kind, u32 first, u32 count, const struct env *env)
{
	if (is_whole(kind, first, count) && env->account != ROOT)
		return -ARIL_E_RIGHTS;
	if (kind == ARIL_GRANT_PORTS && env->nports == array_count(env->port_first))
		return -ARIL_E_QUOTA;
	return 0;
}

static s64 decode_ports(const struct aril_grant_desc *desc)
{
	if (!desc->count || desc->count > 0x10000)
		return -ARIL_E_RANGE;
	if (desc->first > 0x10000 - desc->count)
		return -ARIL_E_RANGE;
	if (desc->flags)
		return -ARIL_E_RANGE;
	if (is_granted(ARIL_GRANT_PORTS, desc->first, desc->count))
		return -ARIL_E_STATE;
	return 0;
}

/* What the firmware says of an ISA line goes before what the caller says. */
u32 line_of_isa(u32 isa, u32 *flags)
{
	u32 override;
	u32 gsi = arch_isa_line(isa, &override);

	*flags = override ? override : *flags & ~ARIL_LINE_ISA;
	return gsi;
}

/* Turns an ISA number into the line that the firmware wired it to. */
static s64 decode_line(struct aril_grant_desc *desc)
{
	if (desc->count != 1)
		return -ARIL_E_RANGE;
	if (desc->cpu >= ncpus)
		return -ARIL_E_CPU;
	if (desc->flags & ~(ARIL_LINE_LEVEL | ARIL_LINE_LOW | ARIL_LINE_ISA))
		return -ARIL_E_RANGE;
	if (desc->flags & ARIL_LINE_ISA) {
		if (desc->first > 15)
			return -ARIL_E_RANGE;
		desc->first = line_of_isa(desc->first, &desc->flags);
	}
	if (grant_line_taken(desc->first) || ring_line_taken(desc->first))
		return -ARIL_E_STATE;
	return 0;
}

static s64 decode_memory(const struct aril_grant_desc *desc)
{
	if (!desc->count || desc->count > MEMORY_MAX)
		return -ARIL_E_RANGE;
	if (desc->first > ~0u - desc->count)
		return -ARIL_E_RANGE;
	if (desc->flags)
		return -ARIL_E_RANGE;
	for (u32 f = desc->first; f < desc->first + desc->count && f < nframes; f++)
		if (frames[f].state != ARIL_FRAME_ABSENT)
			return -ARIL_E_RANGE;
	if (grant_memory_taken(desc->first, desc->count))
		return -ARIL_E_STATE;
	if (ring_memory_taken(desc->first, desc->count))
		return -ARIL_E_STATE;
	return 0;
}

/* What is granted: by its kind alone. */
static s64 decode_kind(struct aril_grant_desc *desc)
{
	switch (desc->kind) {
	case ARIL_GRANT_PORTS:
		return decode_ports(desc);
	case ARIL_GRANT_LINE:
		return decode_line(desc);
	case ARIL_GRANT_MEMORY:
		return decode_memory(desc);
	}
	return -ARIL_E_RANGE;
}

static s64 grant_decode(struct aril_grant_desc *desc, const struct auth *a, const struct env *env)
{
	s64 error = decode_kind(desc);

	if (error)
		return error;
	if (desc->guard.rights) {
		error = guard_give(&desc->guard, a, ARIL_OWN);
		if (error)
			return error;
		if (is_whole(desc->kind, desc->first, desc->count))
			return -ARIL_E_RIGHTS;
	}
	error = owner_check(desc->kind, desc->first, desc->count, env);
	if (error)
		return error;
	return account_room(env->account, ARIL_QUOTA_GRANTS, 1);
}

s64 call_grant_create(u32 auth, const struct aril_grant_desc *user)
{
	const struct auth *a = auth_get(this_cpu()->env, auth);
	struct aril_grant_desc desc;
	u32 n = 0;

	if (!a)
		return -ARIL_E_CAP;
	if (a->len || !(a->rights & ARIL_OWN))
		return -ARIL_E_RIGHTS;
	if (copy_from_user(&desc, user, sizeof(desc)))
		return -ARIL_E_ADDR;
	struct env *env = env_get(desc.env);
	if (!env)
		return -ARIL_E_ENV;
	while (n < GRANTS && grant_books[n].env)
		n++;
	if (n == GRANTS)
		return -ARIL_E_QUOTA;
	s64 error = grant_decode(&desc, a, env);
	if (error)
		return error;
	if (desc.kind == ARIL_GRANT_LINE &&
	    arch_line_route(desc.first, ARCH_VECTOR_LINES + n, desc.cpu, desc.flags))
		return -ARIL_E_RANGE;
	grants[n].line_flags = desc.flags;
	grant_books[n] = (struct aril_grant){.guard = desc.guard,
					     .kind = desc.kind,
					     .first = desc.first,
					     .count = desc.count,
					     .cpu = desc.kind == ARIL_GRANT_LINE ? desc.cpu : 0,
					     .account = env->account};
	write_once(grant_books[n].env, env->id);
	account_charge(env->account, ARIL_QUOTA_GRANTS);
	if (desc.kind == ARIL_GRANT_PORTS)
		ports_add(env, desc.first, desc.count);
	return n;
}

/* The grant with this number, if it is there and a opens it. */
static s64 grant_check(u32 n, const struct auth *a, u32 rights)
{
	if (n >= GRANTS)
		return -ARIL_E_RANGE;
	if (!grant_books[n].env)
		return -ARIL_E_RANGE;
	if (!grant_opens(&grant_books[n], a, rights))
		return -ARIL_E_RIGHTS;
	return 0;
}

s64 call_grant_destroy(u32 auth, u32 grant)
{
	const struct auth *a = auth_get(this_cpu()->env, auth);

	if (!a)
		return -ARIL_E_CAP;
	s64 error = grant_check(grant, a, ARIL_OWN);
	if (error)
		return error;
	error = account_flush();
	if (error)
		return error;
	return grant_take(grant) ? 0 : -ARIL_E_AGAIN;
}

s64 call_grant_guard(u32 auth, u32 grant, const struct aril_guard *user)
{
	const struct auth *a = auth_get(this_cpu()->env, auth);
	struct aril_guard guard;

	if (!a)
		return -ARIL_E_CAP;
	s64 error = grant_check(grant, a, ARIL_OWN);
	if (error)
		return error;
	if (copy_from_user(&guard, user, sizeof(guard)))
		return -ARIL_E_ADDR;
	error = guard_give(&guard, a, ARIL_OWN);
	if (error)
		return error;
	struct aril_grant *g = &grant_books[grant];
	if (is_whole(g->kind, g->first, g->count))
		return -ARIL_E_RIGHTS;
	g->guard = guard;
	return 0;
}

static s64 move_decode(const struct aril_grant *g, const struct auth *a, u32 id, u32 cpu)
{
	s64 error = env_check(id, a, ARIL_RUN);

	if (error)
		return error;
	const struct env *env = env_get(id);
	if (g->kind == ARIL_GRANT_LINE ? cpu >= ncpus : cpu)
		return -ARIL_E_CPU;
	if (g->env != id) {
		error = owner_check(g->kind, g->first, g->count, env);
		if (error)
			return error;
	}
	return g->account == env->account ? 0 : account_room(env->account, ARIL_QUOTA_GRANTS, 1);
}

s64 call_grant_move(u32 auth, u32 grant, u32 id, u32 cpu)
{
	const struct auth *a = auth_get(this_cpu()->env, auth);
	u32 budget = ARIL_BATCH_PAGES;

	if (!a)
		return -ARIL_E_CAP;
	s64 error = grant_check(grant, a, ARIL_RUN);
	if (error)
		return error;
	struct aril_grant *g = &grant_books[grant];
	error = move_decode(g, a, id, cpu);
	if (error)
		return error;
	error = account_flush();
	if (error)
		return error;
	if (g->kind == ARIL_GRANT_MEMORY && !memory_break(grant, &budget))
		return -ARIL_E_AGAIN;
	struct env *from = env_get(g->env), *to = env_get(id);
	u32 account = g->account;
	grants[grant].breaking = 0;
	g->cpu = cpu;
	g->account = to->account;
	write_once(g->env, id);
	account_charge(to->account, ARIL_QUOTA_GRANTS);
	account_credit(account, ARIL_QUOTA_GRANTS, grant);
	if (g->kind == ARIL_GRANT_PORTS) {
		ports_remove(from, g->first);
		ports_add(to, g->first, g->count);
	}
	if (g->kind == ARIL_GRANT_LINE) /* it was routed once: the line is there */
		assert(!arch_line_route(g->first, ARCH_VECTOR_LINES + grant, cpu,
					grants[grant].line_flags));
	return 0;
}

s64 call_line_unmask(u32 grant)
{
	if (grant >= GRANTS || grant_books[grant].kind != ARIL_GRANT_LINE)
		return -ARIL_E_RANGE;
	if (grant_books[grant].env != this_cpu()->env->id)
		return -ARIL_E_RIGHTS;
	arch_line_mask(grant_books[grant].first, 0);
	return 0;
}

void grant_interrupt(u32 grant)
{
	lock_take(&object_lock); /* a context's page goes only under it */
	struct aril_grant *g = &grant_books[grant % GRANTS];
	struct env *env = env_get(g->env);
	if (env && g->kind == ARIL_GRANT_LINE) {
		struct context *ctx = &env->ctx[g->cpu];

		arch_line_mask(g->first, 1);
		g->fired++;
		if (ctx->state != CTX_NONE) {
			__atomic_or_fetch(&ctx->page->lines, 1ul << grant % 64, __ATOMIC_SEQ_CST);
			upcall_post(ctx, ARIL_PEND_EVENT);
		}
	}
	lock_drop(&object_lock);
}

void grant_env_gone(struct env *env)
{
	u32 budget = ARIL_BATCH_PAGES;

	for (u32 i = 0; i < GRANTS; i++)
		if (grant_books[i].env == env->id)
			grant_withdraw(i, env, &budget);
}

/* --- the audit */

#define AUDIT_BINDINGS 4096 /* of all grants' lists: as many are walked */

/* Walks a list of bindings: each names memory of this grant, and links both ways. */
static const char *bindings_wrong(u32 n, u32 *budget)
{
	const struct aril_grant *g = &grant_books[n];
	u32 id = grants[n].head, seen = 0;

	if (!id != !grants[n].refs)
		return "a grant's list of bindings has another length";
	while (id && *budget) {
		u32 frame =
			audit_readable(id) ? (audit_entry(id) & PTE_ADDR) >> ARIL_PAGE_SHIFT : 0;

		--*budget;
		if (!frame || !audit_binding(id, frame))
			return "a grant's list leads to no binding";
		if (frame - g->first >= g->count)
			return "a grant's list leads to memory that is not its";
		u32 next = (u32)audit_shadow(id);
		if (!audit_readable(next) || audit_shadow(next) >> 32 != id)
			return "a binding of device memory is not linked back";
		if (++seen > grants[n].refs)
			return "a grant's list of bindings has another length";
		id = next == grants[n].head ? 0 : next;
	}
	return !id && seen != grants[n].refs ? "a grant's list of bindings has another length"
					     : NULL;
}

static const char *owner_wrong(u32 n)
{
	const struct aril_grant *g = &grant_books[n];
	const struct env *env = env_get(g->env);

	if (!env)
		return grants[n].breaking ? NULL : "a grant to nobody";
	if (env->account != g->account)
		return "a grant is charged to another than its env's account";
	if (g->kind != ARIL_GRANT_PORTS)
		return NULL;
	for (u32 i = 0; i < array_count(env->port_first); i++)
		if (env->port_first[i] == g->first && env->port_count[i] == g->count)
			return NULL;
	return "granted ports are not in their env's list";
}

static const char *grant_wrong(u32 n, u32 *budget)
{
	const struct aril_grant *g = &grant_books[n];
	static const struct aril_grant none;

	if (!g->env)
		return memcmp(g, &none, sizeof(none)) || grants[n].head || grants[n].refs
			       ? "a free grant is not empty"
			       : NULL;
	if (g->kind < ARIL_GRANT_PORTS || g->kind > ARIL_GRANT_MEMORY)
		return "a grant's kind is none";
	for (u32 i = 0; i < n; i++)
		if (grant_books[i].env && grant_books[i].kind == g->kind &&
		    overlap(grant_books[i].first, grant_books[i].count, g->first, g->count))
			return "a thing is granted twice";
	if (g->kind == ARIL_GRANT_LINE && g->cpu >= ncpus)
		return "a line is delivered to a CPU that is not there";
	if (g->kind == ARIL_GRANT_LINE && ring_line_taken(g->first))
		return "a device's line is granted";
	if (g->guard.rights && !(g->guard.rights & ARIL_OWN))
		return "a grant's guard grants not OWN";
	if (is_whole(g->kind, g->first, g->count) && (g->guard.rights || g->account != ROOT))
		return "what reaches the whole machine is not the root's";
	const char *why = owner_wrong(n);
	if (why)
		return why;
	return g->kind == ARIL_GRANT_MEMORY ? bindings_wrong(n, budget) : NULL;
}

u64 grant_audit(u64 from, struct aril_check *out)
{
	u32 budget = AUDIT_BINDINGS;

	for (u64 n = from; n < GRANTS; n++) {
		const char *why = grant_wrong((u32)n, &budget);

		if (why)
			audit_wrong(out, (u32)n, why, 0, grant_books[n].env);
		out->checked += grant_books[n].env != 0;
	}
	return 0;
}

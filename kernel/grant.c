/* SPDX-License-Identifier: MIT
 * Grants: a fixed table of port ranges, interrupt lines and device memory, each one env's.
 *
 * Invariants, under object_lock. (1) Nothing is granted twice: ranges of a kind do not
 * overlap. (2) env's port_first/port_count, where the count is not 0, are its grants of
 * ports: nports of them. (3) A CPU's I/O bitmap follows env's list: it is loaded when env is
 * entered, and again when the CPU acknowledges a quiesce; so after ports_changed no CPU lets
 * a withdrawn port through. (4) A granted line is masked unless its owner unmasked it since
 * it fired last. */
#include "grant.h"
#include "arch.h"
#include "boot.h"
#include "frame.h"
#include "lock.h"
#include "ring.h"
#include "slice.h"
#include "space.h"
#include "util.h"

#define MEMORY_MAX 65536 /* frames in one grant */
#define COM1_FIRST 0x3f8u
#define COM1_COUNT 8u

struct grant {
	struct env *env; /* NULL: free */
	u32 kind;
	u32 first; /* LINE: the global system interrupt */
	u32 count;
	u32 cpu;
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
		if (grants[i].env && grants[i].kind == kind &&
		    overlap(grants[i].first, grants[i].count, first, count))
			return 1;
	return 0;
}

int grant_line_taken(u32 gsi)
{
	return is_granted(ARIL_GRANT_LINE, gsi, 1);
}

int grant_uart_taken(void)
{
	return read_once(uart_taken);
}

int grant_memory(const struct env *env, u32 frame)
{
	for (u32 i = 0; i < GRANTS; i++)
		if (grants[i].env == env && grants[i].kind == ARIL_GRANT_MEMORY &&
		    frame - grants[i].first < grants[i].count)
			return 1;
	return 0;
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

/* Takes device memory out of every table. Such a binding has no books (its frame has no entry
 * to keep them in), so all tables that map pages are looked through: rare, and root's. */
static void memory_unbind(u32 first, u32 count)
{
	int stale = 0;

	for (u32 f = 0; f < nframes; f++) {
		if (frames[f].state != ARIL_FRAME_TABLE || frames[f].level != 1)
			continue;
		u64 *entry = frame_memory(f);
		for (u32 i = 0; i < 512; i++) {
			u64 pte = read_once(entry[i]);
			if (!(pte & PTE_P) || (pte & PTE_ADDR) >> ARIL_PAGE_SHIFT < first ||
			    (pte & PTE_ADDR) >> ARIL_PAGE_SHIFT >= (u64)first + count)
				continue;
			__atomic_exchange_n(&entry[i], 0, __ATOMIC_SEQ_CST);
			stale = 1;
		}
	}
	if (stale)
		smp_flush_all();
}

/* Removes a grant from the table and its effect from the machine. */
static void grant_withdraw(struct grant *g)
{
	struct env *env = g->env;

	g->env = NULL;
	switch (g->kind) {
	case ARIL_GRANT_PORTS:
		for (u32 i = 0; i < array_count(env->port_first); i++)
			if (env->port_count[i] && env->port_first[i] == g->first)
				write_once(env->port_count[i], 0);
		env->nports--;
		authority_changed();
		ports_changed(env);
		break;
	case ARIL_GRANT_LINE:
		arch_line_mask(g->first, 1);
		break;
	case ARIL_GRANT_MEMORY:
		memory_unbind(g->first, g->count);
		break;
	}
}

static s64 decode_ports(const struct aril_grant_desc *desc, const struct env *env)
{
	if (!desc->count || desc->count > 0x10000)
		return -ARIL_E_RANGE;
	if (desc->first > 0x10000 - desc->count)
		return -ARIL_E_RANGE;
	if (desc->flags)
		return -ARIL_E_RANGE;
	if (is_granted(ARIL_GRANT_PORTS, desc->first, desc->count))
		return -ARIL_E_STATE;
	if (env->nports == array_count(env->port_first))
		return -ARIL_E_QUOTA;
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
	if (is_granted(ARIL_GRANT_MEMORY, desc->first, desc->count))
		return -ARIL_E_STATE;
	return 0;
}

static s64 grant_decode(struct aril_grant_desc *desc, const struct env *env)
{
	switch (desc->kind) {
	case ARIL_GRANT_PORTS:
		return decode_ports(desc, env);
	case ARIL_GRANT_LINE:
		return decode_line(desc);
	case ARIL_GRANT_MEMORY:
		return decode_memory(desc);
	}
	return -ARIL_E_RANGE;
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
	while (n < GRANTS && grants[n].env)
		n++;
	if (n == GRANTS)
		return -ARIL_E_QUOTA;
	s64 error = grant_decode(&desc, env);
	if (error)
		return error;
	if (desc.kind == ARIL_GRANT_LINE &&
	    arch_line_route(desc.first, ARCH_VECTOR_LINES + n, desc.cpu, desc.flags))
		return -ARIL_E_RANGE;
	grants[n] = (struct grant){.env = env,
				   .kind = desc.kind,
				   .first = desc.first,
				   .count = desc.count,
				   .cpu = desc.cpu};
	if (desc.kind == ARIL_GRANT_PORTS) {
		ports_add(env, desc.first, desc.count);
	}
	return n;
}

s64 call_grant_destroy(u32 auth, u32 grant)
{
	const struct auth *a = auth_get(this_cpu()->env, auth);

	if (!a)
		return -ARIL_E_CAP;
	if (a->len || !(a->rights & ARIL_OWN))
		return -ARIL_E_RIGHTS;
	if (grant >= GRANTS || !grants[grant].env)
		return -ARIL_E_RANGE;
	grant_withdraw(&grants[grant]);
	return 0;
}

s64 call_grant_guard(u32 auth, u32 grant, const struct aril_guard *guard)
{
	(void)auth, (void)grant, (void)guard;
	return -ARIL_E_CALL;
}

s64 call_grant_move(u32 auth, u32 grant, u32 env, u32 cpu)
{
	(void)auth, (void)grant, (void)env, (void)cpu;
	return -ARIL_E_CALL;
}

s64 call_line_unmask(u32 grant)
{
	if (grant >= GRANTS || grants[grant].kind != ARIL_GRANT_LINE)
		return -ARIL_E_RANGE;
	if (grants[grant].env != this_cpu()->env)
		return -ARIL_E_RIGHTS;
	arch_line_mask(grants[grant].first, 0);
	return 0;
}

void grant_interrupt(u32 grant)
{
	lock_take(&object_lock); /* a context's page goes only under it */
	struct grant *g = &grants[grant % GRANTS];
	if (g->env && g->kind == ARIL_GRANT_LINE) {
		struct context *ctx = &g->env->ctx[g->cpu];

		arch_line_mask(g->first, 1);
		if (ctx->state != CTX_NONE) {
			__atomic_or_fetch(&ctx->page->lines, 1ul << grant % 64, __ATOMIC_SEQ_CST);
			upcall_post(ctx, ARIL_PEND_EVENT);
		}
	}
	lock_drop(&object_lock);
}

int grant_take(u32 n)
{
	if (n < GRANTS && grants[n].env)
		grant_withdraw(&grants[n]);
	return 1;
}

void grant_env_gone(struct env *env)
{
	for (u32 i = 0; i < GRANTS; i++)
		if (grants[i].env == env)
			grant_withdraw(&grants[i]);
}

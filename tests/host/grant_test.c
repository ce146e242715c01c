/* SPDX-License-Identifier: MIT
 * Grants: who may, what may not be granted twice, and what is gone when a grant is.
 * links: tests/host/fake.c kernel/cap.c kernel/siphash.c kernel/frame.c kernel/large.c kernel/account.c kernel/space.c kernel/narrow.c kernel/table.c kernel/grant.c kernel/check.c */
#include "fake.h"

#include "account.h"
#include "audit_stubs.h"
#include "grant.h"
#include "ring.h"
#include "slice.h"

#define LINES 24

static u32 root, loads, posted, device_line, drives;
static struct {
	u32 vector, cpu, flags;
	int masked;
} line[LINES];
static struct env *child;

/* Shoot-downs that the caller's account may cause in a slice. */
static void flushes(u32 limit)
{
	accounts[fake_cpu.env->account].limit[ARIL_QUOTA_FLUSHES] = limit;
}

void arch_load_ports(const struct env *env)
{
	fake_cpu.ports_of = env->nports ? env->id : 0;
	loads++;
}

/* The firmware moved 0 and says how 9 is wired; of the rest it says nothing. */
u32 arch_isa_line(u32 isa, u32 *flags)
{
	*flags = isa == 9 ? ARIL_LINE_LEVEL | ARIL_LINE_LOW : 0;
	return isa ? isa : 2;
}

int arch_line_route(u32 gsi, u32 vector, u32 cpu, u32 flags)
{
	if (gsi >= LINES)
		return -1;
	line[gsi].vector = vector;
	line[gsi].cpu = cpu;
	line[gsi].flags = flags;
	line[gsi].masked = 1;
	return 0;
}

void arch_line_mask(u32 gsi, int masked)
{
	line[gsi].masked = masked;
}

/* Port 0x64, and the last eight frames of device memory. */
int arch_ports_whole(u32 first, u32 count)
{
	return first <= 0x64 && first + count > 0x64;
}

int arch_memory_whole(u32 first, u32 count)
{
	return first + count > FAKE_DEVICE + 56 && first < FAKE_DEVICE + 64;
}

/* The kernel drives what is at the ninth frame. */
int ring_memory_taken(u32 first, u32 count)
{
	return drives && first <= FAKE_DEVICE + 8 && first + count > FAKE_DEVICE + 8;
}

int ring_line_taken(u32 gsi)
{
	return gsi == device_line;
}

void upcall_post(struct context *ctx, u32 pend)
{
	CHECK(ctx->state != CTX_NONE && pend == ARIL_PEND_EVENT);
	posted++;
}

static s64 create(u32 auth, u32 kind, u32 first, u32 count, u32 cpu, u32 flags)
{
	struct aril_grant_desc desc = {.kind = kind,
				       .env = child->id,
				       .first = first,
				       .count = count,
				       .cpu = cpu,
				       .flags = flags};

	return call_grant_create(auth, &desc);
}

/* The kernel's table outlives a test: each takes its grants back. */
static void start(void)
{
	u32 page;

	fake_reset();
	if (!grant_books)
		grant_books = calloc(GRANTS, sizeof(*grant_books));
	drives = 0;
	root = fake_open("", ARIL_ALL, ~0ul);
	child = fake_env(1, 0);
	page = fake_frame();
	fake_context(child, 1, page);
	child->ctx[1].page = frame_memory(page);
	memset(child->ctx[1].page, 0, 4096);
	device_line = ~0u;
	loads = posted = 0;
	fake_cpu.ports_of = 0;
}

static void end(void)
{
	audit_says(ARIL_NOUN_GRANT, NULL);
	grant_env_gone(child);
	audit_says(ARIL_NOUN_GRANT, NULL);
	SAME(accounts[1].used[ARIL_QUOTA_GRANTS], 0);
	SAME(child->nports, 0);
	CHECK(!grant_uart_taken());
	for (u32 i = 0; i < GRANTS; i++)
		SAME(call_grant_destroy(root, i), -ARIL_E_RANGE);
}

static void authority(void)
{
	struct aril_grant_desc desc;

	start();
	desc = (struct aril_grant_desc){
		.kind = ARIL_GRANT_PORTS, .env = child->id, .first = 0x60, .count = 1};
	SAME(create(99, ARIL_GRANT_PORTS, 0x60, 1, 0, 0), -ARIL_E_CAP);
	SAME(create(fake_open("d", ARIL_ALL, ~0ul), ARIL_GRANT_PORTS, 0x60, 1, 0, 0),
	     -ARIL_E_RIGHTS);
	u32 weak = fake_open("", ARIL_ALL & ~ARIL_OWN, ~0ul);
	SAME(create(weak, ARIL_GRANT_PORTS, 0x60, 1, 0, 0), -ARIL_E_RIGHTS);
	SAME(call_grant_create(root, BAD_ADDRESS), -ARIL_E_ADDR);
	desc.env++;
	SAME(call_grant_create(root, &desc), -ARIL_E_ENV);
	SAME(create(root, 0, 0x60, 1, 0, 0), -ARIL_E_RANGE);
	SAME(create(root, 4, 0x60, 1, 0, 0), -ARIL_E_RANGE);
	SAME(create(root, ARIL_GRANT_PORTS, 0x60, 1, 0, 0), 0);
	SAME(call_grant_destroy(99, 0), -ARIL_E_CAP);
	SAME(call_grant_destroy(fake_open("e", ARIL_ALL, ~0ul), 0), -ARIL_E_RIGHTS);
	SAME(call_grant_destroy(weak, 0), -ARIL_E_RIGHTS);
	SAME(call_grant_destroy(root, GRANTS), -ARIL_E_RANGE);
	SAME(call_grant_destroy(root, 1), -ARIL_E_RANGE);
	flushes(0);
	SAME(call_grant_destroy(root, 0), -ARIL_E_QUOTA);
	flushes(~0u);
	SAME(call_grant_destroy(root, 0), 0);
	SAME(call_grant_destroy(root, 0), -ARIL_E_RANGE);
	end();
}

static void ports(void)
{
	start();
	SAME(create(root, ARIL_GRANT_PORTS, 0x60, 0, 0, 0), -ARIL_E_RANGE);
	SAME(create(root, ARIL_GRANT_PORTS, 0, 0x10001, 0, 0), -ARIL_E_RANGE);
	SAME(create(root, ARIL_GRANT_PORTS, 0xffff, 2, 0, 0), -ARIL_E_RANGE);
	SAME(create(root, ARIL_GRANT_PORTS, ~0u, 2, 0, 0), -ARIL_E_RANGE);
	SAME(create(root, ARIL_GRANT_PORTS, 0x60, 1, 0, 1), -ARIL_E_RANGE);
	SAME(create(root, ARIL_GRANT_PORTS, 0x100, 8, 0, 0), 0);
	CHECK(fake_quiesces >= 2);
	SAME(child->nports, 1);
	SAME(child->port_first[0], 0x100);
	SAME(child->port_count[0], 8);
	SAME(create(root, ARIL_GRANT_PORTS, 0x100, 1, 0, 0), -ARIL_E_STATE);
	SAME(create(root, ARIL_GRANT_PORTS, 0x107, 10, 0, 0), -ARIL_E_STATE);
	SAME(create(root, ARIL_GRANT_PORTS, 0xf9, 8, 0, 0), -ARIL_E_STATE);
	SAME(create(root, ARIL_GRANT_PORTS, 0, 0x10000, 0, 0), -ARIL_E_STATE);
	SAME(create(root, ARIL_GRANT_PORTS, 0xf8, 8, 0, 0), 1);
	SAME(create(root, ARIL_GRANT_PORTS, 0x108, 8, 0, 0), 2);
	CHECK(!grant_uart_taken());
	SAME(create(root, ARIL_GRANT_PORTS, 0x3ff, 2, 0, 0), 3);
	CHECK(grant_uart_taken());
	SAME(call_grant_destroy(root, 3), 0);
	CHECK(!grant_uart_taken());
	/* the one in the middle goes; its place in env's list is the next one's */
	u32 before = fake_quiesces;
	SAME(call_grant_destroy(root, 1), 0);
	CHECK(fake_quiesces > before);
	SAME(child->nports, 2);
	SAME(child->port_count[1], 0);
	for (u32 i = 0; i < 6; i++)
		CHECK(create(root, ARIL_GRANT_PORTS, 0x200 + i, 1, 0, 0) >= 0);
	SAME(create(root, ARIL_GRANT_PORTS, 0x300, 1, 0, 0), -ARIL_E_QUOTA);
	end();
	for (u32 i = 0; i < 8; i++)
		SAME(child->port_count[i], 0);
}

/* The CPU that makes the change does not hear its own quiesce. */
static void ports_here(void)
{
	start();
	struct env *self = this_cpu()->env;
	fake_become(child);
	fake_open("", ARIL_ALL, ~0ul);
	SAME(create(root, ARIL_GRANT_PORTS, 0x60, 1, 0, 0), 0);
	SAME(loads, 1);
	SAME(fake_cpu.ports_of, child->id);
	fake_become(self); /* the bitmap is still the child's */
	SAME(call_grant_destroy(root, 0), 0);
	CHECK(fake_cpu.ports_of && fake_cpu.ports_of != child->id);
	end();
}

static void lines(void)
{
	start();
	SAME(create(root, ARIL_GRANT_LINE, 5, 2, 1, 0), -ARIL_E_RANGE);
	SAME(create(root, ARIL_GRANT_LINE, 5, 1, 2, 0), -ARIL_E_CPU);
	SAME(create(root, ARIL_GRANT_LINE, 5, 1, 1, 8), -ARIL_E_RANGE);
	SAME(create(root, ARIL_GRANT_LINE, 16, 1, 1, ARIL_LINE_ISA), -ARIL_E_RANGE);
	SAME(create(root, ARIL_GRANT_LINE, LINES, 1, 1, 0), -ARIL_E_RANGE);
	device_line = 7;
	SAME(create(root, ARIL_GRANT_LINE, 7, 1, 1, 0), -ARIL_E_STATE);
	SAME(create(root, ARIL_GRANT_LINE, 0, 1, 1, ARIL_LINE_ISA | ARIL_LINE_LEVEL), 0);
	SAME(line[2].vector, ARCH_VECTOR_LINES);
	SAME(line[2].flags, ARIL_LINE_LEVEL);
	SAME(line[2].cpu, 1);
	SAME(line[2].masked, 1);
	SAME(create(root, ARIL_GRANT_LINE, 2, 1, 1, 0), -ARIL_E_STATE);
	CHECK(grant_line_taken(2) && !grant_line_taken(3));
	SAME(create(root, ARIL_GRANT_LINE, 9, 1, 1, ARIL_LINE_ISA), 1);
	SAME(line[9].flags, ARIL_LINE_LEVEL | ARIL_LINE_LOW);
	SAME(call_line_unmask(GRANTS), -ARIL_E_RANGE);
	SAME(call_line_unmask(1), -ARIL_E_RIGHTS);
	SAME(line[9].masked, 1);
	fake_become(child);
	SAME(call_line_unmask(1), 0);
	SAME(line[9].masked, 0);
	grant_interrupt(1);
	SAME(line[9].masked, 1);
	SAME(posted, 1);
	SAME(child->ctx[1].page->lines, 2);
	grant_interrupt(5); /* nobody's */
	child->ctx[1].state = CTX_NONE;
	grant_interrupt(1);
	SAME(posted, 1);
	child->ctx[1].state = CTX_READY;
	SAME(call_line_unmask(1), 0);
	SAME(grant_books[1].fired, 2);
	audit_says(ARIL_NOUN_GRANT, NULL);
	grant_env_gone(child);
	SAME(line[9].masked, 1);
	fake_become(child);
	SAME(call_line_unmask(1), -ARIL_E_RANGE);
	SAME(create(root, ARIL_GRANT_PORTS, 0x60, 1, 0, 0), -ARIL_E_CAP);
}

static void memory(void)
{
	u32 leaf, frame;

	start();
	SAME(create(root, ARIL_GRANT_MEMORY, FAKE_DEVICE, 0, 0, 0), -ARIL_E_RANGE);
	SAME(create(root, ARIL_GRANT_MEMORY, FAKE_DEVICE, 65537, 0, 0), -ARIL_E_RANGE);
	SAME(create(root, ARIL_GRANT_MEMORY, ~0u - 3, 8, 0, 0), -ARIL_E_RANGE);
	SAME(create(root, ARIL_GRANT_MEMORY, FAKE_DEVICE, 8, 0, 1), -ARIL_E_RANGE);
	SAME(create(root, ARIL_GRANT_MEMORY, FAKE_FRAMES - 1, 2, 0, 0), -ARIL_E_RANGE);
	SAME(create(root, ARIL_GRANT_MEMORY, FAKE_KERNEL, 1, 0, 0), -ARIL_E_RANGE);
	drives = 1;
	SAME(create(root, ARIL_GRANT_MEMORY, FAKE_DEVICE + 8, 1, 0, 0), -ARIL_E_STATE);
	drives = 0;
	SAME(create(root, ARIL_GRANT_MEMORY, FAKE_ABSENT, 1, 0, 0), 0);
	s64 g = create(root, ARIL_GRANT_MEMORY, FAKE_DEVICE, 8, 0, 0);
	SAME(g, 1);
	SAME(create(root, ARIL_GRANT_MEMORY, FAKE_DEVICE + 7, 8, 0, 0), -ARIL_E_STATE);
	struct env *self = this_cpu()->env;
	CHECK(grant_memory(child, FAKE_DEVICE + 7) && !grant_memory(child, FAKE_DEVICE + 8));
	CHECK(!grant_memory(self, FAKE_DEVICE));
	u32 space = fake_space(root, 0, &leaf);
	CHECK(fake_op(root, space, ARIL_BIND, 0, FAKE_DEVICE, 1, ARIL_BIND_UNCACHED, root) < 0);
	fake_become(child);
	u32 auth = fake_open("", ARIL_ALL, ~0ul);
	frame = fake_frame();
	SAME(fake_op(auth, space, ARIL_BIND, 0x3000, FAKE_DEVICE + 2, 6,
		     ARIL_BIND_UNCACHED | ARIL_BIND_WRITE, auth),
	     1);
	SAME(fake_op(auth, space, ARIL_BIND, 0x10000, frame, 1, 0, auth), 1);
	CHECK(fake_entry(space, 0x8000));
	fake_become(self);
	u32 flushes = fake_flushes;
	SAME(call_grant_destroy(root, 1), 0);
	CHECK(fake_flushes > flushes);
	for (u64 va = 0; va < 0x10000; va += 0x1000)
		SAME(fake_entry(space, va), 0);
	CHECK(fake_entry(space, 0x10000));
	BOOKS();
	end();
}

static void quota(void)
{
	start();
	for (u32 i = 0; i < GRANTS; i++)
		SAME(create(root, ARIL_GRANT_MEMORY, FAKE_DEVICE + i, 1, 0, 0), i);
	SAME(create(root, ARIL_GRANT_MEMORY, FAKE_DEVICE + GRANTS, 1, 0, 0), -ARIL_E_QUOTA);
	end();
}

/* As create, under a guard. */
static s64 create_for(u32 auth, u32 kind, u32 first, u32 count, struct aril_guard guard)
{
	struct aril_grant_desc desc = {
		.kind = kind, .env = child->id, .first = first, .count = count, .guard = guard};

	return call_grant_create(auth, &desc);
}

/* An account that is not the root's, with room for so many grants. */
static u32 account_of(u32 room)
{
	struct aril_account *account = &accounts[7];

	account->id = 0x10007;
	account->parent = ARIL_ACCOUNT_ROOT;
	account->limit[ARIL_QUOTA_GRANTS] = room;
	account->used[ARIL_QUOTA_GRANTS] = 0;
	return 7;
}

static void guards(void)
{
	struct aril_guard guard = fake_guard("dom", ARIL_OWN | ARIL_RUN, 5), bad;

	start();
	u32 young = fake_open("", ARIL_ALL, 4);
	SAME(create_for(young, ARIL_GRANT_PORTS, 0x60, 1, guard), -ARIL_E_RIGHTS);
	bad = guard, bad.rights = ARIL_RUN;
	SAME(create_for(root, ARIL_GRANT_PORTS, 0x60, 1, bad), -ARIL_E_RANGE);
	bad = guard, bad.len = 33;
	SAME(create_for(root, ARIL_GRANT_PORTS, 0x60, 1, bad), -ARIL_E_RANGE);
	SAME(create_for(root, ARIL_GRANT_PORTS, 0x60, 1, guard), 0);
	u32 dom = fake_open("dom", ARIL_ALL, 5), other = fake_open("dox", ARIL_ALL, 5);
	u32 weak = fake_open("dom", ARIL_RUN, 5), old = fake_open("dom", ARIL_ALL, 4);
	SAME(call_grant_destroy(other, 0), -ARIL_E_RIGHTS);
	SAME(call_grant_destroy(weak, 0), -ARIL_E_RIGHTS);
	SAME(call_grant_destroy(old, 0), -ARIL_E_RIGHTS);
	guard = fake_guard("dom1", ARIL_OWN, 5);
	SAME(call_grant_guard(99, 0, &guard), -ARIL_E_CAP);
	SAME(call_grant_guard(weak, 0, &guard), -ARIL_E_RIGHTS);
	SAME(call_grant_guard(dom, GRANTS, &guard), -ARIL_E_RANGE);
	SAME(call_grant_guard(dom, 1, &guard), -ARIL_E_RANGE);
	SAME(call_grant_guard(dom, 0, BAD_ADDRESS), -ARIL_E_ADDR);
	bad = fake_guard("d", ARIL_OWN, 0);
	SAME(call_grant_guard(dom, 0, &bad), -ARIL_E_RIGHTS);
	bad = fake_guard("dom1", ARIL_OWN, 6);
	SAME(call_grant_guard(dom, 0, &bad), -ARIL_E_RIGHTS);
	bad = fake_guard("dom1", ARIL_RUN, 5);
	SAME(call_grant_guard(dom, 0, &bad), -ARIL_E_RANGE);
	SAME(call_grant_guard(dom, 0, &guard), 0);
	SAME(grant_books[0].guard.len, 4);
	SAME(call_grant_move(dom, 0, child->id, 0), -ARIL_E_RIGHTS); /* the guard grants no RUN */
	SAME(call_grant_destroy(dom, 0), 0);
	end();
}

static void whole_machine(void)
{
	struct aril_guard guard = fake_guard("dom", ARIL_ALL, 0);

	start();
	SAME(create_for(root, ARIL_GRANT_PORTS, 0x60, 8, guard), -ARIL_E_RIGHTS);
	SAME(create_for(root, ARIL_GRANT_MEMORY, FAKE_DEVICE + 60, 1, guard), -ARIL_E_RIGHTS);
	child->account = account_of(9);
	SAME(create(root, ARIL_GRANT_PORTS, 0x60, 8, 0, 0), -ARIL_E_RIGHTS);
	SAME(create(root, ARIL_GRANT_MEMORY, FAKE_DEVICE + 50, 10, 0, 0), -ARIL_E_RIGHTS);
	child->account = 1;
	SAME(create(root, ARIL_GRANT_PORTS, 0x60, 8, 0, 0), 0);
	SAME(create(root, ARIL_GRANT_MEMORY, FAKE_DEVICE + 50, 10, 0, 0), 1);
	SAME(call_grant_guard(root, 0, &guard), -ARIL_E_RIGHTS);
	SAME(call_grant_guard(root, 1, &guard), -ARIL_E_RIGHTS);
	struct env *to = fake_env(2, 0);
	to->account = account_of(9);
	SAME(call_grant_move(root, 0, to->id, 0), -ARIL_E_RIGHTS);
	SAME(call_grant_move(root, 1, to->id, 0), -ARIL_E_RIGHTS);
	SAME(create_for(root, ARIL_GRANT_LINE, 3, 1, guard), 2);
	end();
}

static void move(void)
{
	u32 leaf;

	start();
	SAME(create_for(root, ARIL_GRANT_PORTS, 0x60, 2, fake_guard("dom", ARIL_OWN | ARIL_RUN, 0)),
	     0);
	SAME(create(root, ARIL_GRANT_LINE, 5, 1, 1, ARIL_LINE_LEVEL), 1);
	SAME(create(root, ARIL_GRANT_MEMORY, FAKE_DEVICE, 4, 0, 0), 2);
	struct env *to = fake_env(2, 0), *self = this_cpu()->env;
	SAME(fake_set_guard(root, to->frame, 0, fake_guard("dom", ARIL_ALL, 0)), 1);
	u32 dom = fake_open("dom", ARIL_ALL, 0), own = fake_open("dom", ARIL_OWN, 0);
	SAME(call_grant_move(99, 0, to->id, 0), -ARIL_E_CAP);
	SAME(call_grant_move(own, 0, to->id, 0), -ARIL_E_RIGHTS);
	SAME(call_grant_move(dom, 1, to->id, 0), -ARIL_E_RIGHTS); /* the root's alone */
	SAME(call_grant_move(dom, 0, child->id, 0), -ARIL_E_RIGHTS);
	SAME(call_grant_move(dom, GRANTS, to->id, 0), -ARIL_E_RANGE);
	SAME(call_grant_move(dom, 3, to->id, 0), -ARIL_E_RANGE);
	SAME(call_grant_move(dom, 0, to->id + 0x10000, 0), -ARIL_E_ENV);
	SAME(call_grant_move(dom, 0, to->id, 1), -ARIL_E_CPU); /* ports are nowhere */
	SAME(call_grant_move(root, 1, to->id, 2), -ARIL_E_CPU);
	to->account = account_of(0);
	SAME(call_grant_move(dom, 0, to->id, 0), -ARIL_E_QUOTA);
	account_of(3);
	to->nports = 8;
	SAME(call_grant_move(dom, 0, to->id, 0), -ARIL_E_QUOTA);
	to->nports = 0;
	SAME(call_grant_move(dom, 0, to->id, 0), 0);
	SAME(child->nports, 0);
	SAME(to->nports, 1);
	SAME(to->port_first[0], 0x60);
	SAME(to->port_count[0], 2);
	SAME(grant_books[0].env, to->id);
	SAME(accounts[7].used[ARIL_QUOTA_GRANTS], 1);
	SAME(accounts[1].used[ARIL_QUOTA_GRANTS], 2);
	line[5].masked = 0;
	flushes(0);
	SAME(call_grant_move(root, 1, to->id, 0), -ARIL_E_QUOTA);
	flushes(~0u);
	SAME(call_grant_move(root, 1, to->id, 0), 0);
	SAME(line[5].masked, 1);
	SAME(line[5].cpu, 0);
	SAME(line[5].flags, ARIL_LINE_LEVEL);
	u32 space = fake_space(root, 0, &leaf);
	fake_become(child);
	u32 auth = fake_open("", ARIL_ALL, ~0ul);
	SAME(fake_op(auth, space, ARIL_BIND, 0x3000, FAKE_DEVICE, 4, ARIL_BIND_UNCACHED, auth), 1);
	fake_become(self);
	audit_says(ARIL_NOUN_GRANT, NULL);
	SAME(call_grant_move(root, 2, to->id, 0), 0);
	for (u64 va = 0x3000; va < 0x7000; va += 0x1000)
		SAME(fake_entry(space, va), 0);
	BOOKS();
	CHECK(grant_memory(to, FAKE_DEVICE) && !grant_memory(child, FAKE_DEVICE));
	SAME(call_grant_move(root, 2, to->id, 0), 0); /* to itself */
	to->nports = 8;				      /* full, but it is among them */
	SAME(call_grant_move(root, 0, to->id, 0), 0);
	to->nports = 1;
	audit_says(ARIL_NOUN_GRANT, NULL);
	grant_env_gone(to);
	SAME(accounts[7].used[ARIL_QUOTA_GRANTS], 0);
	end();
}

/* More bindings than one call breaks: 5 tables of 512. */
static void many_bindings(void)
{
	u32 leaf;

	start();
	SAME(create(root, ARIL_GRANT_MEMORY, FAKE_DEVICE, 1, 0, 0), 0);
	u32 space = fake_space(root, 0, &leaf);
	for (u64 i = 1; i < 5; i++)
		SAME(call_space_table(root, space, i << 21, 1, fake_frame(), fake_frame()), 0);
	struct env *self = this_cpu()->env;
	fake_become(child);
	u32 auth = fake_open("", ARIL_ALL, ~0ul);
	for (u64 i = 0; i < 5 * 512; i++)
		SAME(fake_op(auth, space, ARIL_BIND, i * 4096, FAKE_DEVICE, 1, 0, auth), 1);
	BOOKS();
	/* one that is bound over, and one unbound, leave the list */
	SAME(fake_op(auth, space, ARIL_UNBIND, 0x7000, 0, 1, 0, auth), 1);
	SAME(fake_op(auth, space, ARIL_BIND, 0x9000, fake_frame(), 1, 0, auth), 1);
	audit_says(ARIL_NOUN_GRANT, NULL);
	fake_become(self);
	struct env *to = fake_env(2, 0);
	SAME(call_grant_move(root, 0, to->id, 0), -ARIL_E_AGAIN);
	SAME(grant_books[0].env, child->id);
	fake_become(child); /* no new one meanwhile */
	SAME(fake_op(auth, space, ARIL_BIND, 0x7000, FAKE_DEVICE, 1, 0, auth), -ARIL_E_FRAME);
	fake_become(self);
	SAME(call_grant_move(root, 0, to->id, 0), 0);
	BOOKS();
	fake_become(to);
	auth = fake_open("", ARIL_ALL, ~0ul);
	for (u64 i = 0; i < 5 * 512; i++)
		SAME(fake_op(auth, space, ARIL_BIND, i * 4096, FAKE_DEVICE, 1, 0, auth), 1);
	fake_become(self);
	to->info->state = ARIL_ENV_DYING; /* as env_destroy does */
	grant_env_gone(to);
	SAME(grant_books[0].env, to->id); /* what is left of it is nobody's */
	audit_says(ARIL_NOUN_GRANT, NULL);
	SAME(create(root, ARIL_GRANT_MEMORY, FAKE_DEVICE, 1, 0, 0), -ARIL_E_STATE);
	SAME(call_grant_destroy(root, 0), 0);
	BOOKS();
	SAME(create(root, ARIL_GRANT_MEMORY, FAKE_DEVICE, 1, 0, 0), 0);
	fake_become(child);
	auth = fake_open("", ARIL_ALL, ~0ul);
	for (u64 i = 0; i < 5 * 512; i++)
		SAME(fake_op(auth, space, ARIL_BIND, i * 4096, FAKE_DEVICE, 1, 0, auth), 1);
	fake_become(self);
	SAME(call_grant_destroy(root, 0), -ARIL_E_AGAIN);
	SAME(call_grant_destroy(root, 0), 0);
	BOOKS();
	end();
}

static void taken_by_force(void)
{
	start();
	SAME(create(root, ARIL_GRANT_PORTS, 0x70, 2, 0, 0), 0);
	SAME(create(root, ARIL_GRANT_LINE, 8, 1, 1, 0), 1);
	SAME(grant_take(0), 1);
	SAME(grant_take(1), 1);
	SAME(grant_take(1), 1);
	SAME(grant_take(GRANTS), 1);
	SAME(child->nports, 0);
	end();
}

static void limits(void)
{
	start();
	child->account = account_of(2);
	SAME(create(root, ARIL_GRANT_PORTS, 0x70, 2, 0, 0), 0);
	SAME(create(root, ARIL_GRANT_LINE, 8, 1, 1, 0), 1);
	SAME(create(root, ARIL_GRANT_PORTS, 0x80, 2, 0, 0), -ARIL_E_QUOTA);
	SAME(call_grant_destroy(root, 0), 0);
	SAME(create(root, ARIL_GRANT_PORTS, 0x80, 2, 0, 0), 0);
	SAME(accounts[7].used[ARIL_QUOTA_GRANTS], 2);
	end();
	SAME(accounts[7].used[ARIL_QUOTA_GRANTS], 0);
}

/* Each book falsified in turn. */
static void audit(void)
{
	u32 leaf;

#define WRONG(falsify, words)                                                          \
	do {                                                                           \
		start();                                                               \
		SAME(create(root, ARIL_GRANT_PORTS, 0x70, 2, 0, 0), 0);                \
		SAME(create(root, ARIL_GRANT_LINE, 8, 1, 1, 0), 1);                    \
		SAME(create(root, ARIL_GRANT_MEMORY, FAKE_DEVICE, 2, 0, 0), 2);        \
		u32 space = fake_space(root, 0, &leaf), *refs, *list;                  \
		struct env *self = this_cpu()->env;                                    \
		fake_become(child);                                                    \
		u32 auth = fake_open("", ARIL_ALL, ~0ul);                              \
		SAME(fake_op(auth, space, ARIL_BIND, 0, FAKE_DEVICE, 2, 0, auth), 1);  \
		fake_become(self);                                                     \
		audit_says(ARIL_NOUN_GRANT, NULL);                                     \
		list = grant_list(FAKE_DEVICE, &refs);                                 \
		struct aril_grant saved[3];                                            \
		memcpy(saved, grant_books, sizeof(saved));                             \
		u32 was_refs = *refs, was_list = *list;                                \
		u64 entry = *space_entry(space, 0, 1);                                 \
		falsify;                                                               \
		audit_says(ARIL_NOUN_GRANT, words);                                    \
		memcpy(grant_books, saved, sizeof(saved));                             \
		memset(&grant_books[3], 0, sizeof(saved[0]));                          \
		*refs = was_refs, *list = was_list, *space_entry(space, 0, 1) = entry; \
		child->port_first[0] = 0x70, device_line = ~0u, child->account = 1;    \
		child->info->state = ARIL_ENV_ALIVE;                                   \
		grant_env_gone(child);                                                 \
	} while (0)
	WRONG(grant_books[3].count = 1, "a free grant is not empty");
	WRONG(grant_books[1].kind = 4, "a grant's kind");
	WRONG(grant_books[3] = grant_books[2], "a thing is granted twice");
	WRONG(grant_books[1].cpu = 2, "a line is delivered");
	WRONG(device_line = 8, "a device's line");
	WRONG(grant_books[1].guard.rights = ARIL_RUN, "a grant's guard");
	WRONG(grant_books[0].first = 0x64; child->port_first[0] = 0x64;
	      grant_books[0].guard.rights = ARIL_OWN, "what reaches the whole");
	WRONG(grant_books[1].env = 0x7777, "a grant to nobody");
	WRONG(grant_books[1].account = 9, "a grant is charged");
	WRONG(child->port_first[0] = 0x99, "granted ports");
	WRONG(*refs = 3, "a grant's list of bindings has");
	WRONG(*refs = 0, "a grant's list of bindings has");
	WRONG(*refs = 1, "a grant's list of bindings has");
	WRONG(*list = 0, "a grant's list of bindings has");
	WRONG(*list = ~0u, "a grant's list leads to no binding");
	WRONG(*list += 9, "a grant's list leads to no binding");
	WRONG(*space_entry(space, 0, 1) += 5ul << 12, "a grant's list leads to memory");
	WRONG(*space_entry(space, 0, 1) = 0, "a grant's list leads to no binding");
}

int main(void)
{
	static const struct test tests[] = {
		TEST(authority), TEST(ports),	      TEST(ports_here),	    TEST(lines),
		TEST(memory),	 TEST(quota),	      TEST(guards),	    TEST(whole_machine),
		TEST(move),	 TEST(many_bindings), TEST(taken_by_force), TEST(limits),
		TEST(audit),
	};

	return test_main(tests, sizeof(tests) / sizeof(tests[0]));
}

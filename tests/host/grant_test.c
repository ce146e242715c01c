/* SPDX-License-Identifier: MIT
 * Grants: who may, what may not be granted twice, and what is gone when a grant is.
 * links: tests/host/fake.c kernel/cap.c kernel/siphash.c kernel/frame.c kernel/large.c kernel/account.c kernel/space.c kernel/table.c kernel/grant.c */
#include "fake.h"

#include "grant.h"
#include "ring.h"
#include "slice.h"

#define LINES 24

static u32 root, loads, posted, device_line;
static struct {
	u32 vector, cpu, flags;
	int masked;
} line[LINES];
static struct env *child;

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
	struct aril_grant_desc desc = {kind, child->id, first, count, cpu, flags};

	return call_grant_create(auth, &desc);
}

/* The kernel's table outlives a test: each takes its grants back. */
static void start(void)
{
	u32 page;

	fake_reset();
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
	grant_env_gone(child);
	SAME(child->nports, 0);
	CHECK(!grant_uart_taken());
	for (u32 i = 0; i < GRANTS; i++)
		SAME(call_grant_destroy(root, i), -ARIL_E_RANGE);
}

static void authority(void)
{
	struct aril_grant_desc desc;

	start();
	desc = (struct aril_grant_desc){ARIL_GRANT_PORTS, child->id, 0x60, 1, 0, 0};
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
	grant_env_gone(child);
	SAME(line[9].masked, 1);
	fake_become(child);
	SAME(call_line_unmask(1), -ARIL_E_RIGHTS);
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

int main(void)
{
	static const struct test tests[] = {
		TEST(authority), TEST(ports),  TEST(ports_here),
		TEST(lines),	 TEST(memory), TEST(quota),
	};

	return test_main(tests, sizeof(tests) / sizeof(tests[0]));
}

/* SPDX-License-Identifier: MIT
 * The device that the ring tests play, and the machine around it; for ring_test.c and device_test.c. */
#ifndef HOST_RING_DEVICE_H
#define HOST_RING_DEVICE_H

#include "fake.h"

#include "account.h"
#include "audit_stubs.h"
#include "grant.h"
#include "ring.h"
#include "slice.h"

#define REGS (FAKE_DEVICE * 4096ul)
#define LINE 20
#define MAGIC 0
#define VERSION 1
#define TYPE 2
#define OFFERED 4
#define QUEUE_MAX 13
#define INTERRUPT 24
#define STATUS 28

/* Plain memory behaves as a device that is content with everything. */
static u32 regs[0x200 / 4];
static u32 masked, woken, posted, taken_line, taken_memory;
static u64 woken_key;
static int windows;
static u32 root, dom, device_number;
static struct env *owner;
static u32 queue_frame[2];
static u16 seen[2], returned[2]; /* the device's places in the two rings */

void *arch_map_device(u64 address, u64 bytes)
{
	CHECK(bytes <= 8192);
	return windows ? (u8 *)regs + address % 4096 : NULL;
}

void arch_load_ports(const struct env *env)
{
	(void)env;
}

int arch_line_route(u32 gsi, u32 vector, u32 cpu, u32 flags)
{
	CHECK(vector >= ARCH_VECTOR_DEVICES && !cpu && flags == ARIL_LINE_LEVEL);
	masked = 1;
	return gsi < 24 ? 0 : -1;
}

void arch_line_mask(u32 gsi, int mask)
{
	CHECK(gsi < 24);
	masked = (u32)mask;
}

u32 line_of_isa(u32 isa, u32 *flags)
{
	*flags = ARIL_LINE_LEVEL;
	return isa + 1;
}

int grant_line_taken(u32 gsi)
{
	return gsi == taken_line;
}

int grant_memory_taken(u32 first, u32 count)
{
	return taken_memory && taken_memory - first < count;
}

u32 wait_wake(u64 key, u32 n)
{
	CHECK(n > 1);
	woken++;
	woken_key = key;
	return 0;
}

void upcall_post(struct context *ctx, u32 pend)
{
	CHECK(ctx->state != CTX_NONE && pend == ARIL_PEND_EVENT);
	posted++;
}

void kprint(const char *format, ...)
{
	(void)format;
}

static struct aril_device_desc describe(u64 at)
{
	struct aril_device_desc d = {.transport = ARIL_VIRTIO_MMIO,
				     .type = 3,
				     .regs = at,
				     .line = LINE,
				     .line_flags = ARIL_LINE_LEVEL,
				     .nqueues = 2};

	d.queue_frame[0] = queue_frame[0] = fake_frame();
	d.queue_frame[1] = queue_frame[1] = fake_frame();
	return d;
}

static s64 open_device(u32 auth, struct aril_device_desc d)
{
	return call_device_open(auth, &d);
}

/* A frame of dom's. */
static u32 dom_frame(void)
{
	u32 frame = fake_frame();

	SAME(fake_set_guard(root, frame, 0, fake_guard("dom", ARIL_ALL, 0)), 1);
	return frame;
}

static void machine(void)
{
	fake_reset();
	memset(regs, 0, sizeof(regs));
	regs[MAGIC] = 0x74726976;
	regs[VERSION] = 2;
	regs[TYPE] = 3;
	regs[OFFERED] = 1; /* both halves: VERSION_1 is bit 0 of the upper */
	regs[QUEUE_MAX] = 128;
	windows = 1;
	taken_line = ~0u;
	taken_memory = 0;
	woken = posted = 0;
	memset(seen, 0, sizeof(seen));
	memset(returned, 0, sizeof(returned));
	root = fake_open("", ARIL_ALL, ~0ul);
	owner = this_cpu()->env;
	dom = fake_open("dom", ARIL_ALL, 10);
	fake_context(owner, 0, fake_frame());
}

/* The kernel's table of devices outlives a test: each opens one of its own, at another address and line, and lets it
 * go. */
static u32 opened;

/* Where the current test's is. */
static u64 devices_at(void)
{
	return REGS + 4096ul * opened;
}

static void start(void)
{
	struct aril_device_desc d;

	machine();
	opened = opened % 19 + 1;
	d = describe(devices_at());
	d.line = opened;
	d.guard = fake_guard("dom", ARIL_ALL, 0);
	s64 n = open_device(root, d);
	CHECK(n >= 0);
	SAME(masked, 0);
	struct aril_device_desc again = describe(d.regs);
	SAME(open_device(root, again), -ARIL_E_STATE);
	again.regs += 8192, again.line = opened;
	SAME(open_device(root, again), -ARIL_E_STATE);
	queue_frame[0] = d.queue_frame[0], queue_frame[1] = d.queue_frame[1];
	device_number = (u32)n;
	for (u32 q = 0; q < 2; q++) {
		SAME(frames[queue_frame[q]].state, ARIL_FRAME_QUEUE);
		for (u32 i = 0; i < 4096; i++)
			CHECK(!((u8 *)frame_memory(queue_frame[q]))[i]);
	}
}

/* Leaves no ring open and no device: their memory goes with the test. */
static void end(void)
{
	audit_says(ARIL_NOUN_RING, NULL);
	ring_env_gone(owner);
	SAME(accounts[1].used[ARIL_QUOTA_RINGS], 0);
	audit_says(ARIL_NOUN_RING, NULL);
	SAME(call_device_close(root, device_number), 0);
	SAME(masked, 1);
	for (u32 q = 0; q < 2; q++)
		SAME(frames[queue_frame[q]].state, ARIL_FRAME_NORMAL);
	audit_says(ARIL_NOUN_RING, NULL);
}

static struct aril_ring_page *page_of(u32 frame)
{
	return frame_memory(frame);
}

static struct aril_ring_request request(u32 frame, u32 write, u64 cookie)
{
	return (struct aril_ring_request){.frame = frame,
					  .offset = 96,
					  .bytes = 4000,
					  .write = write,
					  .auth = dom,
					  .cookie = cookie};
}

static s64 submit(u32 ring, struct aril_ring_request r)
{
	return call_ring_submit(ring, &r, 1);
}

/* --- the device's side */

static u8 *queue_memory(u32 q)
{
	return frame_memory(queue_frame[q]);
}

/* The next buffer that the kernel made available: its descriptor's number, or -1. */
static int device_take(u32 q)
{
	u16 *avail = (u16 *)(queue_memory(q) + 2048);

	if (avail[1] == seen[q])
		return -1;
	return avail[2 + seen[q]++ % 128];
}

static void device_return(u32 q, u32 id, u32 bytes)
{
	u8 *used = queue_memory(q) + 2560;
	u32 entry[2] = {id, bytes};

	memcpy(used + 4 + returned[q] % 128 * 8, entry, 8);
	((u16 *)used)[1] = ++returned[q];
}

static void device_interrupt(void)
{
	regs[INTERRUPT] = 1;
	ring_interrupt(device_number);
}

#endif

/* SPDX-License-Identifier: MIT
 * Rings over a device that the test plays: who may, what is pinned, what comes back, and a device that lies.
 * links: tests/host/fake.c kernel/cap.c kernel/siphash.c kernel/frame.c kernel/large.c kernel/account.c kernel/space.c kernel/narrow.c kernel/table.c kernel/ring.c kernel/device.c kernel/check.c kernel/dev/virtio.c */
#include "device.h"
#include "ring_device.h"

static void open_arguments(void)
{
	struct aril_device_desc d, bad;

	machine();
	d = describe(REGS);
	SAME(open_device(99, d), -ARIL_E_CAP);
	SAME(open_device(dom, d), -ARIL_E_RIGHTS);
	bad = d, bad.queue_frame[0] = dom_frame(), bad.queue_frame[1] = dom_frame();
	SAME(open_device(dom, bad), -ARIL_E_RIGHTS);
	SAME(open_device(fake_open("", ARIL_ALL & ~ARIL_OWN, ~0ul), d), -ARIL_E_RIGHTS);
	SAME(call_device_open(root, BAD_ADDRESS), -ARIL_E_ADDR);
	bad = d, bad.transport = 3, bad.notify = bad.isr = bad.regs;
	SAME(open_device(root, bad), -ARIL_E_RANGE);
	bad = d, bad.nqueues = 0;
	SAME(open_device(root, bad), -ARIL_E_RANGE);
	bad = d, bad.nqueues = 5;
	SAME(open_device(root, bad), -ARIL_E_RANGE);
	bad = d, bad.line_flags = 8;
	SAME(open_device(root, bad), -ARIL_E_RANGE);
	bad = d, bad.guard = fake_guard("dom", ARIL_ALL, 0), bad.guard.len = 33;
	SAME(open_device(root, bad), -ARIL_E_RANGE);
	bad = d, bad.queue_frame[1] = bad.queue_frame[0];
	SAME(open_device(root, bad), -ARIL_E_RANGE);
	bad = d, bad.queue_frame[1] = FAKE_FRAMES;
	SAME(open_device(root, bad), -ARIL_E_FRAME);
	bad = d, bad.queue_frame[0] = FAKE_KERNEL;
	SAME(open_device(root, bad), -ARIL_E_STATE);
	bad = d, bad.line = 24;
	SAME(open_device(root, bad), -ARIL_E_RANGE);
	taken_line = LINE;
	SAME(open_device(root, d), -ARIL_E_STATE);
	taken_line = ~0u;
	SAME(frames[d.queue_frame[0]].state, ARIL_FRAME_NORMAL);
	windows = 0;
	SAME(open_device(root, d), -ARIL_E_QUOTA);
	SAME(frames[d.queue_frame[0]].state, ARIL_FRAME_NORMAL);
}

/* Registers must not lie in memory: the kernel would write there for whoever names it. */
static void open_addresses(void)
{
	struct aril_device_desc d, bad;

	machine();
	d = describe(REGS);
	for (u64 at = 0; at < FAKE_FRAMES * 4096ul; at += 4096) {
		bad = d, bad.regs = at;
		if (at >> 12 != FAKE_ABSENT)
			SAME(open_device(root, bad), -ARIL_E_RANGE);
	}
	bad = d, bad.regs = FAKE_ABSENT * 4096ul + 4096 - 64; /* reaches into the next frame */
	SAME(open_device(root, bad), -ARIL_E_RANGE);
	bad = d, bad.regs = 1ul << 52;
	SAME(open_device(root, bad), -ARIL_E_RANGE);
	bad = d, bad.regs++;
	SAME(open_device(root, bad), -ARIL_E_RANGE);
	d.transport = ARIL_VIRTIO_PCI;
	d.notify = d.isr = d.regs;
	bad = d, bad.regs = 4096 * 20;
	SAME(open_device(root, bad), -ARIL_E_RANGE);
	bad = d, bad.regs += 2;
	SAME(open_device(root, bad), -ARIL_E_RANGE);
	bad = d, bad.notify = 4096 * 20;
	SAME(open_device(root, bad), -ARIL_E_RANGE);
	bad = d, bad.notify++;
	SAME(open_device(root, bad), -ARIL_E_RANGE);
	bad = d, bad.isr = 4096 * 20;
	SAME(open_device(root, bad), -ARIL_E_RANGE);
	windows = 0;
	SAME(open_device(root, d), -ARIL_E_QUOTA);
}

/* What answers there is not what was named, or does not speak virtio 1. */
static void open_negotiation(void)
{
	static const struct {
		u32 at, value;
	} wrong[] = {{MAGIC, 0},   {VERSION, 1},   {TYPE, 2},
		     {OFFERED, 0}, {QUEUE_MAX, 0}, {QUEUE_MAX, 96}};

	for (u32 i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		machine();
		struct aril_device_desc d = describe(REGS);
		regs[wrong[i].at] = wrong[i].value;
		SAME(open_device(root, d), -ARIL_E_DEVICE);
		SAME(frames[d.queue_frame[0]].state, ARIL_FRAME_NORMAL);
	}
}

static void ring_arguments(void)
{
	u32 frame, other;

	start();
	frame = dom_frame();
	other = fake_open("dox", ARIL_ALL, 10);
	SAME(call_ring_open(99, device_number, 0, frame, 0), -ARIL_E_CAP);
	SAME(call_ring_open(dom, 9, 0, frame, 0), -ARIL_E_RANGE);
	SAME(call_ring_open(dom, device_number, 2, frame, 0), -ARIL_E_RANGE);
	u32 foreign = fake_frame();
	SAME(fake_set_guard(root, foreign, 0, fake_guard("dox", ARIL_ALL, 0)), 1);
	SAME(call_ring_open(other, device_number, 0, foreign, 0), -ARIL_E_RIGHTS);
	SAME(call_ring_open(fake_open("dom", ARIL_READ, 10), device_number, 0, frame, 0),
	     -ARIL_E_RIGHTS);
	SAME(call_ring_open(dom, device_number, 0, FAKE_FRAMES, 0), -ARIL_E_FRAME);
	SAME(call_ring_open(dom, device_number, 0, fake_frame(), 0), -ARIL_E_RIGHTS);
	SAME(call_ring_open(root, device_number, 0, FAKE_KERNEL, 0), -ARIL_E_STATE);
	SAME(call_ring_open(dom, device_number, 0, frame, 1), -ARIL_E_CPU);
	SAME(call_ring_open(dom, device_number, 0, frame, 2), -ARIL_E_CPU);
	SAME(frames[frame].pins, 0);
	s64 ring = call_ring_open(dom, device_number, 0, frame, 0);
	SAME(ring, device_number * 4);
	SAME(frames[frame].pins, 1);
	SAME(call_ring_open(dom, device_number, 0, dom_frame(), 0), -ARIL_E_STATE);
	SAME(call_device_read(99, device_number, 0), -ARIL_E_CAP);
	SAME(call_device_read(other, device_number, 0), -ARIL_E_RIGHTS);
	SAME(call_device_read(dom, 9, 0), -ARIL_E_RANGE);
	SAME(call_device_read(dom, device_number, 2), -ARIL_E_RANGE);
	SAME(call_device_read(dom, device_number, 0x100), -ARIL_E_RANGE);
	regs[0x108 / 4] = 0xfedcba98;
	SAME(call_device_read(dom, device_number, 8), 0xfedcba98);
	fake_become(fake_env(1, 0));
	SAME(call_ring_close((u32)ring), -ARIL_E_RIGHTS);
	SAME(submit((u32)ring, request(frame, 1, 0)), -ARIL_E_RIGHTS);
	fake_become(owner);
	SAME(call_ring_close((u32)ring + 1), -ARIL_E_RIGHTS); /* nobody's */
	SAME(call_ring_close((u32)ring + 2), -ARIL_E_RANGE);
	SAME(call_ring_close(~0u), -ARIL_E_RANGE);
	SAME(call_device_close(99, device_number), -ARIL_E_CAP);
	SAME(call_device_close(dom, device_number), -ARIL_E_RIGHTS);
	SAME(call_device_close(fake_open("", ARIL_ALL & ~ARIL_OWN, ~0ul), device_number),
	     -ARIL_E_RIGHTS);
	SAME(call_device_close(root, 9), -ARIL_E_RANGE);
	SAME(call_device_close(root, device_number), -ARIL_E_STATE);
	SAME(call_ring_close((u32)ring), 0);
	SAME(frames[frame].pins, 0);
	/* as many as the account allows */
	accounts[1].limit[ARIL_QUOTA_RINGS] = 1;
	SAME(call_ring_open(dom, device_number, 0, frame, 0), ring);
	SAME(call_ring_open(dom, device_number, 1, dom_frame(), 0), -ARIL_E_QUOTA);
	SAME(accounts[1].used[ARIL_QUOTA_RINGS], 1);
	end();
	SAME(call_device_close(root, device_number), -ARIL_E_RANGE);
}

/* A device is let go with buffers in its hands; what it held is free after the reset, and only then. */
static void handed_on(void)
{
	start();
	u32 page = dom_frame(), in = dom_frame();
	u32 ring = (u32)call_ring_open(dom, device_number, 0, page, 0), queue = queue_frame[0];
	SAME(submit(ring, request(in, 1, 1)), 1);
	SAME(submit(ring, request(in, 0, 2)), 1);
	SAME(call_ring_close(ring), 0);
	SAME(frames[in].pins, 2);
	SAME(ring_memory_taken((u32)(devices_at() >> 12), 1), 1);
	regs[STATUS] = 15;
	SAME(call_device_close(root, device_number), 0);
	SAME(regs[STATUS], 0);
	SAME(frames[in].pins, 0);
	SAME(frames[queue].state, ARIL_FRAME_NORMAL);
	SAME(masked, 1);
	SAME(ring_memory_taken((u32)(devices_at() >> 12), 1), 0);
	CHECK(!ring_line_taken(opened));
	struct aril_device_desc d = describe(devices_at());
	d.guard = fake_guard("dom", ARIL_ALL, 0);
	SAME(open_device(root, d), device_number);
	memset(seen, 0, sizeof(seen));
	memset(returned, 0, sizeof(returned));
	ring = (u32)call_ring_open(dom, device_number, 0, page, 0);
	SAME(submit(ring, request(in, 1, 3)), 1);
	device_return(0, (u32)device_take(0), 4);
	device_interrupt();
	SAME(page_of(page)->entry[0].cookie, 3);
	SAME(call_ring_close(ring), 0);
	/* what it broke stays broken until it is closed */
	device_return(0, 99, 0);
	device_interrupt();
	SAME(call_device_read(dom, device_number, 0), -ARIL_E_DEVICE);
	end();
}

static void submit_arguments(void)
{
	struct aril_ring_request many[65], r;

	start();
	u32 page = dom_frame(), frame = dom_frame();
	u32 ring = (u32)call_ring_open(dom, device_number, 0, page, 0);
	for (u32 i = 0; i < 65; i++)
		many[i] = request(frame, 1, i);
	SAME(call_ring_submit(ring, many, 0), -ARIL_E_RANGE);
	SAME(call_ring_submit(ring, many, 65), -ARIL_E_RANGE);
	SAME(call_ring_submit(ring, BAD_ADDRESS, 1), -ARIL_E_ADDR);
	r = request(frame, 2, 0);
	SAME(submit(ring, r), -ARIL_E_RANGE);
	r = request(frame, 1, 0), r.zero = 1;
	SAME(submit(ring, r), -ARIL_E_RANGE);
	r = request(frame, 1, 0), r.bytes = 0;
	SAME(submit(ring, r), -ARIL_E_RANGE);
	r = request(frame, 1, 0), r.bytes = 4001;
	SAME(submit(ring, r), -ARIL_E_RANGE);
	r = request(frame, 1, 0), r.bytes = 4097, r.offset = 0;
	SAME(submit(ring, r), -ARIL_E_RANGE);
	r = request(frame, 1, 0), r.bytes = ~0u, r.offset = 2;
	SAME(submit(ring, r), -ARIL_E_RANGE);
	r = request(frame, 1, 0), r.offset = ~0u;
	SAME(submit(ring, r), -ARIL_E_RANGE);
	r = request(frame, 1, 0), r.auth = 99;
	SAME(submit(ring, r), -ARIL_E_CAP);
	r = request(FAKE_FRAMES, 1, 0);
	SAME(submit(ring, r), -ARIL_E_FRAME);
	r = request(fake_frame(), 1, 0);
	SAME(submit(ring, r), -ARIL_E_RIGHTS);
	r = request(frame, 1, 0), r.auth = fake_open("dom", ARIL_READ, 10);
	SAME(submit(ring, r), -ARIL_E_RIGHTS);
	r.write = 0;
	SAME(submit(ring, r), 1);
	r = request(frame, 0, 0), r.auth = fake_open("dom", ARIL_WRITE, 10);
	SAME(submit(ring, r), -ARIL_E_RIGHTS);
	r = request(queue_frame[0], 1, 0), r.auth = root; /* it would rewrite its own descriptors */
	SAME(submit(ring, r), -ARIL_E_STATE);
	many[3].bytes = 0;
	SAME(call_ring_submit(ring, many, 10), 3);
	SAME(frames[frame].pins, 4);
	end();
}

static void completions(void)
{
	start();
	u32 page = dom_frame(), frame = dom_frame();
	u32 ring = (u32)call_ring_open(dom, device_number, 0, page, 0);
	struct aril_ring_page *p = page_of(page);
	SAME(submit(ring, request(frame, 1, 77)), 1);
	SAME(frames[frame].pins, 1);
	SAME(p->head, 0);
	int id = device_take(0);
	CHECK(id >= 0);
	u64 *desc = (u64 *)queue_memory(0) + 2 * id;
	SAME(desc[0], frame * 4096ul + 96);
	SAME(desc[1], 4000 | 2ul << 32);
	device_return(0, (u32)id, 5000); /* more than it had: cut */
	device_interrupt();
	SAME(p->head, 1);
	SAME(p->entry[0].cookie, 77);
	SAME(p->entry[0].bytes, 4000);
	SAME(p->entry[0].status, 0);
	SAME(frames[frame].pins, 0);
	SAME(woken, 1);
	SAME(woken_key, page * 4096ul);
	SAME(posted, 1);
	device_interrupt(); /* nothing new */
	SAME(woken, 1);
	/* output: written bytes mean nothing */
	SAME(submit(ring, request(frame, 0, 78)), 1);
	id = device_take(0);
	desc = (u64 *)queue_memory(0) + 2 * id;
	SAME(desc[1], 4000);
	device_return(0, (u32)id, 9);
	device_interrupt();
	SAME(p->entry[1].cookie, 78);
	SAME(p->entry[1].bytes, 0);
	end();
}

/* In flight and unread together stay within the page, whatever the library writes to tail. */
static void full(void)
{
	start();
	u32 page = dom_frame(), frame = dom_frame(), taken = 0;
	u32 ring = (u32)call_ring_open(dom, device_number, 0, page, 0);
	struct aril_ring_page *p = page_of(page);
	while (submit(ring, request(frame, 1, taken)) == 1)
		taken++;
	SAME(taken, 128);
	SAME(submit(ring, request(frame, 1, 0)), -ARIL_E_FULL);
	for (u32 i = 0; i < 128; i++)
		device_return(0, (u32)device_take(0), i);
	device_interrupt();
	SAME(p->head, 128);
	SAME(submit(ring, request(frame, 1, 0)), -ARIL_E_FULL);
	p->tail = 200; /* beyond head */
	SAME(submit(ring, request(frame, 1, 0)), -ARIL_E_FULL);
	p->tail = 128;
	p->head = 7; /* the kernel does not read it */
	SAME(submit(ring, request(frame, 1, 500)), 1);
	device_return(0, (u32)device_take(0), 1);
	device_interrupt();
	SAME(p->head, 129);
	SAME(p->entry[0].cookie, 500);
	returned[0] += 128; /* the device returns more than there is */
	device_return(0, 0, 0);
	device_interrupt();
	SAME(masked, 1);
	end();
}

static void lying_device(void)
{
	start();
	u32 page = dom_frame(), frame = dom_frame();
	u32 ring = (u32)call_ring_open(dom, device_number, 0, page, 0);
	struct aril_ring_page *p = page_of(page);
	SAME(submit(ring, request(frame, 1, 1)), 1);
	SAME(submit(ring, request(frame, 1, 2)), 1);
	int id = device_take(0);
	device_return(0, (u32)id, 1);
	device_return(0, (u32)id, 1); /* twice */
	device_interrupt();
	SAME(masked, 1);
	SAME(regs[STATUS], 0);
	SAME(frames[frame].pins, 0);
	SAME(p->head, 2);
	SAME(p->entry[1].status, ARIL_E_DEVICE);
	SAME(submit(ring, request(frame, 1, 3)), -ARIL_E_DEVICE);
	SAME(call_device_read(dom, device_number, 0), -ARIL_E_DEVICE);
	SAME(call_ring_open(dom, device_number, 1, dom_frame(), 0), -ARIL_E_DEVICE);
	SAME(call_ring_close(ring), 0);
	SAME(frames[page].pins, 0);
	end();
}

/* What the device holds when its ring goes stays pinned: input until the device is reset, output until it is
 * through. */
static void orphans(void)
{
	start();
	u32 page[2] = {dom_frame(), dom_frame()}, in = dom_frame(), out = dom_frame(), ring[2];
	for (u32 q = 0; q < 2; q++)
		ring[q] = (u32)call_ring_open(dom, device_number, q, page[q], 0);
	SAME(submit(ring[0], request(in, 1, 1)), 1);
	SAME(submit(ring[1], request(out, 0, 2)), 1);
	SAME(call_ring_close(ring[0]), 0);
	SAME(frames[page[0]].pins, 0);
	SAME(frames[in].pins, 1);
	SAME(call_frame_reset(dom, in), 0);
	SAME(frames[in].flags & FRAME_GOING, ARIL_FRAME_LOST);
	ring_env_gone(owner);
	SAME(frames[page[1]].pins, 0);
	SAME(frames[out].pins, 1);
	SAME(frames[in].pins, 1);
	device_return(1, (u32)device_take(1), 0);
	device_interrupt();
	SAME(frames[out].pins, 0);
	SAME(frames[in].pins, 0); /* reset */
	SAME(frames[in].flags & FRAME_GOING, 0);
	SAME(page_of(page[0])->head, 0);
	SAME(posted, 0);
	SAME(regs[STATUS], 15); /* and ready for the next */
	memset(seen, 0, sizeof(seen));
	memset(returned, 0, sizeof(returned));
	ring[0] = (u32)call_ring_open(dom, device_number, 0, page[0], 0);
	SAME(submit(ring[0], request(in, 1, 3)), 1);
	device_return(0, (u32)device_take(0), 4);
	device_interrupt();
	SAME(page_of(page[0])->entry[0].cookie, 3);
	end();
}

static void pci(void)
{
	u16 *half = (u16 *)regs;
	struct aril_device_desc d, bad;

	machine();
	memset(regs, 0, sizeof(regs));
	d = describe(REGS + 4096ul * 100);
	d.transport = ARIL_VIRTIO_PCI;
	d.notify = d.regs + 128;
	d.isr = d.regs + 64;
	d.notify_step = 4;
	d.line_flags = ARIL_LINE_ISA;
	regs[1] = 1;
	half[18 / 2] = 1;
	half[24 / 2] = 128;
	half[30 / 2] = 3;
	SAME(open_device(root, d), -ARIL_E_DEVICE); /* one queue only */
	half[18 / 2] = 2;
	half[30 / 2] = 1024; /* notified beyond its area */
	SAME(open_device(root, d), -ARIL_E_DEVICE);
	half[30 / 2] = 3;
	d.notify_step = 3;
	SAME(open_device(root, d), -ARIL_E_DEVICE);
	d.notify_step = 4;
	s64 n = open_device(root, d);
	CHECK(n >= 0);
	device_number = (u32)n;
	SAME(call_device_read(root, (u32)n, 0), -ARIL_E_DEVICE);
	u32 page = fake_frame(), frame = fake_frame();
	s64 ring = call_ring_open(root, (u32)n, 1, page, 0);
	CHECK(ring >= 0);
	half[(128 + 12) / 2] = 99;
	struct aril_ring_request r = request(frame, 0, 5);
	r.auth = root;
	SAME(submit((u32)ring, r), 1);
	SAME(half[(128 + 12) / 2], 1);
	device_return(1, (u32)device_take(1), 0);
	ring_interrupt((u32)n);
	SAME(page_of(page)->entry[0].cookie, 5);
	SAME(ring_memory_taken((u32)(d.regs >> 12), 1), 1);
	end();
	/* with its configuration */
	d = describe(d.regs);
	d.transport = ARIL_VIRTIO_PCI;
	d.notify = d.regs + 128;
	d.isr = d.regs + 64;
	d.notify_step = 4;
	d.line_flags = ARIL_LINE_ISA;
	bad = d, bad.config = d.regs + 258;
	SAME(open_device(root, bad), -ARIL_E_RANGE);
	bad = d, bad.config = 4096 * 20;
	SAME(open_device(root, bad), -ARIL_E_RANGE);
	d.config = d.regs + 256;
	for (u32 i = 0; i < 4; i++) { /* nobody may have any part of it */
		const u64 at[4] = {d.regs, d.notify, d.isr, d.config};
		taken_memory = (u32)(at[i] >> 12);
		SAME(open_device(root, d), -ARIL_E_STATE);
	}
	taken_memory = 0;
	n = open_device(root, d);
	SAME(n, device_number);
	regs[256 / 4 + 3] = 0x12345678;
	SAME(call_device_read(root, (u32)n, 12), 0x12345678);
	SAME(call_device_read(root, (u32)n, 13), -ARIL_E_RANGE);
	SAME(call_device_read(root, (u32)n, 256), -ARIL_E_RANGE);
	end();
}

/* As many devices as there is room for. */
static void all_places(void)
{
	u32 n = 0;

	machine();
	struct aril_device_desc d = describe(REGS + 4096ul * 200);
	while (n <= DEVICES) {
		d.line = 1 + n;
		s64 result = open_device(root, d);
		if (result < 0) {
			SAME(result, -ARIL_E_QUOTA);
			break;
		}
		SAME(result, n++);
		d = describe(d.regs + 8192);
	}
	SAME(n, DEVICES);
	while (n)
		SAME(call_device_close(root, --n), 0);
}

/* Each book falsified in turn. */
static void audit(void)
{
#define WRONG(falsify, words)                                                                    \
	do {                                                                                     \
		start();                                                                         \
		u32 page = dom_frame(), in = dom_frame();                                        \
		s64 ring = call_ring_open(dom, device_number, 0, page, 0);                       \
		SAME(submit((u32)ring, request(in, 1, 1)), 1);                                   \
		audit_says(ARIL_NOUN_RING, NULL);                                                \
		struct ring *r = &devices[device_number].ring[0], saved = *r;                    \
		struct aril_frame books[3] = {frames[page], frames[in], frames[queue_frame[0]]}; \
		falsify;                                                                         \
		audit_says(ARIL_NOUN_RING, words);                                               \
		*r = saved;                                                                      \
		frames[page] = books[0], frames[in] = books[1];                                  \
		frames[queue_frame[0]] = books[2];                                               \
		owner->info->state = ARIL_ENV_ALIVE;                                             \
		end();                                                                           \
	} while (0)
	WRONG(frames[queue_frame[0]].state = ARIL_FRAME_NORMAL, "a queue's frame");
	WRONG(frames[queue_frame[0]].partner++, "a queue's frame");
	WRONG(owner->info->state = ARIL_ENV_DEAD, "a ring's owner");
	WRONG(frames[page].pins = 0, "a ring's page");
	WRONG(frames[page].state = ARIL_FRAME_TABLE, "a ring's page");
	WRONG(r->env = NULL, "a ring that nobody has");
	WRONG(r->busy = 0, "a ring's requests");
	WRONG(r->nfree--, "a ring's slots");
	WRONG(frames[in].pins = 0, "a frame in a device's hands");
	WRONG(r->slot[127].state = 9, "a slot that is none");
}

/* Random work against a count of what is where. */
static void model(void)
{
	u32 held[128], nheld = 0, posted_total = 0, given = 0;

	start();
	u32 page = dom_frame(), frame = dom_frame();
	u32 ring = (u32)call_ring_open(dom, device_number, 0, page, 0);
	struct aril_ring_page *p = page_of(page);
	for (u32 i = 0; i < 200000; i++) {
		int id;
		switch (test_below(4)) {
		case 0: {
			struct aril_ring_request r[64];
			u32 n = 1 + test_below(64), unread = p->head - p->tail;
			u32 busy = given - posted_total;
			for (u32 k = 0; k < n; k++)
				r[k] = request(frame, 1, given + k);
			s64 room = 128 - (s64)busy - unread;
			s64 got = call_ring_submit(ring, r, n);
			SAME(got, room <= 0 ? -ARIL_E_FULL : room < n ? room : (s64)n);
			given += got > 0 ? (u32)got : 0;
			break;
		}
		case 1:
			while (nheld < 128 && test_below(8) && (id = device_take(0)) >= 0)
				held[nheld++] = (u32)id;
			break;
		case 2:
			while (nheld && test_below(8)) {
				u32 k = test_below(nheld);
				device_return(0, held[k], 1);
				held[k] = held[--nheld];
				posted_total++;
			}
			device_interrupt();
			SAME(p->head, posted_total);
			break;
		case 3:
			p->tail += test_below(1 + p->head - p->tail);
			break;
		}
		SAME(frames[frame].pins, given - posted_total);
	}
	CHECK(given > 10000);
	SAME(masked, 0);
	device_return(0, 128, 0); /* no such buffer */
	device_interrupt();
	SAME(masked, 1);
	SAME(frames[frame].pins, 0);
	end();
}

int main(void)
{
	static const struct test tests[] = {
		TEST(open_arguments),
		TEST(open_addresses),
		TEST(open_negotiation),
		TEST(ring_arguments),
		TEST(handed_on),
		TEST(all_places),
		TEST(audit),
		TEST(submit_arguments),
		TEST(completions),
		TEST(full),
		TEST(lying_device),
		TEST(orphans),
		TEST(model),
		TEST(pci),
	};

	return test_main(tests, sizeof(tests) / sizeof(tests[0]));
}

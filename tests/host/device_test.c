/* SPDX-License-Identifier: MIT
 * Devices that do not stop, do not start again, or do not let their line rest: what they hold stays where it is.
 * links: tests/host/fake.c kernel/cap.c kernel/siphash.c kernel/frame.c kernel/large.c kernel/account.c kernel/space.c kernel/narrow.c kernel/table.c kernel/ring.c kernel/device.c kernel/check.c kernel/dev/virtio.c */
#include "device.h"
#include "ring_device.h"

static struct virtio_ops ops;
static const struct virtio_ops *good;

static u32 never_rests(struct virtio *v)
{
	(void)v;
	return 1;
}

static u64 offers_nothing(struct virtio *v)
{
	(void)v;
	return 0;
}

/* The device, whose transport a test changes in `ops`. */
static struct device *changed(void)
{
	struct device *d = &devices[device_number];

	good = d->virtio.ops;
	ops = *good;
	d->virtio.ops = &ops;
	return d;
}

/* A device with one buffer in its hands and one ring, by its number. */
static u32 busy(u32 *page, u32 *frame, u32 write)
{
	start();
	*page = dom_frame(), *frame = dom_frame();
	u32 ring = (u32)call_ring_open(dom, device_number, 0, *page, 0);
	SAME(submit(ring, request(*frame, write, 1)), 1);
	return ring;
}

static void closing(void)
{
	u32 page, frame, ring = busy(&page, &frame, 0);
	struct device *d = changed();

	SAME(call_ring_close(ring), 0);
	ops.status = never_rests;
	SAME(call_device_close(root, device_number), -ARIL_E_DEVICE);
	SAME(d->broken, 1);
	SAME(masked, 1);
	SAME(frames[frame].pins, 1);
	SAME(frames[queue_frame[0]].state, ARIL_FRAME_QUEUE);
	SAME(call_device_close(root, device_number), -ARIL_E_DEVICE); /* and again */
	d->virtio.ops = good;
	end();
	SAME(frames[frame].pins, 0);
}

/* Broken, and what it holds is not given back: it may write there yet. */
static void breaking(void)
{
	u32 page, frame, ring = busy(&page, &frame, 0);
	struct device *d = changed();

	ops.status = never_rests;
	device_return(0, 99, 0);
	device_interrupt();
	SAME(d->broken, 1);
	SAME(frames[frame].pins, 1);
	SAME(page_of(page)->head, 0);
	device_interrupt(); /* of a broken one: nothing */
	SAME(call_ring_close(ring), 0);
	SAME(frames[frame].pins, 1);
	ring_interrupt(DEVICES);
	d->virtio.ops = good;
	end();
}

/* The last ring goes while output is on its way: when that is through, the reset fails. */
static void resting(void)
{
	for (u32 way = 0; way < 2; way++) {
		u32 page, frame, ring = busy(&page, &frame, 0);
		struct device *d = changed();

		SAME(call_ring_close(ring), 0);
		SAME(d->restart, 1);
		if (way)
			ops.features = offers_nothing;
		else
			ops.status = never_rests;
		device_return(0, (u32)device_take(0), 0);
		device_interrupt();
		SAME(d->broken, 1);
		SAME(masked, 1);
		SAME(frames[frame].pins, 0);
		SAME(call_ring_open(dom, device_number, 0, page, 0), -ARIL_E_DEVICE);
		d->virtio.ops = good;
		end();
	}
}

/* Its line is somebody else's, or stuck: after so many empty interrupts in a row it is masked. */
static void line(void)
{
	u32 page, frame, n = 0;

	busy(&page, &frame, 1);
	for (u32 i = 0; i < 5000; i++) {
		regs[INTERRUPT] = 0;
		ring_interrupt(device_number);
	}
	device_interrupt(); /* one with a cause: counted from none again */
	for (; !masked && n < 20000; n++) {
		regs[INTERRUPT] = 0;
		ring_interrupt(device_number);
	}
	SAME(n, 10001);
	SAME(devices[device_number].broken, 1);
	SAME(frames[frame].pins, 0); /* it could be reset */
	SAME(page_of(page)->entry[0].status, ARIL_E_DEVICE);
	end();
}

int main(void)
{
	static const struct test tests[] = {TEST(closing), TEST(breaking), TEST(resting),
					    TEST(line)};

	return test_main(tests, sizeof(tests) / sizeof(tests[0]));
}

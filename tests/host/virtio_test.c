/* SPDX-License-Identifier: MIT
 * Negotiation with devices that do not do as they should, over a transport made for this.
 * links: tests/host/fake.c kernel/cap.c kernel/siphash.c kernel/frame.c kernel/large.c kernel/account.c kernel/space.c kernel/narrow.c kernel/table.c kernel/dev/virtio.c */
#include "fake.h"

#include "dev/virtio.h"

static u32 status, stuck, refuses; /* bits that do not go away, that do not come */
static u64 offered, accepted;

void *arch_map_device(u64 address, u64 bytes)
{
	(void)address, (void)bytes;
	return NULL;
}

static u32 get_status(struct virtio *v)
{
	(void)v;
	return (status | stuck) & ~refuses;
}

static void set_status(struct virtio *v, u32 value)
{
	(void)v;
	status = value;
}

static u64 features(struct virtio *v)
{
	(void)v;
	return offered;
}

static void accept_features(struct virtio *v, u64 bits)
{
	(void)v;
	accepted = bits;
}

static u32 queue_max(struct virtio *v, u32 queue)
{
	(void)v, (void)queue;
	return 64;
}

static const struct virtio_ops ops = {
	.status = get_status,
	.set_status = set_status,
	.features = features,
	.accept = accept_features,
	.queue_max = queue_max,
};

static struct virtio device(void)
{
	status = stuck = refuses = 0;
	offered = 1ul << 32 | 6;
	return (struct virtio){.ops = &ops, .nqueues = 2, .features = 3};
}

static void obedient(void)
{
	struct virtio v = device();

	SAME(virtio_negotiate(&v), 0);
	SAME(accepted, 1ul << 32 | 2);
	SAME(v.queue[1].size, 64);
}

static void does_not_stop(void)
{
	struct virtio v = device();

	stuck = 4;
	SAME(virtio_reset(&v), -ARIL_E_DEVICE);
	SAME(virtio_negotiate(&v), -ARIL_E_DEVICE);
	SAME(accepted, 0); /* nothing was asked of it */
}

static void refuses_features(void)
{
	struct virtio v = device();

	refuses = 8;
	SAME(virtio_negotiate(&v), -ARIL_E_DEVICE);
}

static void is_old(void)
{
	struct virtio v = device();

	offered = 6;
	SAME(virtio_negotiate(&v), -ARIL_E_DEVICE);
}

int main(void)
{
	static const struct test tests[] = {TEST(does_not_stop), TEST(obedient),
					    TEST(refuses_features), TEST(is_old)};

	return test_main(tests, sizeof(tests) / sizeof(tests[0]));
}

/* SPDX-License-Identifier: MIT
 * Virtio 1.x split queues (OASIS Virtual I/O Device version 1.2, sections 2.7, 4.1, 4.2). */
#include "virtio.h"
#include "arch.h"
#include "frame.h"
#include "util.h"

#define STATUS_ACKNOWLEDGE 1u
#define STATUS_DRIVER 2u
#define STATUS_DRIVER_OK 4u
#define STATUS_FEATURES_OK 8u
#define FEATURE_VERSION_1 (1ul << 32)
#define RESET_READS 100000 /* of the status register, before a device counts as stuck */

#define DESC_WRITE 2
#define USED_NO_NOTIFY 1

/* Where the three parts lie in the queue's frame; used must be aligned to 4. */
#define AVAIL_AT 2048
#define USED_AT 2560

struct vq_desc {
	u64 address;
	u32 bytes;
	u16 flags;
	u16 next;
};
struct vq_avail {
	u16 flags;
	u16 index;
	u16 ring[VIRTIO_ENTRIES];
};
struct vq_used {
	u16 flags;
	u16 index;
	struct {
		u32 id;
		u32 bytes;
	} ring[VIRTIO_ENTRIES];
};
_Static_assert(sizeof(struct vq_desc) * VIRTIO_ENTRIES <= AVAIL_AT, "descriptors");
_Static_assert(AVAIL_AT + sizeof(struct vq_avail) + 2 <= USED_AT, "available ring");
_Static_assert(USED_AT + sizeof(struct vq_used) + 2 <= ARIL_PAGE_SIZE, "used ring");

static u32 read32(const u8 *at)
{
	return *(const volatile u32 *)at;
}

static void write32(u8 *at, u32 value)
{
	*(volatile u32 *)at = value;
}

static u16 read16(const u8 *at)
{
	return *(const volatile u16 *)at;
}

static void write16(u8 *at, u16 value)
{
	*(volatile u16 *)at = value;
}

static void write64(u8 *at, u64 value)
{
	write32(at, (u32)value);
	write32(at + 4, (u32)(value >> 32));
}

/* Both ways show 64 features through a window of 32, half by half: at `at`, which one by the register at `select`. */
static u64 features_read(u8 *regs, u32 select, u32 at)
{
	write32(regs + select, 1);
	u64 high = read32(regs + at);
	write32(regs + select, 0);
	return high << 32 | read32(regs + at);
}

static void features_write(u8 *regs, u32 select, u32 at, u64 features)
{
	write32(regs + select, 1);
	write32(regs + at, (u32)(features >> 32));
	write32(regs + select, 0);
	write32(regs + at, (u32)features);
}

/* --- memory-mapped registers, version 2 */

enum mmio_register {
	MMIO_MAGIC = 0x00,
	MMIO_VERSION = 0x04,
	MMIO_DEVICE = 0x08,
	MMIO_OFFERED = 0x10,
	MMIO_OFFERED_SELECT = 0x14,
	MMIO_ACCEPTED = 0x20,
	MMIO_ACCEPTED_SELECT = 0x24,
	MMIO_QUEUE_SELECT = 0x30,
	MMIO_QUEUE_MAX = 0x34,
	MMIO_QUEUE_SIZE = 0x38,
	MMIO_QUEUE_READY = 0x44,
	MMIO_QUEUE_NOTIFY = 0x50,
	MMIO_INTERRUPT = 0x60,
	MMIO_INTERRUPT_ACK = 0x64,
	MMIO_STATUS = 0x70,
	MMIO_QUEUE_DESC = 0x80,
	MMIO_QUEUE_AVAIL = 0x90,
	MMIO_QUEUE_USED = 0xa0,
	MMIO_CONFIG = 0x100,
	MMIO_BYTES = 0x200,
};
#define MMIO_MAGIC_VALUE 0x74726976 /* "virt" */

static u32 mmio_status(struct virtio *v)
{
	return read32(v->regs + MMIO_STATUS);
}

static void mmio_set_status(struct virtio *v, u32 status)
{
	write32(v->regs + MMIO_STATUS, status);
}

static u64 mmio_features(struct virtio *v)
{
	return features_read(v->regs, MMIO_OFFERED_SELECT, MMIO_OFFERED);
}

static void mmio_accept(struct virtio *v, u64 features)
{
	features_write(v->regs, MMIO_ACCEPTED_SELECT, MMIO_ACCEPTED, features);
}

static u32 mmio_queue_max(struct virtio *v, u32 queue)
{
	write32(v->regs + MMIO_QUEUE_SELECT, queue);
	return read32(v->regs + MMIO_QUEUE_MAX);
}

static void mmio_queue_enable(struct virtio *v, u32 queue, u64 desc, u64 avail, u64 used)
{
	write32(v->regs + MMIO_QUEUE_SELECT, queue);
	write32(v->regs + MMIO_QUEUE_SIZE, v->queue[queue].size);
	write64(v->regs + MMIO_QUEUE_DESC, desc);
	write64(v->regs + MMIO_QUEUE_AVAIL, avail);
	write64(v->regs + MMIO_QUEUE_USED, used);
	write32(v->regs + MMIO_QUEUE_READY, 1);
}

static void mmio_notify(struct virtio *v, u32 queue)
{
	write32(v->regs + MMIO_QUEUE_NOTIFY, queue);
}

static u32 mmio_acknowledge(struct virtio *v)
{
	u32 status = read32(v->regs + MMIO_INTERRUPT);

	write32(v->regs + MMIO_INTERRUPT_ACK, status);
	return status;
}

static s64 mmio_config(struct virtio *v, u32 offset)
{
	if (offset & 3 || offset >= MMIO_BYTES - MMIO_CONFIG)
		return -ARIL_E_RANGE;
	return read32(v->regs + MMIO_CONFIG + offset);
}

static const struct virtio_ops mmio_ops = {
	.status = mmio_status,
	.set_status = mmio_set_status,
	.features = mmio_features,
	.accept = mmio_accept,
	.queue_max = mmio_queue_max,
	.queue_enable = mmio_queue_enable,
	.notify = mmio_notify,
	.acknowledge = mmio_acknowledge,
	.config = mmio_config,
};

/* --- PCI, modern: the caller found the structures through the capabilities */

enum pci_common {
	COMMON_OFFERED_SELECT = 0,
	COMMON_OFFERED = 4,
	COMMON_ACCEPTED_SELECT = 8,
	COMMON_ACCEPTED = 12,
	COMMON_NQUEUES = 18,
	COMMON_STATUS = 20,
	COMMON_QUEUE_SELECT = 22,
	COMMON_QUEUE_SIZE = 24,
	COMMON_QUEUE_ENABLE = 28,
	COMMON_QUEUE_NOTIFY = 30,
	COMMON_QUEUE_DESC = 32,
	COMMON_QUEUE_AVAIL = 40,
	COMMON_QUEUE_USED = 48,
	COMMON_BYTES = 56,
};
#define CONFIG_BYTES 256  /* of the device's configuration that can be read */
#define NOTIFY_BYTES 4096 /* of the notification area that is mapped */

static u32 pci_status(struct virtio *v)
{
	return *(const volatile u8 *)(v->regs + COMMON_STATUS);
}

static void pci_set_status(struct virtio *v, u32 status)
{
	*(volatile u8 *)(v->regs + COMMON_STATUS) = (u8)status;
}

static u64 pci_features(struct virtio *v)
{
	return features_read(v->regs, COMMON_OFFERED_SELECT, COMMON_OFFERED);
}

static void pci_accept(struct virtio *v, u64 features)
{
	features_write(v->regs, COMMON_ACCEPTED_SELECT, COMMON_ACCEPTED, features);
}

/* Also notes where the queue is notified; a queue outside the mapped area does not exist for us. */
static u32 pci_queue_max(struct virtio *v, u32 queue)
{
	if (queue >= read16(v->regs + COMMON_NQUEUES))
		return 0;
	write16(v->regs + COMMON_QUEUE_SELECT, (u16)queue);
	u64 at = (u64)read16(v->regs + COMMON_QUEUE_NOTIFY) * v->notify_step;
	if (at > NOTIFY_BYTES - 2 || at & 1)
		return 0;
	v->queue[queue].notify_at = (u32)at;
	return read16(v->regs + COMMON_QUEUE_SIZE);
}

static void pci_queue_enable(struct virtio *v, u32 queue, u64 desc, u64 avail, u64 used)
{
	write16(v->regs + COMMON_QUEUE_SELECT, (u16)queue);
	write16(v->regs + COMMON_QUEUE_SIZE, v->queue[queue].size);
	write64(v->regs + COMMON_QUEUE_DESC, desc);
	write64(v->regs + COMMON_QUEUE_AVAIL, avail);
	write64(v->regs + COMMON_QUEUE_USED, used);
	write16(v->regs + COMMON_QUEUE_ENABLE, 1);
}

static void pci_notify(struct virtio *v, u32 queue)
{
	write16(v->notify + v->queue[queue].notify_at, (u16)queue);
}

static u32 pci_acknowledge(struct virtio *v)
{
	return *(const volatile u8 *)v->isr; /* reading clears it */
}

static s64 pci_config(struct virtio *v, u32 offset)
{
	if (!v->config)
		return -ARIL_E_DEVICE;
	if (offset & 3 || offset >= CONFIG_BYTES)
		return -ARIL_E_RANGE;
	return read32(v->config + offset);
}

static const struct virtio_ops pci_ops = {
	.status = pci_status,
	.set_status = pci_set_status,
	.features = pci_features,
	.accept = pci_accept,
	.queue_max = pci_queue_max,
	.queue_enable = pci_queue_enable,
	.notify = pci_notify,
	.acknowledge = pci_acknowledge,
	.config = pci_config,
};

/* --- both */

/* Registers must lie where no memory of the kernel's or anybody's is. */
static int is_device_memory(u64 address, u64 bytes)
{
	if (address >> 52 || !address)
		return 0;
	for (u64 f = address >> ARIL_PAGE_SHIFT; f <= (address + bytes - 1) >> ARIL_PAGE_SHIFT; f++)
		if (f < nframes && frames[f].state != ARIL_FRAME_ABSENT)
			return 0;
	return 1;
}

static u8 *map(u64 address, u64 bytes)
{
	u64 offset = address & (ARIL_PAGE_SIZE - 1);
	u8 *window = arch_map_device(address - offset, bytes + offset);

	return window ? window + offset : NULL;
}

static s64 attach_mmio(struct virtio *v, const struct aril_device_desc *desc)
{
	if (desc->regs & 3 || !is_device_memory(desc->regs, MMIO_BYTES))
		return -ARIL_E_RANGE;
	v->ops = &mmio_ops;
	v->regs = map(desc->regs, MMIO_BYTES);
	if (!v->regs)
		return -ARIL_E_QUOTA;
	if (read32(v->regs + MMIO_MAGIC) != MMIO_MAGIC_VALUE)
		return -ARIL_E_DEVICE;
	if (read32(v->regs + MMIO_VERSION) != 2)
		return -ARIL_E_DEVICE;
	if (read32(v->regs + MMIO_DEVICE) != desc->type)
		return -ARIL_E_DEVICE;
	return 0;
}

/* The device's type is in configuration space, which the holder of the root capability has read. */
static s64 attach_pci(struct virtio *v, const struct aril_device_desc *desc)
{
	if (desc->regs & 3 || !is_device_memory(desc->regs, COMMON_BYTES))
		return -ARIL_E_RANGE;
	if (desc->notify & 1 || !is_device_memory(desc->notify, NOTIFY_BYTES))
		return -ARIL_E_RANGE;
	if (!is_device_memory(desc->isr, 1))
		return -ARIL_E_RANGE;
	if (desc->config & 3 || (desc->config && !is_device_memory(desc->config, CONFIG_BYTES)))
		return -ARIL_E_RANGE;
	v->ops = &pci_ops;
	v->notify_step = desc->notify_step;
	v->regs = map(desc->regs, COMMON_BYTES);
	v->notify = map(desc->notify, NOTIFY_BYTES);
	v->isr = map(desc->isr, 1);
	v->config = desc->config ? map(desc->config, CONFIG_BYTES) : NULL;
	if (!v->regs || !v->notify || !v->isr || (desc->config && !v->config))
		return -ARIL_E_QUOTA;
	return 0;
}

s64 virtio_attach(struct virtio *v, const struct aril_device_desc *desc)
{
	memset(v, 0, sizeof(*v));
	v->nqueues = desc->nqueues;
	v->features = desc->features;
	for (u32 q = 0; q < desc->nqueues; q++)
		v->queue[q].frame = desc->queue_frame[q];
	return desc->transport == ARIL_VIRTIO_MMIO ? attach_mmio(v, desc) : attach_pci(v, desc);
}

s64 virtio_reset(struct virtio *v)
{
	v->ops->set_status(v, 0);
	for (u32 i = 0; i < RESET_READS; i++) {
		if (!v->ops->status(v))
			return 0;
		__builtin_ia32_pause();
	}
	return -ARIL_E_DEVICE;
}

s64 virtio_negotiate(struct virtio *v)
{
	u32 status = STATUS_ACKNOWLEDGE | STATUS_DRIVER;

	if (virtio_reset(v))
		return -ARIL_E_DEVICE;
	v->ops->set_status(v, STATUS_ACKNOWLEDGE);
	v->ops->set_status(v, status);
	u64 offered = v->ops->features(v);
	if (!(offered & FEATURE_VERSION_1))
		return -ARIL_E_DEVICE;
	v->ops->accept(v, FEATURE_VERSION_1 | (v->features & offered));
	status |= STATUS_FEATURES_OK;
	v->ops->set_status(v, status);
	if (!(v->ops->status(v) & STATUS_FEATURES_OK))
		return -ARIL_E_DEVICE;
	for (u32 q = 0; q < v->nqueues; q++) {
		u32 size = min(v->ops->queue_max(v, q), (u32)VIRTIO_ENTRIES);

		if (!size || size & (size - 1)) /* a split queue's size is a power of two */
			return -ARIL_E_DEVICE;
		v->queue[q].size = (u16)size;
	}
	return 0;
}

void virtio_run(struct virtio *v)
{
	for (u32 q = 0; q < v->nqueues; q++) {
		struct virtqueue *vq = &v->queue[q];
		u64 at = (u64)vq->frame << ARIL_PAGE_SHIFT;

		page_clear(frame_memory(vq->frame));
		vq->avail_next = vq->avail_seen = vq->used_next = 0;
		v->ops->queue_enable(v, q, at, at + AVAIL_AT, at + USED_AT);
	}
	v->ops->set_status(v, STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK |
				      STATUS_DRIVER_OK);
}

void virtio_put(struct virtio *v, u32 queue, u32 slot, u64 address, u32 bytes, int write)
{
	struct virtqueue *vq = &v->queue[queue];
	u8 *memory = frame_memory(vq->frame);
	struct vq_desc *desc = (struct vq_desc *)memory + slot;
	struct vq_avail *avail = (struct vq_avail *)(memory + AVAIL_AT);

	desc->address = address;
	desc->bytes = bytes;
	desc->flags = write ? DESC_WRITE : 0;
	desc->next = 0;
	avail->ring[vq->avail_next++ & (vq->size - 1)] = (u16)slot;
}

void virtio_publish(struct virtio *v, u32 queue)
{
	struct virtqueue *vq = &v->queue[queue];
	u8 *memory = frame_memory(vq->frame);
	struct vq_avail *avail = (struct vq_avail *)(memory + AVAIL_AT);
	const struct vq_used *used = (const struct vq_used *)(memory + USED_AT);

	if (vq->avail_seen == vq->avail_next)
		return;
	vq->avail_seen = vq->avail_next;
	__atomic_store_n(&avail->index, vq->avail_next, __ATOMIC_RELEASE);
	/* our index before the device's flag: else both could sleep */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!(read_once(used->flags) & USED_NO_NOTIFY))
		v->ops->notify(v, queue);
}

int virtio_take(struct virtio *v, u32 queue, u32 *slot, u32 *bytes)
{
	struct virtqueue *vq = &v->queue[queue];
	const u8 *memory = frame_memory(vq->frame);
	const struct vq_used *used = (const struct vq_used *)(memory + USED_AT);
	u16 index = __atomic_load_n(&used->index, __ATOMIC_ACQUIRE);

	if (index == vq->used_next)
		return 0;
	if ((u16)(index - vq->used_next) > vq->size)
		return -1;
	u32 at = vq->used_next & (vq->size - 1);
	u32 id = read_once(used->ring[at].id);
	if (id >= vq->size)
		return -1;
	*slot = id;
	*bytes = read_once(used->ring[at].bytes);
	vq->used_next++;
	return 1;
}

u32 virtio_acknowledge(struct virtio *v)
{
	return v->ops->acknowledge(v);
}

s64 virtio_config(struct virtio *v, u32 offset)
{
	return v->ops->config(v, offset);
}

/* SPDX-License-Identifier: MIT
 * Virtio 1.x split queues over two transports: memory-mapped registers, and PCI's common
 * configuration.
 *
 * The queue memory is shared with the device; what must stay true is kept in struct virtqueue
 * and by the caller, and nothing that the device writes is believed unchecked. Callers hold
 * object_lock. */
#ifndef KERNEL_DEV_VIRTIO_H
#define KERNEL_DEV_VIRTIO_H

#include <aril/ops.h>
#include <aril/types.h>

#define VIRTIO_QUEUES 4
#define VIRTIO_ENTRIES ARIL_RING_ENTRIES

struct virtio;

/* A transport. */
struct virtio_ops {
	u32 (*status)(struct virtio *v);
	void (*set_status)(struct virtio *v, u32 status);
	u64 (*features)(struct virtio *v);
	void (*accept)(struct virtio *v, u64 features);
	u32 (*queue_max)(struct virtio *v, u32 queue); /* 0: no such queue */
	void (*queue_enable)(struct virtio *v, u32 queue, u64 desc, u64 avail, u64 used);
	void (*notify)(struct virtio *v, u32 queue);
	u32 (*acknowledge)(struct virtio *v);
	s64 (*config)(struct virtio *v, u32 offset);
};

struct virtqueue {
	u32 frame;	/* descriptors, available ring, used ring, all in this one */
	u16 size;	/* entries agreed with the device, <= VIRTIO_ENTRIES */
	u16 avail_next; /* our count of buffers given */
	u16 used_next;	/* our count of buffers taken back */
	u16 avail_seen; /* avail_next that was last published */
	u32 notify_at;	/* PCI: offset into the notification area */
};

struct virtio {
	const struct virtio_ops *ops;
	u8 *regs, *notify, *isr, *config; /* config: PCI only; NULL: not shown */
	u32 notify_step;
	u32 nqueues;
	u64 features; /* asked for */
	struct virtqueue queue[VIRTIO_QUEUES];
};

/* Maps the registers that desc names and checks that a device of that type answers there. The
 * queue frames are only noted. 0, -ARIL_E_RANGE (addresses), -ARIL_E_QUOTA (no window),
 * -ARIL_E_DEVICE. */
s64 virtio_attach(struct virtio *v, const struct aril_device_desc *desc);
/* Resets the device: after 0 it touches no memory of ours. -ARIL_E_DEVICE when it does not
 * come to rest. */
s64 virtio_reset(struct virtio *v);
/* Resets and negotiates, without queues yet. Fills queue sizes. -ARIL_E_DEVICE: not virtio
 * 1.x, features or a queue missing. */
s64 virtio_negotiate(struct virtio *v);
/* Clears the queue frames, shows them to the device, lets it go. After virtio_negotiate;
 * cannot fail. */
void virtio_run(struct virtio *v);
/* Writes descriptor `slot` (free, < size) and makes it available; the device sees it at
 * virtio_publish. */
void virtio_put(struct virtio *v, u32 queue, u32 slot, u64 address, u32 bytes, int write);
void virtio_publish(struct virtio *v, u32 queue);
/* Takes one used buffer: 1 and its slot (< size) and bytes as the device wrote them; 0: none;
 * -1: the device broke the rules. */
int virtio_take(struct virtio *v, u32 queue, u32 *slot, u32 *bytes);
/* Reads and acknowledges the interrupt status. */
u32 virtio_acknowledge(struct virtio *v);
/* A 32-bit word of the device's configuration; -ARIL_E_DEVICE where device_open named none,
 * -ARIL_E_RANGE. */
s64 virtio_config(struct virtio *v, u32 offset);

#endif

/* SPDX-License-Identifier: MIT
 * Devices that the kernel drives, and their rings, as device.c and ring.c share them; nobody else includes this. */
#ifndef KERNEL_DEVICE_H
#define KERNEL_DEVICE_H

#include "dev/virtio.h"
#include "frame.h"
#include "ring.h"

#define DEVICE_AREAS 4 /* registers, notification, interrupt status, configuration */
#define DEVICES (RINGS / VIRTIO_QUEUES)

enum slot_state { SLOT_FREE = 0, SLOT_BUSY, SLOT_ORPHAN /* its ring was closed: no completion */ };

struct slot {
	u64 cookie;
	u32 frame;
	u16 bytes;
	u8 state;
	u8 write;
};

struct ring {
	struct env *env; /* NULL: nobody has it */
	u32 cpu;
	u32 frame; /* the ring page */
	u32 head;  /* the true one */
	u32 busy;  /* slots in state BUSY */
	u32 nfree;
	u8 free[VIRTIO_ENTRIES];
	struct slot slot[VIRTIO_ENTRIES];
};

struct device {
	int used;
	int broken;
	int restart; /* no ring is open: reset it when its output is through */
	u32 gsi;
	u32 spurious;
	u64 at[DEVICE_AREAS]; /* its registers, physical; the first tells devices apart; 0: none */
	struct aril_guard guard;
	struct virtio virtio;
	struct ring ring[VIRTIO_QUEUES];
};

extern struct device devices[DEVICES];

/* The device with this number, or NULL. */
struct device *device_get(u32 n);
/* Whether a opens its guard; without a guard it is the root's. */
int device_opens(const struct device *d, const struct auth *a, u32 rights);
/* All slots free, none owed; size: of the queue. */
void ring_slots_init(struct ring *r, u32 size);
/* Gives back all that the device held; it is at rest and will touch nothing. */
void device_return_all(struct device *d, u32 status);
/* The device broke the rules of its protocol. What it held stays quarantined unless it can be
 * reset. */
void device_break(struct device *d, const char *why);

#endif

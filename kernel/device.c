/* SPDX-License-Identifier: MIT
 * Devices that the kernel drives for others: taking one over, letting it go, reading its configuration.
 *
 * Invariants, under object_lock. (1) A device's queue frames are in state QUEUE as long as it is
 * used: it may write them at any time. (2) Its registers and its line are granted to nobody, and
 * are no other device's. */
#include "device.h"
#include "arch.h"
#include "grant.h"
#include "util.h"

struct device devices[DEVICES];

struct device *device_get(u32 n)
{
	return n < DEVICES && devices[n].used ? &devices[n] : NULL;
}

int device_opens(const struct device *d, const struct auth *a, u32 rights)
{
	if (d->guard.rights)
		return guard_opens(&d->guard, a, rights);
	return !a->len && (a->rights & rights) == rights;
}

int ring_line_taken(u32 gsi)
{
	for (u32 i = 0; i < DEVICES; i++)
		if (devices[i].used && devices[i].gsi == gsi)
			return 1;
	return 0;
}

int ring_memory_taken(u32 first, u32 count)
{
	for (u32 i = 0; i < DEVICES; i++) {
		for (u32 k = 0; devices[i].used && k < DEVICE_AREAS; k++) {
			u64 frame = devices[i].at[k] >> ARIL_PAGE_SHIFT;

			if (frame && frame + 1 >= first && frame < (u64)first + count)
				return 1;
		}
	}
	return 0;
}

/* Where the desc says that a part of the device is: of those that its transport has; 0: none. */
static u64 area(const struct aril_device_desc *desc, u32 i)
{
	const u64 at[DEVICE_AREAS] = {desc->regs, desc->notify, desc->isr, desc->config};

	return i && desc->transport != ARIL_VIRTIO_PCI ? 0 : at[i];
}

static s64 device_decode(const struct aril_device_desc *desc, const struct auth *a)
{
	if (desc->transport != ARIL_VIRTIO_MMIO && desc->transport != ARIL_VIRTIO_PCI)
		return -ARIL_E_RANGE;
	if (!desc->nqueues || desc->nqueues > VIRTIO_QUEUES)
		return -ARIL_E_RANGE;
	if (desc->line_flags & ~(ARIL_LINE_LEVEL | ARIL_LINE_LOW | ARIL_LINE_ISA))
		return -ARIL_E_RANGE;
	if (desc->guard.rights) {
		s64 error = guard_check(&desc->guard);
		if (error)
			return error;
	}
	for (u32 q = 0; q < desc->nqueues; q++) {
		s64 error = frame_check(desc->queue_frame[q], a, ARIL_OWN);
		if (error)
			return error;
		error = frame_idle(desc->queue_frame[q]);
		if (error)
			return error;
		for (u32 p = 0; p < q; p++)
			if (desc->queue_frame[p] == desc->queue_frame[q])
				return -ARIL_E_RANGE;
	}
	for (u32 i = 0; i < DEVICES; i++)
		if (devices[i].used && devices[i].at[0] == desc->regs)
			return -ARIL_E_STATE;
	for (u32 i = 0; i < DEVICE_AREAS; i++)
		if (grant_memory_taken(area(desc, i) >> ARIL_PAGE_SHIFT, area(desc, i) ? 2 : 0))
			return -ARIL_E_STATE;
	return 0;
}

/* Object code of device_open, with everything but the device itself checked. */
static s64 device_start(struct device *d, const struct aril_device_desc *desc)
{
	u32 flags = desc->line_flags;
	u32 gsi = flags & ARIL_LINE_ISA ? line_of_isa(desc->line, &flags) : desc->line;
	u32 n = (u32)(d - devices);

	if (ring_line_taken(gsi) || grant_line_taken(gsi))
		return -ARIL_E_STATE;
	s64 error = virtio_attach(&d->virtio, desc);
	if (error)
		return error;
	error = virtio_negotiate(&d->virtio);
	if (error)
		return error;
	if (arch_line_route(gsi, ARCH_VECTOR_DEVICES + n, 0, flags))
		return -ARIL_E_RANGE;
	d->broken = d->restart = 0;
	d->gsi = gsi;
	d->spurious = 0;
	for (u32 i = 0; i < DEVICE_AREAS; i++)
		d->at[i] = area(desc, i);
	d->guard = desc->guard;
	for (u32 q = 0; q < desc->nqueues; q++) {
		memset(&d->ring[q], 0, sizeof(d->ring[q]));
		ring_slots_init(&d->ring[q], d->virtio.queue[q].size);
		frame_retype(desc->queue_frame[q], ARIL_FRAME_QUEUE, 0, n, 0);
	}
	d->used = 1;
	virtio_run(&d->virtio);
	arch_line_mask(gsi, 0);
	return n;
}

s64 call_device_open(u32 auth, const struct aril_device_desc *user)
{
	const struct auth *a = auth_get(this_cpu()->env, auth);
	struct aril_device_desc desc;

	if (!a)
		return -ARIL_E_CAP;
	if (a->len || !(a->rights & ARIL_OWN))
		return -ARIL_E_RIGHTS;
	if (copy_from_user(&desc, user, sizeof(desc)))
		return -ARIL_E_ADDR;
	s64 error = device_decode(&desc, a);
	if (error)
		return error;
	for (u32 i = 0; i < DEVICES; i++)
		if (!devices[i].used)
			return device_start(&devices[i], &desc);
	return -ARIL_E_QUOTA;
}

s64 call_device_close(u32 auth, u32 device)
{
	const struct auth *a = auth_get(this_cpu()->env, auth);
	struct device *d = device_get(device);

	if (!a)
		return -ARIL_E_CAP;
	if (a->len || !(a->rights & ARIL_OWN))
		return -ARIL_E_RIGHTS;
	if (!d)
		return -ARIL_E_RANGE;
	for (u32 q = 0; q < d->virtio.nqueues; q++)
		if (d->ring[q].env)
			return -ARIL_E_STATE;
	if (virtio_reset(&d->virtio)) {
		device_break(d, "does not stop");
		return -ARIL_E_DEVICE;
	}
	device_return_all(d, 0);
	arch_line_mask(d->gsi, 1);
	for (u32 q = 0; q < d->virtio.nqueues; q++)
		frame_release(d->virtio.queue[q].frame);
	d->used = 0;
	return 0;
}

s64 call_device_read(u32 auth, u32 device, u32 offset)
{
	const struct auth *a = auth_get(this_cpu()->env, auth);
	struct device *d = device_get(device);

	if (!a)
		return -ARIL_E_CAP;
	if (!d)
		return -ARIL_E_RANGE;
	if (!device_opens(d, a, ARIL_READ))
		return -ARIL_E_RIGHTS;
	if (d->broken)
		return -ARIL_E_DEVICE;
	return virtio_config(&d->virtio, offset);
}

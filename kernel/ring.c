/* SPDX-License-Identifier: MIT
 * Rings: who owns which queue, which frames the device holds, and what came back.
 *
 * Invariants, under object_lock. (1) A slot that is not FREE names a pinned frame and is in
 * the device's hands; it is freed only when the device returns it or after a reset that the
 * device confirmed. (2) A ring's requests in flight and completions not consumed are together
 * at most ARIL_RING_ENTRIES, so a completion always has a place. (3) The kernel reads nothing
 * back from a ring page but tail, once. */
#include "device.h"
#include "account.h"
#include "arch.h"
#include "check.h"
#include "lock.h"
#include "slice.h"
#include "util.h"

#define RING_BATCH 64
#define SPURIOUS_MAX 10000 /* empty interrupts in a row: the line is somebody else's */

static struct aril_ring_page *ring_page(const struct ring *r)
{
	return frame_memory(r->frame);
}

/* The ring with this number, if the current env owns it. */
static s64 ring_get(u32 n, struct device **device, struct ring **ring)
{
	struct device *d = device_get(n / VIRTIO_QUEUES);

	if (!d || n % VIRTIO_QUEUES >= d->virtio.nqueues)
		return -ARIL_E_RANGE;
	struct ring *r = &d->ring[n % VIRTIO_QUEUES];
	if (r->env != this_cpu()->env)
		return -ARIL_E_RIGHTS;
	*device = d;
	*ring = r;
	return 0;
}

/* --- slots and completions */

void ring_slots_init(struct ring *r, u32 size)
{
	r->nfree = r->busy = 0;
	for (u32 i = size; i-- > 0;) {
		r->slot[i].state = SLOT_FREE;
		r->free[r->nfree++] = (u8)i;
	}
}

/* There is room: invariant (2). */
static void ring_post(struct ring *r, const struct slot *s, u32 bytes, u32 status)
{
	struct aril_ring_page *page = ring_page(r);
	struct aril_completion *entry = &page->entry[r->head % ARIL_RING_ENTRIES];

	entry->cookie = s->cookie;
	entry->bytes = bytes;
	entry->status = status;
	r->head++;
	__atomic_store_n(&page->head, r->head, __ATOMIC_RELEASE);
}

/* The device is done with a slot: drop the pin, tell the owner if it still wants to hear. */
static void slot_done(struct ring *r, u32 n, u32 bytes, u32 status)
{
	struct slot *s = &r->slot[n];

	frame_unpin(s->frame);
	if (s->state == SLOT_BUSY) {
		r->busy--;
		ring_post(r, s, s->write ? min(bytes, (u32)s->bytes) : 0, status);
	}
	s->state = SLOT_FREE;
	r->free[r->nfree++] = (u8)n;
}

/* Tells a ring's owner that head moved. */
static void ring_tell(struct ring *r)
{
	u64 key = ((u64)r->frame << ARIL_PAGE_SHIFT) +
		  __builtin_offsetof(struct aril_ring_page, head);

	wait_wake(key, ~0u);
	struct context *ctx = &r->env->ctx[r->cpu];
	if (ctx->state != CTX_NONE)
		upcall_post(ctx, ARIL_PEND_EVENT);
}

void device_return_all(struct device *d, u32 status)
{
	for (u32 q = 0; q < d->virtio.nqueues; q++) {
		struct ring *r = &d->ring[q];
		u32 head = r->head;

		for (u32 i = 0; i < d->virtio.queue[q].size; i++)
			if (r->slot[i].state != SLOT_FREE)
				slot_done(r, i, 0, status);
		if (r->env && r->head != head)
			ring_tell(r);
	}
}

void device_break(struct device *d, const char *why)
{
	d->broken = 1;
	arch_line_mask(d->gsi, 1);
	kprint("aril: device %u: %s; closed\n", (u32)(d - devices), why);
	if (!virtio_reset(&d->virtio))
		device_return_all(d, ARIL_E_DEVICE);
}

/* Nobody has a ring of d: when its output is through, a reset gives the input buffers back. */
static void device_rest(struct device *d)
{
	for (u32 q = 0; q < d->virtio.nqueues; q++) {
		if (d->ring[q].env)
			return;
		for (u32 i = 0; i < d->virtio.queue[q].size; i++)
			if (d->ring[q].slot[i].state != SLOT_FREE && !d->ring[q].slot[i].write)
				return;
	}
	d->restart = 0;
	if (virtio_reset(&d->virtio)) {
		device_break(d, "does not stop");
		return;
	}
	device_return_all(d, 0);
	if (virtio_negotiate(&d->virtio)) {
		device_break(d, "does not start again");
		return;
	}
	for (u32 q = 0; q < d->virtio.nqueues; q++)
		ring_slots_init(&d->ring[q], d->virtio.queue[q].size);
	virtio_run(&d->virtio);
}

/* --- rings */

s64 call_ring_open(u32 auth, u32 device, u32 queue, u32 frame, u32 cpu)
{
	struct env *env = this_cpu()->env;
	const struct auth *a = auth_get(env, auth);
	struct device *d = device_get(device);

	if (!a)
		return -ARIL_E_CAP;
	if (!d || queue >= d->virtio.nqueues)
		return -ARIL_E_RANGE;
	if (!device_opens(d, a, ARIL_READ | ARIL_WRITE))
		return -ARIL_E_RIGHTS;
	if (d->broken)
		return -ARIL_E_DEVICE;
	struct ring *r = &d->ring[queue];
	if (r->env)
		return -ARIL_E_STATE;
	s64 error = frame_check(frame, a, ARIL_WRITE);
	if (error)
		return error;
	if (frames[frame].state != ARIL_FRAME_NORMAL || frames[frame].flags & FRAME_GOING)
		return -ARIL_E_STATE;
	if (cpu >= ncpus || env->ctx[cpu].state == CTX_NONE)
		return -ARIL_E_CPU;
	error = account_room(env->account, ARIL_QUOTA_RINGS, 1);
	if (error)
		return error;
	account_charge(env->account, ARIL_QUOTA_RINGS);
	frame_pin(frame);
	r->env = env;
	r->cpu = cpu;
	r->frame = frame;
	r->head = 0;
	r->busy = 0;
	d->restart = 0;
	write_once(ring_page(r)->head, 0);
	write_once(ring_page(r)->tail, 0);
	return device * VIRTIO_QUEUES + queue;
}

static s64 request_check(const struct env *env, const struct aril_ring_request *q)
{
	const struct auth *a = auth_get(env, q->auth);

	if (!a)
		return -ARIL_E_CAP;
	if (q->write > 1 || q->zero)
		return -ARIL_E_RANGE;
	if (!q->bytes || q->bytes > ARIL_PAGE_SIZE)
		return -ARIL_E_RANGE;
	if (q->offset > ARIL_PAGE_SIZE - q->bytes)
		return -ARIL_E_RANGE;
	s64 error = frame_check(q->frame, a, q->write ? ARIL_WRITE : ARIL_READ);
	if (error)
		return error;
	if (frames[q->frame].state != ARIL_FRAME_NORMAL || frames[q->frame].flags & FRAME_GOING)
		return -ARIL_E_STATE;
	return 0;
}

/* How many more requests the ring takes: free slots, and places for their completions. */
static u32 ring_room(const struct ring *r)
{
	u32 unread = min(r->head - read_once(ring_page(r)->tail), (u32)ARIL_RING_ENTRIES);
	u32 owed = r->busy + unread;

	return owed >= ARIL_RING_ENTRIES ? 0 : min(r->nfree, ARIL_RING_ENTRIES - owed);
}

s64 call_ring_submit(u32 ring, const struct aril_ring_request *user, u64 n)
{
	static struct aril_ring_request request[RING_BATCH]; /* object_lock is held */
	struct device *d;
	struct ring *r;
	u32 taken = 0;
	s64 error = ring_get(ring, &d, &r);

	if (error)
		return error;
	if (!n || n > RING_BATCH)
		return -ARIL_E_RANGE;
	if (d->broken)
		return -ARIL_E_DEVICE;
	if (copy_from_user(request, user, n * sizeof(request[0])))
		return -ARIL_E_ADDR;
	u32 room = ring_room(r);
	for (; taken < n && taken < room; taken++) {
		error = request_check(r->env, &request[taken]);
		if (error)
			break;
	}
	if (!taken)
		return error ? error : -ARIL_E_FULL;
	for (u32 i = 0; i < taken; i++) {
		const struct aril_ring_request *q = &request[i];
		u32 at = r->free[--r->nfree];

		r->slot[at] = (struct slot){.cookie = q->cookie,
					    .frame = q->frame,
					    .bytes = (u16)q->bytes,
					    .state = SLOT_BUSY,
					    .write = (u8)q->write};
		r->busy++;
		frame_pin(q->frame);
		virtio_put(&d->virtio, ring % VIRTIO_QUEUES, at,
			   ((u64)q->frame << ARIL_PAGE_SHIFT) + q->offset, q->bytes, (int)q->write);
	}
	virtio_publish(&d->virtio, ring % VIRTIO_QUEUES);
	return taken;
}

static void ring_shut(struct device *d, struct ring *r)
{
	u32 queue = (u32)(r - d->ring);

	for (u32 i = 0; i < d->virtio.queue[queue].size; i++)
		if (r->slot[i].state == SLOT_BUSY)
			r->slot[i].state = SLOT_ORPHAN;
	r->busy = 0;
	frame_unpin(r->frame);
	r->frame = 0;
	account_credit(r->env->account, ARIL_QUOTA_RINGS, 0);
	r->env = NULL;
	if (d->broken)
		return;
	d->restart = 1;
	device_rest(d);
}

s64 call_ring_close(u32 ring)
{
	struct device *d;
	struct ring *r;
	s64 error = ring_get(ring, &d, &r);

	if (error)
		return error;
	ring_shut(d, r);
	return 0;
}

void ring_env_gone(struct env *env)
{
	for (u32 i = 0; i < DEVICES * VIRTIO_QUEUES; i++) {
		struct device *d = &devices[i / VIRTIO_QUEUES];

		if (d->used && d->ring[i % VIRTIO_QUEUES].env == env)
			ring_shut(d, &d->ring[i % VIRTIO_QUEUES]);
	}
}

void ring_frame_gone(u32 frame)
{
	for (u32 i = 0; i < DEVICES * VIRTIO_QUEUES; i++) {
		struct device *d = &devices[i / VIRTIO_QUEUES];
		struct ring *r = &d->ring[i % VIRTIO_QUEUES];

		if (d->used && r->env && r->frame == frame)
			ring_shut(d, r);
	}
}

/* Collects one queue's used buffers: how many, or -1 where the device broke the rules. */
static int ring_collect(struct device *d, u32 queue)
{
	struct ring *r = &d->ring[queue];
	u32 slot, bytes;
	int taken = 0, got = 0;

	while (taken < VIRTIO_ENTRIES) {
		got = virtio_take(&d->virtio, queue, &slot, &bytes);
		if (got <= 0)
			break;
		if (r->slot[slot].state == SLOT_FREE) {
			got = -1;
			break;
		}
		slot_done(r, slot, bytes, 0);
		taken++;
	}
	if (taken && r->env)
		ring_tell(r);
	return got < 0 ? -1 : taken;
}

void ring_interrupt(u32 device)
{
	lock_take(&object_lock);
	struct device *d = device_get(device);
	if (d && !d->broken) {
		u32 cause = virtio_acknowledge(&d->virtio);
		int taken = 0;

		for (u32 q = 0; q < d->virtio.nqueues && taken >= 0; q++) {
			int n = ring_collect(d, q);
			taken = n < 0 ? n : taken + n;
		}
		d->spurious = taken || cause ? 0 : d->spurious + 1;
		if (taken < 0)
			device_break(d, "returned a buffer that it does not have");
		else if (d->spurious > SPURIOUS_MAX)
			device_break(d, "its interrupt line does not rest");
		else if (d->restart)
			device_rest(d);
	}
	lock_drop(&object_lock);
}

u32 ring_pins(u32 frame)
{
	u32 n = 0;

	for (u32 i = 0; i < DEVICES * VIRTIO_QUEUES; i++) {
		const struct ring *r = &devices[i / VIRTIO_QUEUES].ring[i % VIRTIO_QUEUES];

		if (!devices[i / VIRTIO_QUEUES].used)
			continue;
		n += r->env && r->frame == frame;
		for (u32 s = 0; s < VIRTIO_ENTRIES; s++)
			n += r->slot[s].state != SLOT_FREE && r->slot[s].frame == frame;
	}
	return n;
}

void ring_count(void (*count)(u32 slot, u32 quota))
{
	for (u32 i = 0; i < DEVICES * VIRTIO_QUEUES; i++) {
		const struct device *d = &devices[i / VIRTIO_QUEUES];
		const struct ring *r = &d->ring[i % VIRTIO_QUEUES];

		if (d->used && r->env)
			count(r->env->account, ARIL_QUOTA_RINGS);
	}
}

/* --- the audit */

static const char *slots_wrong(const struct device *d, u32 q)
{
	const struct ring *r = &d->ring[q];
	u32 size = d->virtio.queue[q].size, busy = 0, held = 0;

	for (u32 i = 0; i < VIRTIO_ENTRIES; i++) {
		const struct slot *s = &r->slot[i];

		if (s->state == SLOT_FREE)
			continue;
		if (i >= size || s->state > SLOT_ORPHAN)
			return "a slot that is none is not free";
		if (s->frame >= nframes || !frames[s->frame].pins)
			return "a frame in a device's hands is not pinned";
		busy += s->state == SLOT_BUSY;
		held++;
	}
	if (busy != r->busy)
		return "a ring's requests in flight are not as many as it says";
	if (held + r->nfree != size)
		return "a ring's slots are not all free or in use";
	return NULL;
}

static const char *ring_wrong(const struct device *d, u32 q)
{
	const struct ring *r = &d->ring[q];
	u32 frame = d->virtio.queue[q].frame;

	if (frame >= nframes || frames[frame].state != ARIL_FRAME_QUEUE ||
	    frames[frame].partner != (u32)(d - devices))
		return "a queue's frame is not the device's";
	if (r->env) {
		if (env_get(r->env->id) != r->env)
			return "a ring's owner is no more";
		if (r->frame >= nframes || frames[r->frame].state != ARIL_FRAME_NORMAL ||
		    !frames[r->frame].pins)
			return "a ring's page is not pinned memory";
	} else if (r->busy) {
		return "a ring that nobody has owes completions";
	}
	return slots_wrong(d, q);
}

u64 ring_audit(u64 from, struct aril_check *out)
{
	for (u64 n = from; n < DEVICES * VIRTIO_QUEUES; n++) {
		const struct device *d = &devices[n / VIRTIO_QUEUES];

		if (!d->used || n % VIRTIO_QUEUES >= d->virtio.nqueues)
			continue;
		const char *why = ring_wrong(d, (u32)(n % VIRTIO_QUEUES));
		if (why)
			audit_wrong(out, (u32)n, why, 0, d->ring[n % VIRTIO_QUEUES].frame);
		out->checked++;
	}
	return 0;
}

/* SPDX-License-Identifier: MIT
 * Rings: who owns which queue, which frames the device holds, and what came back.
 *
 * Invariants, under object_lock. (1) A slot that is not FREE names a pinned frame and is in
 * the device's hands; it is freed only when the device returns it or after a reset that the
 * device confirmed. (2) A ring's requests in flight and completions not consumed are together
 * at most ARIL_RING_ENTRIES, so a completion always has a place. (3) The kernel reads nothing
 * back from a ring page but tail, once. */
#include "ring.h"
#include "arch.h"
#include "check.h"
#include "dev/virtio.h"
#include "frame.h"
#include "grant.h"
#include "lock.h"
#include "slice.h"
#include "util.h"

#define DEVICES (RINGS / VIRTIO_QUEUES)
#define RING_BATCH 64
#define SPURIOUS_MAX 10000 /* empty interrupts in a row: the line is somebody else's */

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
	u64 regs;
	struct aril_guard guard;
	struct virtio virtio;
	struct ring ring[VIRTIO_QUEUES];
};

static struct device devices[DEVICES];

static struct aril_ring_page *ring_page(const struct ring *r)
{
	return frame_memory(r->frame);
}

static struct device *device_get(u32 n)
{
	return n < DEVICES && devices[n].used ? &devices[n] : NULL;
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

static int device_opens(const struct device *d, const struct auth *a, u32 rights)
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

/* --- slots and completions */

static void ring_slots_init(struct ring *r, u32 size)
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

/* Gives back all that the device held; it is at rest and will touch nothing. */
static void device_return_all(struct device *d, u32 status)
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

/* The device broke the rules of its protocol. What it held stays quarantined unless it can be
 * reset. */
static void device_break(struct device *d, const char *why)
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

/* --- devices */

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
		if (devices[i].used && devices[i].regs == desc->regs)
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
	d->regs = desc->regs;
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
			count(r->env->info->account & 0xffff, ARIL_QUOTA_RINGS);
	}
}

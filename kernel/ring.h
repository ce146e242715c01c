/* SPDX-License-Identifier: MIT
 * Rings: a bus-mastering device shared by envs that do not own it. The kernel alone writes descriptors. */
#ifndef KERNEL_RING_H
#define KERNEL_RING_H

#define RINGS 32 /* devices times their queues */

#include "env.h"

s64 call_device_open(u32 auth, const struct aril_device_desc *desc);
s64 call_device_close(u32 auth, u32 device);
s64 call_ring_open(u32 auth, u32 device, u32 queue, u32 frame, u32 cpu);
s64 call_ring_submit(u32 ring, const struct aril_ring_request *requests, u64 n);
s64 call_ring_close(u32 ring);
s64 call_device_read(u32 auth, u32 device, u32 offset);

/* A device's interrupt: collect used buffers, post completions. Interrupt context: takes object_lock. */
void ring_interrupt(u32 device);
/* Closes all rings of a dying env. object_lock held. */
void ring_env_gone(struct env *env);
/* Closes the rings that have this frame as their ring page: its owner takes it back. object_lock held. */
void ring_frame_gone(u32 frame);
/* Whether a device that the kernel drives has this interrupt line. object_lock held. */
int ring_line_taken(u32 gsi);
/* Whether the kernel drives a device whose registers lie in any of these frames. object_lock held. */
int ring_memory_taken(u32 first, u32 count);

#endif

/* SPDX-License-Identifier: MIT
 * Finding the virtio console: over PCI configuration space, or where a microvm puts its
 * memory-mapped transports. */
#ifndef CORE_VIRTIO_FIND_H
#define CORE_VIRTIO_FIND_H

#include <aril/ops.h>

/* Candidate number `index` (from 0), in *out: transport, type, registers, line, two queues.
 * The caller fills in queue_frame and guard and asks the kernel (device_open): it alone can
 * say whether a console answers there, and refuses with DEVICE, RANGE or STATE where none
 * does; then the next candidate is due. root_auth opens the empty name with OWN; env is the
 * caller's id: while a bus is read it holds the grant of the configuration ports. Returns 1,
 * or 0 when there is no such candidate. */
int core_find_console(u32 root_auth, u32 env, u32 index, struct aril_device_desc *out);

/* The first PCI device that is nothing but memory (QEMU's ivshmem-plain): where it is. 1, or 0 when there is none. */
struct core_memory {
	u64 address;
	u64 bytes;
};
int core_find_memory(u32 root_auth, u32 env, struct core_memory *out);

#endif

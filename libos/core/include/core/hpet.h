/* SPDX-License-Identifier: MIT
 * The high precision event timer (IA-PC HPET 1.0a) over granted device memory and a granted line: its first timer,
 * periodic. Where QEMU's pc and q35 machines and most boards have it. */
#ifndef CORE_HPET_H
#define CORE_HPET_H

#include <aril/types.h>
#include <core/map.h>

#define HPET_FRAME 0xfed00u
#define HPET_LINE \
	2 /* of the first I/O controller, edge: free since the firmware leaves it to the old timer */

struct core_hpet {
	volatile u8 *regs;
	u32 grant;	  /* of the line */
	u64 femtoseconds; /* of one tick of the counter */
	u64 count;	  /* interrupts taken */
};

/* Binds the frame at va and looks who answers there. The memory and the line (grant number) are granted to the caller.
 * 0, the kernel's refusal, or -ARIL_E_DEVICE: no timer, or none that can have this line. */
s64 hpet_open(struct core_hpet *hpet, struct core_space *space, u64 va, u32 grant);
/* The counter, and what it runs at in Hz. */
u64 hpet_counter(const struct core_hpet *hpet);
u64 hpet_hz(const struct core_hpet *hpet);
/* An interrupt each so many ns from now on (at least 10000); 0: none any more. */
void hpet_periodic(struct core_hpet *hpet, u64 ns);
/* Its line has fired: counts, lets the next through. */
void hpet_event(struct core_hpet *hpet);

#endif

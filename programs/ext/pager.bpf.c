// SPDX-License-Identifier: MIT
// Serves page faults in a part of the env's space from a stock of frames, without leaving the kernel. The owner writes
// the stock, through the program's data; what the handler cannot serve is the library's.
#include <aril/error.h>
#include <aril/extension.h>

#define FRAMES 512

struct stock {
	u64 low, high; /* addresses that it serves: whole pages */
	u64 filled;    /* frames that the owner has put in, so far: it alone writes this */
	u64 used;      /* ... and that were taken out */
	u64 flags;     /* of the bindings: ARIL_BIND_* */
	u32 frame[FRAMES];
};
struct stock stock;

#define PAGE_FAULT 14
#define PRESENT 1 /* of the error code: no page is missing */

SEC("fault/pager")
u64 pager(const struct aril_fault *event, u64 address)
{
	u64 used = stock.used;

	if (event->vector != PAGE_FAULT || (event->error & PRESENT))
		return ARIL_FAULT_UPCALL;
	if (address < stock.low || address >= stock.high || used == stock.filled)
		return ARIL_FAULT_UPCALL;
	s64 error = aril_bind(address, stock.frame[used % FRAMES], stock.flags);
	if (error)
		return error == -ARIL_E_AGAIN ? ARIL_FAULT_RESUME : ARIL_FAULT_UPCALL;
	stock.used = used + 1;
	return ARIL_FAULT_RESUME;
}

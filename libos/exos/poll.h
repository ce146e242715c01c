/* SPDX-License-Identifier: MIT
 * What waits for files to become ready: poll, select, epoll. Family lock throughout. */
#ifndef EXOS_POLL_H
#define EXOS_POLL_H

#include "file.h"
#include "inode.h"
#include "linux.h"

/* How often anything of the family may have become ready: for files whose inode does not count for itself. Counted only while
 * somebody could see it. */
extern u64 poll_changes;
/* Who could: watches of epolls, and threads that sleep for files. */
extern u32 poll_watched;
/* Sleeps until something may have become ready. As sleep_on, which signals interrupt. */
s64 poll_sleep(u64 deadline);
void poll_event_seen(struct inode *i, u32 events);
/* POLL* that hold for a file now. Files that never make one wait are always ready. */
u32 file_poll(struct file *f);
/* An inode that counts (poll_counts) became readable (POLLIN), writable (POLLOUT) or both once more. */
static inline void poll_event(struct inode *i, u32 events)
{
	if (RARE(poll_watched))
		poll_event_seen(i, events);
}
/* Reads an optional timespec of the program as a deadline: ns of the exposed clock, 0 for ever, 1 do not wait. */
s64 deadline_in(u64 from, u64 *deadline);
/* Sets the thread's signal mask for the time of a call, mask 0: leaves it. 0, -EINVAL or -EFAULT. */
s64 mask_begin(u64 mask, u64 bytes, u64 *old);
/* The old mask comes back: at once, or behind the handler that interrupted the call. */
void mask_end(u64 mask, u64 old, s64 result);

/* epoll.c: a file is closed, so that nobody watches it any more. */
void epoll_forget(struct file *f);

#endif

/* SPDX-License-Identifier: MIT
 * A queue of bytes between two descriptors of which neither may block the other. */
#include "front.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Appends n bytes; ends the program where memory is short. */
void queue_put(struct queue *q, const void *bytes, size_t n)
{
	if (q->start && q->start + q->used + n > q->room) {
		memmove(q->bytes, q->bytes + q->start, q->used);
		q->start = 0;
	}
	if (q->used + n > q->room) {
		q->room = (q->used + n) * 2;
		q->bytes = realloc(q->bytes, q->room);
		if (!q->bytes) {
			term_restore();
			fputs("aril: out of memory\n", stderr);
			_exit(125);
		}
	}
	memcpy(q->bytes + q->start + q->used, bytes, n);
	q->used += n;
}

/* The first byte; q->used of them follow. */
const char *queue_data(const struct queue *q)
{
	return q->bytes + q->start;
}

/* Forgets the first n bytes; n <= q->used. */
void queue_take(struct queue *q, size_t n)
{
	q->start += n;
	q->used -= n;
	if (!q->used)
		q->start = 0;
}

/* Writes at most `most` bytes to fd and forgets what was taken. Returns 0, or -1 with errno: the
 * reader is gone (a full descriptor is no error). */
ssize_t queue_write(struct queue *q, int fd, size_t most)
{
	ssize_t n;

	if (!q->used)
		return 0;
	n = write(fd, queue_data(q), q->used < most ? q->used : most);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	queue_take(q, (size_t)n);
	return 0;
}

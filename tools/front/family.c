/* SPDX-License-Identifier: MIT
 * The consoles of the families that run beside the first one. Each has a channel of its own (core/channel.h) and no
 * input. What one writes goes, line by line and behind its name, to standard output and error, or as it is into a file.
 * It is always taken at once: a slow reader of ours stops no family and no machine; what it has no room for is lost,
 * counted and said. */
#define _GNU_SOURCE
#include "front.h"

#include <core/channel.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define LINE 4096 /* a longer one is broken */

static struct family {
	const char *name;
	FILE *file; /* NULL: lines behind the name */
	struct queue from, line[3];
	int *theirs;
	int channel, open;
	unsigned long lost;
} family[FAMILIES];
static int count;

int families(void)
{
	return count;
}

/* "NAME=FILE", "NAME=": lines. 0: there are too many, or the file cannot be written. */
int family_add(const char *text)
{
	const char *file = strchr(text, '=');

	if (count == FAMILIES || !file)
		return 0;
	family[count].name = strndup(text, (size_t)(file - text));
	if (file[1]) {
		family[count].file = fopen(file + 1, "we");
		if (!family[count].file)
			return 0;
	}
	count++;
	return 1;
}

static void send_frame(struct family *f, u8 kind, const void *bytes, size_t n)
{
	struct channel_header header = {.kind = kind, .bytes = (u32)n};
	char frame[64];

	memcpy(frame, &header, sizeof header);
	memcpy(frame + sizeof header, bytes, n);
	/* The socket is empty: it takes so little. */
	if (send(f->channel, frame, sizeof header + n, MSG_NOSIGNAL) < 0)
		f->open = 0;
}

void families_start(struct qemu *q)
{
	struct channel_hello hello = {.version = CHANNEL_VERSION};
	struct timespec t;
	int i;

	clock_gettime(CLOCK_REALTIME, &t);
	hello.realtime_ns = (u64)t.tv_sec * 1000000000u + (u64)t.tv_nsec;
	for (i = 0; i < count; i++) {
		family[i].channel = q->family[i];
		family[i].theirs = &q->family_theirs[i];
		family[i].open = 1;
		send_frame(&family[i], CHANNEL_HELLO, &hello, sizeof hello);
		send_frame(&family[i], CHANNEL_EOF, "", 0);
	}
}

int families_open(void)
{
	int i;

	for (i = 0; i < count; i++)
		if (family[i].open)
			return 1;
	return 0;
}

/* One line, without its newline. */
static void line_out(struct family *f, int fd, const char *bytes, size_t n)
{
	char line[LINE + 128];
	int head = snprintf(line, 128, "%s: ", f->name);

	memcpy(line + head, bytes, n);
	line[head + (int)n] = '\n';
	if (!output_put(fd, line, (size_t)head + n + 1))
		f->lost += n + 1;
}

static void bytes_out(struct family *f, int fd, const char *bytes, size_t n)
{
	struct queue *q = &f->line[fd];

	if (f->file) {
		fwrite(bytes, 1, n, f->file);
		fflush(f->file);
		return;
	}
	while (n) {
		const char *end = memchr(bytes, '\n', n);
		size_t part = end ? (size_t)(end - bytes) : n;

		if (q->used + part > LINE) {
			part = LINE - q->used;
			end = NULL;
		}
		queue_put(q, bytes, part);
		bytes += part + !!end;
		n -= part + !!end;
		if (!end && q->used < LINE)
			return;
		line_out(f, fd, queue_data(q), q->used);
		queue_take(q, q->used);
	}
}

static void family_close(struct family *f)
{
	int fd;

	if (!f->open)
		return;
	f->open = 0;
	for (fd = 1; fd <= 2; fd++) {
		if (f->line[fd].used)
			line_out(f, fd, queue_data(&f->line[fd]), f->line[fd].used);
		queue_take(&f->line[fd], f->line[fd].used);
	}
	if (f->lost)
		say("%s: %lu bytes of output were lost: nobody read them in time", f->name,
		    f->lost);
}

/* One whole frame. 0: it is none that a family sends. */
static int take_frame(struct family *f, u8 kind, const char *bytes, u32 n)
{
	u32 word = 0;

	memcpy(&word, bytes, n < sizeof word ? n : sizeof word);
	switch (kind) {
	case CHANNEL_HELLO:
		return n >= sizeof(struct channel_hello) && word == CHANNEL_VERSION;
	case CHANNEL_OUTPUT:
		bytes_out(f, STDOUT_FILENO, bytes, n);
		return 1;
	case CHANNEL_ERROR:
	case CHANNEL_TRACE:
		bytes_out(f, STDERR_FILENO, bytes, n);
		return 1;
	case CHANNEL_STATUS:
		if (word)
			say("%s: status %u", f->name, word & 255);
		return 1;
	case CHANNEL_CREDIT:
	case CHANNEL_STARTED:
		return 1;
	}
	return 0;
}

static void family_read(struct family *f)
{
	static char bytes[1 << 18];
	ssize_t n = read(f->channel, bytes, sizeof bytes);
	struct channel_header header;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		family_close(f);
		return;
	}
	qemu_make_lossless(f->theirs);
	queue_put(&f->from, bytes, (size_t)n);
	while (f->from.used >= sizeof header) {
		memcpy(&header, queue_data(&f->from), sizeof header);
		if (header.bytes <= CHANNEL_MAX && f->from.used < sizeof header + header.bytes)
			return;
		/* It harms itself alone: it is heard no more, but read, so that the machine does not wait. */
		if (header.bytes > CHANNEL_MAX ||
		    !take_frame(f, header.kind, queue_data(&f->from) + sizeof header,
				header.bytes)) {
			say("%s: broke the channel's protocol: its output is cut", f->name);
			family_close(f);
			f->open = -1;
			queue_take(&f->from, f->from.used);
			return;
		}
		queue_take(&f->from, sizeof header + header.bytes);
	}
}

/* Of one that is heard no more. */
static void family_drain(struct family *f)
{
	static char bytes[1 << 18];
	ssize_t n = read(f->channel, bytes, sizeof bytes);

	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		f->open = 0;
}

void families_poll(struct pollfd *p)
{
	int i;

	for (i = 0; i < count; i++)
		p[i] = (struct pollfd){.fd = family[i].open ? family[i].channel : -1,
				       .events = POLLIN};
}

void families_take(const struct pollfd *p)
{
	int i;

	for (i = 0; i < count; i++) {
		if (!(p[i].revents & (POLLIN | POLLHUP)))
			continue;
		if (family[i].open > 0)
			family_read(&family[i]);
		else
			family_drain(&family[i]);
	}
}

/* QEMU has ended: our copies of its ends are closed, so that ours see the end. */
void families_end(void)
{
	int i;

	for (i = 0; i < count; i++)
		qemu_make_lossless(family[i].theirs);
}

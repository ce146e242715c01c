/* SPDX-License-Identifier: MIT
 * The kernel's log as it comes: shown, or kept for the report of a panic. */
#include "front.h"

#include <string.h>
#include <unistd.h>

#define LOG_BYTES 65536
#define AUDIT "init: audit:"
#define PANIC "aril: PANIC" /* how kernel/arch/x86_64/panic.c begins, whatever the cause */

static char ring[LOG_BYTES + 1];
static size_t used;

/* Takes n bytes of log; show: also prints them on standard error. Older bytes make room. */
void log_put(const char *bytes, size_t n, int show)
{
	if (show)
		term_print(STDERR_FILENO, bytes, n);
	if (n > LOG_BYTES) {
		bytes += n - LOG_BYTES;
		n = LOG_BYTES;
	}
	if (used + n > LOG_BYTES) {
		size_t old = used + n - LOG_BYTES;

		memmove(ring, ring + old, used - old);
		used -= old;
	}
	memcpy(ring + used, bytes, n);
	used += n;
	ring[used] = 0;
}

/* Whether the log has a panic. With show, prints it from that line to the log's end. */
int log_panic(int show)
{
	const char *at = ring;

	while (at && strncmp(at, PANIC, sizeof PANIC - 1)) {
		at = strchr(at, '\n');
		at += at ? 1 : 0;
	}
	if (!at || !show)
		return at != NULL;
	term_print(STDERR_FILENO, at, strlen(at));
	if (ring[used - 1] != '\n')
		term_print(STDERR_FILENO, "\n", 1);
	return 1;
}

/* Writes the lines in which init says what its audit found; how many. */
int log_audit(FILE *to)
{
	const char *at = ring, *end;
	int n = 0;

	for (; (end = strchr(at, '\n')); at = end + 1) {
		if (strncmp(at, AUDIT, sizeof AUDIT - 1))
			continue;
		fwrite(at, 1, (size_t)(end + 1 - at), to);
		n++;
	}
	return n;
}

/* Copies the log's last line that is not empty, at most n - 1 bytes; an empty string if none. */
void log_last_line(char *line, size_t n)
{
	size_t end = used, start;

	while (end && (ring[end - 1] == '\n' || ring[end - 1] == '\r'))
		end--;
	for (start = end; start && ring[start - 1] != '\n';)
		start--;
	if (end - start > n - 1)
		end = start + n - 1;
	memcpy(line, ring + start, end - start);
	line[end - start] = 0;
}

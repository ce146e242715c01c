/* SPDX-License-Identifier: MIT
 * The kernel's log as it comes: shown, or kept for the report of a panic. */
#include "front.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOG_BYTES 65536
#define AUDIT "init: audit:"
#define TRACE "exos: trace"
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

/* The symbol that an address lies in, by nm's lines in order. */
static int trace_name(FILE *names, unsigned long at, char *name, unsigned long *offset)
{
	char line[512], other[256], kind;
	unsigned long from;
	int found = 0;

	rewind(names);
	while (fgets(line, sizeof line, names))
		if (sscanf(line, "%lx %c %255s", &from, &kind, other) == 3 && from <= at) {
			strcpy(name, other);
			*offset = at - from;
			found = 1;
		}
	return found;
}

/* Where ExOS was when it gave up: prints the lines that say so, with names. Whether there are any. */
int log_trace(const char *names)
{
	const char *at = ring, *end;
	FILE *file = NULL;
	int lines = 0;

	for (; (end = strchr(at, '\n')); at = end + 1) {
		if (strncmp(at, TRACE, sizeof TRACE - 1))
			continue;
		char *next = (char *)(uintptr_t)at + sizeof TRACE - 1, *stop;
		unsigned long address, offset;

		while ((address = strtoul(next, &stop, 16)) && stop > next && stop <= end) {
			char name[256], line[320];

			if (!file)
				file = fopen(names, "r");
			if (!file || !trace_name(file, address, name, &offset))
				snprintf(line, sizeof line, "aril: ExOS: %lx\n", address);
			else
				snprintf(line, sizeof line, "aril: ExOS: %lx %s+%lx\n", address,
					 name, offset);
			term_print(STDERR_FILENO, line, strlen(line));
			next = stop;
			lines++;
		}
	}
	if (file)
		fclose(file);
	return lines;
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

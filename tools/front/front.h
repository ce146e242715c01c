/* SPDX-License-Identifier: MIT
 * The front end's parts: byte queues, the terminal, the kernel's log, QEMU's process. */
#ifndef FRONT_H
#define FRONT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

/* A queue of bytes that grows as needed; its users bound it by what they put in. */
struct queue {
	char *bytes;
	size_t start, used, room;
};
void queue_put(struct queue *q, const void *bytes, size_t n);
const char *queue_data(const struct queue *q);
void queue_take(struct queue *q, size_t n);
ssize_t queue_write(struct queue *q, int fd, size_t most);

/* The terminal, where standard input is one. */
void term_raw(void);
void term_restore(void);
int term_is_raw(void);
void term_size(uint16_t *rows, uint16_t *columns);
void term_print(int fd, const char *bytes, size_t n);

/* The kernel's log: its last 64 KiB, kept for the report of a panic. */
void log_put(const char *bytes, size_t n, int show);
int log_panic(int show);
int log_trace(const char *names);
int log_audit(FILE *to);
void log_last_line(char *line, size_t n);

/* core.c */
int core_take(const char *path, const char *bytes, size_t n);

/* QEMU. Its end of each channel is a descriptor of fixed number, named in its command line. */
enum { QEMU_CHANNEL_FD = 3, QEMU_LOG_FD = 4, QEMU_FAMILY_FD = 5 };
#define FAMILIES 7
struct qemu {
	pid_t pid;
	int channel; /* ours, non-blocking */
	int log;
	int errors;
	int theirs; /* QEMU's end of the channel, until its O_NONBLOCK is cleared */
	int nfamilies, family[FAMILIES], family_theirs[FAMILIES]; /* the same, for each */
};
int qemu_start(struct qemu *q, char **argv);
void qemu_make_lossless(int *theirs);

/* main.c: a line to standard error; and bytes to standard output or error, 0 where so much lies there that they are
 * lost. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
int output_put(int fd, const char *bytes, size_t n);

/* The consoles of families beside the first: their output, line by line, behind their name, or in a file. */
struct pollfd;
int family_add(const char *name_and_file);
int families(void);
void families_start(struct qemu *q);
int families_open(void);
void families_poll(struct pollfd *p);
void families_take(const struct pollfd *p);
void families_end(void);

#endif

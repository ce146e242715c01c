/* SPDX-License-Identifier: MIT
 * The user's terminal: raw while the guest has it, as it was at every way out. */
#include "front.h"

#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

static struct termios before;
static volatile int raw;

/* Gives the guest's line discipline every byte; does nothing where standard input is no terminal. */
void term_raw(void)
{
	struct termios now;

	if (tcgetattr(STDIN_FILENO, &before))
		return;
	now = before;
	cfmakeraw(&now);
	if (!tcsetattr(STDIN_FILENO, TCSADRAIN, &now))
		raw = 1;
}

/* Puts back what term_raw changed. */
void term_restore(void)
{
	if (raw)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &before);
	raw = 0;
}

/* Whether the terminal's own output processing is off. */
int term_is_raw(void)
{
	return raw;
}

/* The terminal's size, 0 by 0 where none of the three descriptors is one. */
void term_size(uint16_t *rows, uint16_t *columns)
{
	struct winsize size;
	int fd;

	*rows = *columns = 0;
	for (fd = 0; fd <= 2; fd++) {
		if (!ioctl(fd, TIOCGWINSZ, &size)) {
			*rows = size.ws_row;
			*columns = size.ws_col;
			return;
		}
	}
}

static void write_all(int fd, const char *bytes, size_t n)
{
	while (n) {
		ssize_t done = write(fd, bytes, n);

		if (done <= 0)
			return;
		bytes += done;
		n -= (size_t)done;
	}
}

/* Writes text of our own, with the carriage returns that a raw terminal needs. */
void term_print(int fd, const char *bytes, size_t n)
{
	while (raw && n) {
		const char *end = memchr(bytes, '\n', n);
		size_t line = end ? (size_t)(end - bytes) : n;

		write_all(fd, bytes, line);
		if (end)
			write_all(fd, "\r\n", 2);
		line += end ? 1 : 0;
		bytes += line;
		n -= line;
	}
	write_all(fd, bytes, n);
}

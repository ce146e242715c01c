/* SPDX-License-Identifier: MIT
 * The live picture: the text again and again on the terminal's other screen, cut to its size. */
#include "top.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t stopped;
static struct termios before_raw;
static int is_raw;

static void stop(int signal)
{
	(void)signal;
	stopped = 1;
}

static void terminal_raw(void)
{
	struct termios raw;

	if (tcgetattr(0, &before_raw))
		return;
	raw = before_raw;
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	is_raw = !tcsetattr(0, TCSANOW, &raw);
}

static void screen_size(unsigned *rows, unsigned *columns)
{
	struct winsize size = {0};

	*rows = 24;
	*columns = 80;
	if (!ioctl(1, TIOCGWINSZ, &size) && size.ws_row && size.ws_col) {
		*rows = size.ws_row;
		*columns = size.ws_col;
	}
}

/* As much of the text as fits, each line to its end cleared. */
static void show(const char *text)
{
	unsigned rows, columns;

	screen_size(&rows, &columns);
	fputs("\033[H", stdout);
	for (unsigned row = 1; row < rows && *text; row++) {
		size_t line = strcspn(text, "\n");

		fwrite(text, 1, line < columns ? line : columns, stdout);
		fputs("\033[K\r\n", stdout);
		text += line + (text[line] != 0);
	}
	fputs("\033[J\033[7mq ends it\033[0m", stdout);
	fflush(stdout);
}

/* Waits; 1: the user has enough. Input that has ended is not asked again. */
static int enough(double seconds, int *input)
{
	struct timespec until, now;

	clock_gettime(CLOCK_MONOTONIC, &until);
	double end = (double)until.tv_sec + (double)until.tv_nsec / 1e9 + seconds;
	for (;;) {
		struct pollfd in = {.fd = *input ? 0 : -1, .events = POLLIN};
		char key;

		clock_gettime(CLOCK_MONOTONIC, &now);
		double left = end - (double)now.tv_sec - (double)now.tv_nsec / 1e9;
		if (stopped)
			return 1;
		if (left <= 0)
			return 0;
		if (poll(&in, 1, (int)(left * 1000) + 1) <= 0)
			continue;
		if (read(0, &key, 1) != 1)
			*input = 0;
		else if (key == 'q' || key == 'Q' || key == 3)
			return 1;
	}
}

int live(double seconds)
{
	static struct snapshot snapshots[2];
	static char text[1 << 18];
	struct sigaction action = {.sa_handler = stop};
	int input = 1, turn = 0;

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	terminal_raw();
	fputs("\033[?1049h\033[?25l", stdout);
	do {
		struct snapshot *now = &snapshots[turn & 1], *last = &snapshots[!(turn & 1)];
		FILE *to = fmemopen(text, sizeof(text), "w");

		if (!to || snapshot_take(now))
			break;
		print_text(to, now, turn ? last : NULL);
		fclose(to);
		show(text);
		turn++;
	} while (!enough(seconds, &input));
	fputs("\033[?25h\033[?1049l", stdout);
	fflush(stdout);
	if (is_raw)
		tcsetattr(0, TCSANOW, &before_raw);
	return 0;
}

/* SPDX-License-Identifier: MIT
 * Runs QEMU and speaks for the host: carries standard input, output, errors, the window's size and the
 * program's exit status over the framed channel (core/channel.h), or plain bytes over a serial line.
 *
 * usage: front [--serial] [--timeout SECONDS] [--remove DIR] [--core FILE] [--names FILE] [--family NAME=[FILE]]... [--debugged]
 *        [-v] -- QEMU ARGUMENT...
 * DIR, which holds the archive, is removed at the end. --debugged: a debugger ends the machine, so a
 * missing status needs no explanation.
 * Ends with the program's status; 124 after the timeout, 125 when Aril ended without one. */
#define _GNU_SOURCE
#include "front.h"

#include <core/channel.h>

#include <errno.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define OUTPUT_BOUND (16u << 20) /* bytes kept for a slow reader before the guest has to wait */
#define INPUT_BOUND 65536u
#define END_GRACE_NS 2000000000 /* from the status to QEMU's end */
/* A UART loses what it gets before its driver is there: input waits for the guest's first output, or
 * this long where a program starts in silence. */
#define SERIAL_HOLD_NS 3000000000
#define ESCAPE 0x1d		   /* Ctrl-]: three in a row end the machine */
#define AUDIT_GRACE_NS 30000000000 /* the same where the kernel's books are checked meanwhile */
#define WRONG_END 39		   /* QEMU's status for 0x13: that found something */
#define CLEAN_END 33		   /* QEMU's status for debug-exit value 0x10 */

static struct {
	struct qemu qemu;
	struct queue in;     /* standard input, not yet allowed to go */
	struct queue to;     /* to the guest */
	struct queue from;   /* from the guest, not yet a whole frame */
	struct queue out[3]; /* to standard output (1) and error (2) */
	struct queue said;   /* QEMU's own messages */
	int stdin_open, eof_sent, out_gone[3], channel_open, log_open, errors_open;
	int serial, verbose, debugged, tty_in, running, killed;
	int escapes, status, qemu_status;
	uint64_t credit, started, end_by, give_up, hold;
	double timeout;
	const char *remove; /* directory */
	const char *audit;  /* file */
	const char *core;   /* file */
	const char *names;  /* file: ExOS's symbols */
	int signals;
} front = {.stdin_open = 1,
	   .channel_open = 1,
	   .log_open = 1,
	   .errors_open = 1,
	   .running = 1,
	   .status = -1};

static uint64_t now_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

int output_put(int fd, const char *bytes, size_t n)
{
	if (front.out[fd].used + n > OUTPUT_BOUND / 2)
		return 0;
	if (!front.out_gone[fd])
		queue_put(&front.out[fd], bytes, n);
	return 1;
}

void say(const char *format, ...)
{
	char line[512];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof line, format, args);
	va_end(args);
	term_print(STDERR_FILENO, "aril: ", 6);
	term_print(STDERR_FILENO, line, strlen(line));
	term_print(STDERR_FILENO, "\n", 1);
}

static void kill_qemu(void)
{
	if (front.running)
		kill(front.qemu.pid, SIGKILL);
	front.killed = 1;
}

/* --- host to guest */

static void send_frame(u8 kind, const void *bytes, size_t n)
{
	struct channel_header header = {.kind = kind, .bytes = (u32)n};

	if (front.serial)
		return;
	queue_put(&front.to, &header, sizeof header);
	if (n)
		queue_put(&front.to, bytes, n);
}

static void send_hello(void)
{
	struct channel_hello hello = {.version = CHANNEL_VERSION};

	hello.flags = (isatty(0) ? CHANNEL_TTY_IN : 0) | (isatty(1) ? CHANNEL_TTY_OUT : 0) |
		      (isatty(2) ? CHANNEL_TTY_ERR : 0);
	term_size(&hello.rows, &hello.columns);
	hello.realtime_ns = now_ns(CLOCK_REALTIME);
	send_frame(CHANNEL_HELLO, &hello, sizeof hello);
}

static void send_window(void)
{
	u16 size[2];

	term_size(&size[0], &size[1]);
	send_frame(CHANNEL_WINDOW, size, sizeof size);
}

/* Sends as much of standard input as the guest has asked for; the end of it when all is sent. */
static void send_input(void)
{
	if (front.serial) {
		if (now_ns(CLOCK_MONOTONIC) < front.hold)
			return;
		queue_put(&front.to, queue_data(&front.in), front.in.used);
		queue_take(&front.in, front.in.used);
		if (!front.stdin_open && !front.eof_sent)
			queue_put(&front.to, "\004", 1);
		front.eof_sent = !front.stdin_open;
		return;
	}
	while (front.in.used && front.credit && front.to.used < INPUT_BOUND * 4) {
		size_t n = front.in.used < CHANNEL_MAX ? front.in.used : CHANNEL_MAX;

		n = n < front.credit ? n : front.credit;
		send_frame(CHANNEL_INPUT, queue_data(&front.in), n);
		queue_take(&front.in, n);
		front.credit -= n;
	}
	if (!front.stdin_open && !front.in.used && !front.eof_sent) {
		send_frame(CHANNEL_EOF, NULL, 0);
		front.eof_sent = 1;
	}
}

static void read_stdin(void)
{
	char bytes[INPUT_BOUND];
	ssize_t i, n = read(STDIN_FILENO, bytes, sizeof bytes);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		front.stdin_open = 0;
		return;
	}
	for (i = 0; front.tty_in && i < n; i++) {
		front.escapes = bytes[i] == ESCAPE ? front.escapes + 1 : 0;
		if (front.escapes == 3) {
			front.status = 130;
			kill_qemu();
			return;
		}
	}
	queue_put(&front.in, bytes, (size_t)n);
}

/* --- guest to host */

static void report_start(uint64_t since_boot_ns)
{
	if (front.verbose)
		say("first instruction of the program %.1f ms after the start of QEMU, %.1f ms "
		    "after the kernel's",
		    (double)(now_ns(CLOCK_MONOTONIC) - front.started) / 1e6,
		    (double)since_boot_ns / 1e6);
}

static void output_closed(int fd)
{
	if (front.out_gone[fd])
		return;
	front.out_gone[fd] = 1;
	queue_take(&front.out[fd], front.out[fd].used);
	if (fd == STDOUT_FILENO)
		send_frame(CHANNEL_HANGUP, NULL, 0);
}

static void protocol_error(const char *what, unsigned value)
{
	say("the guest broke the channel's protocol: %s %u", what, value);
	front.status = 125;
	kill_qemu();
	front.channel_open = 0;
}

/* One whole frame. */
static void take_frame(u8 kind, const char *bytes, u32 n)
{
	u32 word = 0;
	u64 wide = 0;

	memcpy(&word, bytes, n < sizeof word ? n : sizeof word);
	memcpy(&wide, bytes, n < sizeof wide ? n : sizeof wide);
	switch (kind) {
	case CHANNEL_HELLO:
		if (n < sizeof(struct channel_hello) || word != CHANNEL_VERSION)
			protocol_error("version", word);
		break;
	case CHANNEL_OUTPUT:
	case CHANNEL_ERROR:
		word = kind == CHANNEL_OUTPUT ? STDOUT_FILENO : STDERR_FILENO;
		if (!front.out_gone[word])
			queue_put(&front.out[word], bytes, n);
		break;
	case CHANNEL_TRACE:
		term_print(STDERR_FILENO, bytes, n);
		if (n && bytes[n - 1] != '\n')
			term_print(STDERR_FILENO, "\n", 1);
		break;
	case CHANNEL_CORE:
		if (front.core && core_take(front.core, bytes, n)) {
			say("%s: %s: no core file", front.core, strerror(errno));
			front.core = NULL;
		}
		break;
	case CHANNEL_STATUS:
		front.status = (int)(word & 255);
		front.end_by =
			now_ns(CLOCK_MONOTONIC) + (front.audit ? AUDIT_GRACE_NS : END_GRACE_NS);
		break;
	case CHANNEL_CREDIT:
		front.credit += word;
		break;
	case CHANNEL_STARTED:
		report_start(wide);
		break;
	default:
		protocol_error("frame of kind", kind);
	}
}

static void take_frames(void)
{
	while (front.channel_open && front.from.used >= sizeof(struct channel_header)) {
		struct channel_header header;

		memcpy(&header, queue_data(&front.from), sizeof header);
		if (header.bytes > CHANNEL_MAX) {
			protocol_error("frame of size", header.bytes);
			return;
		}
		if (front.from.used < sizeof header + header.bytes)
			return;
		take_frame(header.kind, queue_data(&front.from) + sizeof header, header.bytes);
		queue_take(&front.from, sizeof header + header.bytes);
	}
}

static void read_channel(void)
{
	static char bytes[1 << 18];
	ssize_t n = read(front.qemu.channel, bytes, sizeof bytes);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		front.channel_open = 0;
		return;
	}
	qemu_make_lossless(&front.qemu.theirs);
	if (front.serial) {
		front.hold = 0;
		if (!front.out_gone[1])
			queue_put(&front.out[1], bytes, (size_t)n);
		return;
	}
	queue_put(&front.from, bytes, (size_t)n);
	take_frames();
}

static void read_log(void)
{
	char bytes[4096];
	ssize_t n = read(front.qemu.log, bytes, sizeof bytes);

	if (n > 0)
		log_put(bytes, (size_t)n, front.verbose);
	else if (!n || (errno != EAGAIN && errno != EINTR))
		front.log_open = 0;
}

static void read_errors(void)
{
	char bytes[4096];
	ssize_t n = read(front.qemu.errors, bytes, sizeof bytes);

	if (n > 0 && front.verbose)
		term_print(STDERR_FILENO, bytes, (size_t)n);
	if (n > 0 && front.said.used < 65536)
		queue_put(&front.said, bytes, (size_t)n);
	else if (!n || (n < 0 && errno != EAGAIN && errno != EINTR))
		front.errors_open = 0;
}

/* --- signals, time, the loop */

static void take_signal(void)
{
	struct signalfd_siginfo info;

	if (read(front.signals, &info, sizeof info) != sizeof info)
		return;
	if (info.ssi_signo == SIGWINCH) {
		send_window();
	} else if (info.ssi_signo == SIGCHLD) {
		if (waitpid(front.qemu.pid, &front.qemu_status, WNOHANG) == front.qemu.pid)
			front.running = 0;
	} else {
		front.status = 128 + (int)info.ssi_signo;
		kill_qemu();
	}
}

static void watch_signals(void)
{
	static const int watched[] = {SIGWINCH, SIGCHLD, SIGINT, SIGTERM, SIGHUP, SIGQUIT};
	sigset_t set;
	size_t i;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	for (i = 0; i < sizeof watched / sizeof *watched; i++)
		sigaddset(&set, watched[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	front.signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void check_time(void)
{
	uint64_t now = now_ns(CLOCK_MONOTONIC);

	if (front.give_up && now >= front.give_up && !front.killed) {
		kill_qemu();
		if (front.status < 0) {
			front.status = 124;
			front.out_gone[1] = front.out_gone[2] =
				1; /* a stuck reader must not hold us */
			say("timeout: ended after %g s", front.timeout);
		}
	}
	if (front.end_by && now >= front.end_by && !front.killed)
		kill_qemu();
}

/* Milliseconds until the next deadline; -1: none. */
static int patience(void)
{
	uint64_t now = now_ns(CLOCK_MONOTONIC), at = front.give_up;

	if (front.end_by && (!at || front.end_by < at))
		at = front.end_by;
	if (front.hold > now && (!at || front.hold < at))
		at = front.hold;
	if (!at || front.killed)
		return -1;
	return at <= now ? 0 : (int)((at - now) / 1000000) + 1;
}

/* How much one write may hold so that it cannot block once poll says it is writable. */
static size_t write_bound(int fd)
{
	struct stat st;

	return !fstat(fd, &st) && S_ISREG(st.st_mode) ? 1u << 20 : 4096;
}

static void one_round(void)
{
	int room = front.out[1].used < OUTPUT_BOUND && front.out[2].used < OUTPUT_BOUND;
	int wanted = front.in.used < INPUT_BOUND && front.stdin_open &&
		     (front.tty_in || front.serial || front.credit) &&
		     front.to.used < INPUT_BOUND * 4;
	struct pollfd p[7 + FAMILIES] = {
		{.fd = front.signals, .events = POLLIN},
		{.fd = front.channel_open && (room || front.to.used) ? front.qemu.channel : -1,
		 .events = (short)((room ? POLLIN : 0) | (front.to.used ? POLLOUT : 0))},
		{.fd = front.log_open ? front.qemu.log : -1, .events = POLLIN},
		{.fd = front.errors_open ? front.qemu.errors : -1, .events = POLLIN},
		{.fd = wanted ? 0 : -1, .events = POLLIN},
		{.fd = front.out_gone[1] ? -1 : 1, .events = front.out[1].used ? POLLOUT : 0},
		{.fd = front.out_gone[2] ? -1 : 2, .events = front.out[2].used ? POLLOUT : 0},
	};
	int fd;

	families_poll(p + 7);
	if (poll(p, 7 + families(), patience()) < 0 && errno != EINTR)
		return;
	if (p[0].revents)
		take_signal();
	if (p[4].revents)
		read_stdin();
	if (p[1].revents & (POLLIN | POLLHUP) && room)
		read_channel();
	if (p[2].revents)
		read_log();
	if (p[3].revents)
		read_errors();
	families_take(p + 7);
	for (fd = 1; fd <= 2; fd++)
		if (p[4 + fd].revents & (POLLERR | POLLHUP | POLLNVAL) ||
		    (p[4 + fd].revents & POLLOUT &&
		     queue_write(&front.out[fd], fd, write_bound(fd))))
			output_closed(fd);
	send_input();
	if (front.channel_open && queue_write(&front.to, front.qemu.channel, front.to.used))
		queue_take(&front.to, front.to.used);
	check_time();
}

/* --- the end */

static const char *last_said(void)
{
	char *text, *line;

	queue_put(&front.said, "", 1);
	text = (char *)(uintptr_t)queue_data(&front.said);
	while ((line = strrchr(text, '\n')) && !line[1])
		*line = 0;
	return line ? line + 1 : text;
}

/* No status came: says why in one line, and how Aril ends. */
static int explain(void)
{
	char line[256];
	const char *said = last_said();
	int status = WIFEXITED(front.qemu_status) ? WEXITSTATUS(front.qemu_status) : -1;

	if (front.serial && status == CLEAN_END)
		return 0;
	if (log_panic(!front.verbose)) { /* else it has been shown as it came */
		say("the kernel panicked");
		return 125;
	}
	log_last_line(line, sizeof line);
	if (*said && status != CLEAN_END)
		say("QEMU ended: %s", said);
	else if (status < 0)
		say("QEMU died of signal %d", WTERMSIG(front.qemu_status));
	else
		say("the machine ended without a status (QEMU's is %d)%s%s", status,
		    *line ? "; last message: " : "", line);
	return 125;
}

/* What init said of its audit is added to the file that was asked for. Where it found something wrong, that is our
 * result, whatever the program's was. */
static void audit_end(void)
{
	FILE *to = fopen(front.audit, "a");
	int wrong = WIFEXITED(front.qemu_status) && WEXITSTATUS(front.qemu_status) == WRONG_END;
	int lines = 0;

	if (to) {
		lines = log_audit(to);
		if (!lines)
			fprintf(to, "no audit: status %d\n", front.status);
		fclose(to);
	}
	if (!wrong)
		return;
	if (!front.verbose)
		log_audit(stderr);
	say("the kernel's books are wrong, or something is left of a domain");
	front.status = 125;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	return remove(path);
}

static void usage(void)
{
	fputs("usage: front [--serial] [--timeout SECONDS] [--remove DIR] [--audit FILE] [--core "
	      "FILE] "
	      "[--family NAME=[FILE]]... [--debugged] [-v] -- "
	      "QEMU "
	      "ARGUMENT...\n",
	      stderr);
	exit(2);
}

static char **parse(int argc, char **argv)
{
	int i;

	for (i = 1; i < argc && strcmp(argv[i], "--"); i++) {
		if (!strcmp(argv[i], "--serial"))
			front.serial = 1;
		else if (!strcmp(argv[i], "--debugged"))
			front.debugged = 1;
		else if (!strcmp(argv[i], "-v"))
			front.verbose = 1;
		else if (!strcmp(argv[i], "--timeout") && i + 1 < argc)
			front.timeout = atof(argv[++i]);
		else if (!strcmp(argv[i], "--audit") && i + 1 < argc)
			front.audit = argv[++i];
		else if (!strcmp(argv[i], "--family") && i + 1 < argc && family_add(argv[i + 1]))
			i++;
		else if (!strcmp(argv[i], "--names") && i + 1 < argc)
			front.names = argv[++i];
		else if (!strcmp(argv[i], "--core") && i + 1 < argc)
			front.core = argv[++i];
		else if (!strcmp(argv[i], "--remove") && i + 1 < argc)
			front.remove = argv[++i];
		else
			usage();
	}
	if (i + 1 >= argc)
		usage();
	return argv + i + 1;
}

int main(int argc, char **argv)
{
	char **command = parse(argc, argv);

	front.tty_in = isatty(STDIN_FILENO);
	watch_signals();
	front.started = now_ns(CLOCK_MONOTONIC);
	if (front.timeout > 0)
		front.give_up = front.started + (uint64_t)(front.timeout * 1e9);
	front.qemu.nfamilies = families();
	if (qemu_start(&front.qemu, command)) {
		say("cannot start %s: %s", command[0], strerror(errno));
		return 125;
	}
	if (front.serial)
		front.hold = front.started + SERIAL_HOLD_NS;
	send_hello();
	families_start(&front.qemu);
	if (front.tty_in)
		term_raw();
	while (front.running || front.channel_open || front.log_open || front.errors_open ||
	       families_open() || (front.out[1].used && !front.out_gone[1]) ||
	       (front.out[2].used && !front.out_gone[2])) {
		if (!front.running && front.qemu.theirs >= 0)
			qemu_make_lossless(
				&front.qemu.theirs); /* closes it, so that our end sees the end */
		if (!front.running)
			families_end();
		one_round();
	}
	term_restore();
	if (front.remove)
		nftw(front.remove, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	if (front.status < 0)
		front.status = front.debugged ? 125 : explain();
	if (front.names)
		log_trace(front.names);
	if (front.audit)
		audit_end();
	return front.status;
}

/* SPDX-License-Identifier: MIT
 * The line discipline's input: editing, signals, echo; and output processing. */
#include "tty.h"
#include "inode.h"
#include "proc.h"
#include "proc_internal.h"

struct tty console_tty;

static u8 *bit_byte(u8 *map, u32 at, u8 *bit)
{
	at %= TTY_INPUT;
	*bit = (u8)(1u << at % 8);
	return &map[at / 8];
}

static int bit_get(u8 *map, u32 at)
{
	u8 bit;
	return (*bit_byte(map, at, &bit) & bit) != 0;
}

static void bit_set(u8 *map, u32 at, int on)
{
	u8 bit, *byte = bit_byte(map, at, &bit);
	*byte = on ? *byte | bit : *byte & (u8)~bit;
}

/* A terminal as Linux sets a new one. */
void tty_init(struct tty *tty)
{
	static const u8 cc[NCCS] = {
		[VINTR] = 3,	 [VQUIT] = 28,	 [VERASE] = 127, [VKILL] = 21, [VEOF] = 4,
		[VMIN] = 1,	 [VSTART] = 17,	 [VSTOP] = 19,	 [VSUSP] = 26, [VREPRINT] = 18,
		[VDISCARD] = 15, [VWERASE] = 23, [VLNEXT] = 22};
	tty->termios.iflag = ICRNL | IXON | IUTF8;
	tty->termios.oflag = OPOST | ONLCR;
	tty->termios.cflag = B38400 | CS8 | CREAD | HUPCL;
	tty->termios.lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN;
	__builtin_memcpy(tty->termios.cc, cc, sizeof(cc));
	tty->rdev = RDEV(5, 1);
	waitq_init(&tty->read_wait);
	waitq_init(&tty->write_wait);
}

static int has(u32 flags, u32 bit)
{
	return (flags & bit) != 0;
}

/* Whether c is the special character at `index`; 0 switches one off. */
static int is_cc(const struct tty *tty, u8 c, u32 index)
{
	return tty->termios.cc[index] && tty->termios.cc[index] == c;
}

static u32 column_after(u32 column, u8 c)
{
	if (c == '\n' || c == '\r')
		return 0;
	if (c == '\b')
		return column ? column - 1 : 0;
	if (c == '\t')
		return (column | 7) + 1;
	if (c < 32 || c == 127 || (c & 0xc0) == 0x80)
		return column;
	return column + 1;
}

u32 tty_output_char(struct tty *tty, u8 c, u8 out[8])
{
	u32 flags = tty->termios.oflag, n = 0;
	if (!has(flags, OPOST)) {
		tty->column = column_after(tty->column, c);
		out[0] = c;
		return 1;
	}
	if (c == '\n' && has(flags, ONLCR)) {
		out[n++] = '\r';
	} else if (c == '\r' && has(flags, ONOCR) && !tty->column) {
		return 0;
	} else if (c == '\r' && has(flags, OCRNL)) {
		c = '\n';
	} else if (c == '\t' && (flags & TABDLY) == XTABS) {
		u32 to = (tty->column | 7) + 1;
		while (tty->column < to) {
			out[n++] = ' ';
			tty->column++;
		}
		return n;
	} else if (has(flags, OLCUC) && c >= 'a' && c <= 'z') {
		c -= 32;
	}
	u32 column = tty->column;
	tty->column = column_after(column, c);
	if (c == '\n' && !has(flags, ONLCR) && !has(flags, ONLRET))
		tty->column = column;
	out[n++] = c;
	return n;
}

static void echo_raw(struct tty *tty, u8 c)
{
	u8 out[8];
	u32 n = tty_output_char(tty, c, out);
	tty->send(tty, out, n, 0);
}

/* How a typed character shows: controls as ^X. */
static int shows_as_caret(const struct tty *tty, u8 c)
{
	return has(tty->termios.lflag, ECHOCTL) && (c < 32 || c == 127) && c != '\t' && c != '\n';
}

static void echo(struct tty *tty, u8 c)
{
	u32 flags = tty->termios.lflag;
	if (!has(flags, ECHO) && !(c == '\n' && has(flags, ECHONL) && has(flags, ICANON)))
		return;
	if (shows_as_caret(tty, c)) {
		echo_raw(tty, '^');
		echo_raw(tty, c ^ 64);
	} else {
		echo_raw(tty, c);
	}
}

u32 tty_used(const struct tty *tty)
{
	return tty->head - tty->tail;
}

/* Room for typed characters; where a full line waits for its end, what follows is dropped, so there is "room". */
u32 tty_room(const struct tty *tty)
{
	u32 room = TTY_INPUT - 1 - tty_used(tty);
	int stuck = has(tty->termios.lflag, ICANON) && tty->ready == tty->tail;
	return room || !stuck ? room : 1;
}

static void input_ready(struct tty *tty)
{
	wake_all(&tty->read_wait);
	poll_notify();
}

/* Adds a character. `mark`: a line ends behind it; `eof`: it is the end of file and no data. */
static void input_add(struct tty *tty, u8 c, int mark, int eof)
{
	u32 limit = mark ? TTY_INPUT : TTY_INPUT - 1;
	if (tty_used(tty) >= limit) {
		if (has(tty->termios.iflag, IMAXBEL))
			echo_raw(tty, 7);
		return;
	}
	tty->input[tty->head % TTY_INPUT] = c;
	bit_set(tty->marks, tty->head, mark);
	bit_set(tty->eofs, tty->head, eof);
	tty->head++;
	if (mark)
		tty->ready = tty->head;
	if (mark || !has(tty->termios.lflag, ICANON))
		input_ready(tty);
}

/* The cursor's column when the line being typed is shown up to `end`. */
static u32 typed_column(struct tty *tty, u32 end)
{
	u32 width = 0;
	for (u32 at = tty->ready; at != end; at++) {
		u8 c = tty->input[at % TTY_INPUT];
		width = shows_as_caret(tty, c) ? width + 2 : column_after(width, c);
	}
	return width;
}

/* Takes the last character off the line being typed, and off the screen. */
static void erase_one(struct tty *tty)
{
	u32 end = tty->head;
	if (end == tty->ready)
		return;
	u32 before = typed_column(tty, end);
	do
		end--;
	while (end != tty->ready && has(tty->termios.iflag, IUTF8) &&
	       (tty->input[end % TTY_INPUT] & 0xc0) == 0x80);
	tty->head = end;
	if (!has(tty->termios.lflag, ECHO))
		return;
	if (!has(tty->termios.lflag, ECHOE)) {
		echo(tty, tty->termios.cc[VERASE]);
		return;
	}
	for (u32 after = typed_column(tty, end); after < before; after++) {
		echo_raw(tty, '\b');
		echo_raw(tty, ' ');
		echo_raw(tty, '\b');
	}
}

static u8 typed_last(const struct tty *tty)
{
	return tty->input[(tty->head - 1) % TTY_INPUT];
}

static int is_word(u8 c)
{
	return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') || c == '_' ||
	       c >= 0x80;
}

static void erase_word(struct tty *tty)
{
	while (tty->head != tty->ready && !is_word(typed_last(tty)))
		erase_one(tty);
	while (tty->head != tty->ready && is_word(typed_last(tty)))
		erase_one(tty);
}

static void erase_line(struct tty *tty)
{
	if (has(tty->termios.lflag, ECHOKE) && has(tty->termios.lflag, ECHOE)) {
		while (tty->head != tty->ready)
			erase_one(tty);
		return;
	}
	tty->head = tty->ready;
	echo(tty, tty->termios.cc[VKILL]);
	if (has(tty->termios.lflag, ECHOK) && has(tty->termios.lflag, ECHO))
		echo_raw(tty, '\n');
}

static void reprint(struct tty *tty)
{
	echo(tty, tty->termios.cc[VREPRINT]);
	echo_raw(tty, '\n');
	for (u32 at = tty->ready; at != tty->head; at++)
		echo(tty, tty->input[at % TTY_INPUT]);
}

/* Forgets what was typed and not read. */
void tty_flush_input(struct tty *tty)
{
	tty->tail = tty->ready = tty->head;
	tty->literal = 0;
	if (tty->taken)
		tty->taken(tty);
	tty_tell(tty, TTY_TOLD_FLUSH_READ);
}

void tty_stop(struct tty *tty, u32 stop)
{
	if (tty->stopped == stop)
		return;
	tty->stopped = stop;
	if (!stop) {
		wake_all(&tty->write_wait);
		poll_notify();
	}
	tty_tell(tty, stop ? TTY_TOLD_STOP : TTY_TOLD_START);
}

static void send_signal(struct tty *tty, int sig)
{
	struct siginfo_k info = {.signo = sig, .code = SI_KERNEL};
	if (tty->foreground)
		signal_group(tty->foreground, sig, &info);
}

/* A character that raises a signal. 1: it was one. */
static int input_signal(struct tty *tty, u8 c)
{
	int sig = is_cc(tty, c, VINTR)	 ? SIGINT
		  : is_cc(tty, c, VQUIT) ? SIGQUIT
		  : is_cc(tty, c, VSUSP) ? SIGTSTP
					 : 0;
	if (!sig)
		return 0;
	if (!has(tty->termios.lflag, NOFLSH)) {
		tty_flush_input(tty);
		tty_tell(tty, TTY_TOLD_FLUSH_WRITE);
	}
	if (has(tty->termios.iflag, IXON))
		tty_stop(tty, 0);
	echo(tty, c);
	send_signal(tty, sig);
	return 1;
}

/* Canonical mode's editing characters. 1: it was one. */
static int input_edit(struct tty *tty, u8 c)
{
	int extended = has(tty->termios.lflag, IEXTEN);
	if (is_cc(tty, c, VERASE))
		erase_one(tty);
	else if (is_cc(tty, c, VWERASE) && extended)
		erase_word(tty);
	else if (is_cc(tty, c, VKILL))
		erase_line(tty);
	else if (is_cc(tty, c, VREPRINT) && extended && has(tty->termios.lflag, ECHO))
		reprint(tty);
	else if (is_cc(tty, c, VEOF))
		input_add(tty, 0, 1, 1);
	else if (c == '\n' || is_cc(tty, c, VEOL) || (is_cc(tty, c, VEOL2) && extended)) {
		echo(tty, c);
		input_add(tty, c, 1, 0);
	} else
		return 0;
	return 1;
}

/* ^S and ^Q. 1: it was one. */
static int input_flow(struct tty *tty, u8 c)
{
	if (is_cc(tty, c, VSTART))
		tty_stop(tty, 0);
	else if (is_cc(tty, c, VSTOP))
		tty_stop(tty, 1);
	else
		return 0;
	return 1;
}

static void input_char(struct tty *tty, u8 c)
{
	u32 in = tty->termios.iflag, local = tty->termios.lflag;
	if (tty->literal) {
		tty->literal = 0;
		echo(tty, c);
		input_add(tty, c, 0, 0);
		return;
	}
	if (has(in, ISTRIP))
		c &= 0x7f;
	if (has(in, IUCLC) && has(local, IEXTEN) && c >= 'A' && c <= 'Z')
		c += 32;
	if (has(in, IXON) && input_flow(tty, c))
		return;
	if (has(in, IXON) && has(in, IXANY))
		tty_stop(tty, 0);
	if (has(local, ISIG) && input_signal(tty, c))
		return;
	if (c == '\r' && has(in, IGNCR))
		return;
	if (c == '\r' && has(in, ICRNL))
		c = '\n';
	else if (c == '\n' && has(in, INLCR))
		c = '\r';
	if (has(local, ICANON)) {
		if (is_cc(tty, c, VLNEXT) && has(local, IEXTEN)) {
			tty->literal = 1;
			if (has(local, ECHO) && has(local, ECHOCTL))
				tty->send(tty, (const u8 *)"^\b", 2, 0);
			return;
		}
		if (input_edit(tty, c))
			return;
	}
	echo(tty, c);
	input_add(tty, c, 0, 0);
}

void tty_receive(struct tty *tty, const u8 *bytes, u32 count)
{
	for (u32 i = 0; i < count; i++)
		input_char(tty, bytes[i]);
}

void tty_end_of_input(struct tty *tty)
{
	tty->eof = 1;
	if (tty->head != tty->ready)
		tty->ready = tty->head;
	input_ready(tty);
}

void tty_hangup(struct tty *tty)
{
	struct siginfo_k info = {.signo = SIGHUP, .code = SI_KERNEL};
	struct siginfo_k cont = {.signo = SIGCONT, .code = SI_KERNEL};
	tty->hangup = tty->eof = 1;
	input_ready(tty);
	wake_all(&tty->write_wait);
	if (!tty->session)
		return;
	struct proc *leader = proc_find(tty->session);
	if (leader && leader->state != PROC_ZOMBIE)
		signal_send(leader, SIGHUP, &info);
	if (tty->foreground && leader && tty->foreground != leader->pgid)
		signal_group(tty->foreground, SIGHUP, &info);
	if (tty->foreground)
		signal_group(tty->foreground, SIGCONT, &cont);
}

void tty_resize(struct tty *tty, u16 rows, u16 columns)
{
	if (tty->window.rows == rows && tty->window.columns == columns)
		return;
	tty->window.rows = rows;
	tty->window.columns = columns;
	send_signal(tty, SIGWINCH);
}

void tty_session_end(struct tty *tty)
{
	tty->session = tty->foreground = 0;
}

/* Whether a line, or its end of file, begins at `at`: for reads. */
int tty_mark(struct tty *tty, u32 at)
{
	return bit_get(tty->marks, at);
}

int tty_eof_mark(struct tty *tty, u32 at)
{
	return bit_get(tty->eofs, at);
}

/* Whether ^S and ^Q, and no others, hold output back. */
static int flow_by_keys(const struct linux_termios *t)
{
	return has(t->iflag, IXON) && t->cc[VSTOP] == '\023' && t->cc[VSTART] == '\021';
}

/* There are other settings. Where lines were not wanted and are now, or the other way round, what is there becomes a line,
 * or plain data. */
void tty_mode_changed(struct tty *tty, const struct linux_termios *old)
{
	const struct linux_termios *now = &tty->termios;
	if (has(now->lflag, ICANON) && !has(old->lflag, ICANON)) {
		if (tty->head != tty->tail)
			bit_set(tty->marks, tty->head - 1, 1);
		tty->ready = tty->head;
	}
	if (!has(now->iflag, IXON) && has(old->iflag, IXON))
		tty_stop(tty, 0);
	if (flow_by_keys(now) != flow_by_keys(old))
		tty_tell(tty, flow_by_keys(now) ? TTY_TOLD_DO_STOP : TTY_TOLD_NO_STOP);
	input_ready(tty);
	wake_all(&tty->write_wait);
}

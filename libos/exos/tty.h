/* SPDX-License-Identifier: MIT
 * A terminal: Linux's line discipline over something that moves characters. */
#ifndef EXOS_TTY_H
#define EXOS_TTY_H

#include "exos.h"
#include "linux.h"

#define TTY_INPUT 4096u

struct file;
struct inode;

struct tty {
	struct linux_termios termios;
	struct linux_termios
		locked; /* bits, and characters that are not 0, that nobody may change */
	struct linux_winsize window;
	u32 session, foreground; /* session id and foreground group; 0: none */
	u8 input[TTY_INPUT];	 /* ring; indices run on */
	u32 head, tail;		 /* what a read may take ends at `ready` in canonical mode */
	u32 ready;
	u8 marks[TTY_INPUT / 8]; /* canonical: a line ends behind this byte */
	u8 eofs[TTY_INPUT / 8];	 /* that byte is an end of file and not data */
	u32 column;		 /* of the cursor, for tabs and erasing */
	u32 literal;		 /* ^V: the next character is data */
	u32 stopped;		 /* ^S */
	u32 hangup, eof;
	u64 rdev;
	struct waitq read_wait, write_wait;
	/* Sends characters; all of them, waiting in between where `wait`. Bytes sent or -E. */
	s64 (*send)(struct tty *tty, const u8 *bytes, u32 count, int wait);
	void (*taken)(struct tty *tty); /* a read, or a flush, made room; or NULL */
	/* What a master in packet mode is to hear (TTY_TOLD_*); or NULL. */
	void (*tell)(struct tty *tty, u32 what);
};

/* TIOCPKT's status bits (ioctl_tty(2)). */
enum {
	TTY_TOLD_FLUSH_READ = 1,
	TTY_TOLD_FLUSH_WRITE = 2,
	TTY_TOLD_STOP = 4,
	TTY_TOLD_START = 8,
	TTY_TOLD_NO_STOP = 16, /* ^S and ^Q do not stop and start output any more */
	TTY_TOLD_DO_STOP = 32, /* they do */
};
static inline void tty_tell(struct tty *tty, u32 what)
{
	if (tty->tell)
		tty->tell(tty, what);
}

extern struct tty console_tty;
void tty_init(struct tty *tty);
/* Characters that were typed. Family lock. */
void tty_receive(struct tty *tty, const u8 *bytes, u32 count);
/* No more input will come. */
void tty_end_of_input(struct tty *tty);
void tty_hangup(struct tty *tty);
void tty_resize(struct tty *tty, u16 rows, u16 columns);
/* A session ends: its terminal is nobody's. */
void tty_session_end(struct tty *tty);
s64 tty_open(struct inode *i, struct file *f, struct tty *tty);
s64 tty_ioctl(struct file *f, u64 request, u64 arg);
extern const struct file_ops tty_ops;
/* A background process may not (SIGTTIN, SIGTTOU): 0 to go on, -EIO or -ERESTARTSYS. */
s64 tty_job_control(struct tty *tty, int sig);

/* tty.c, for tty_io.c and console.c */
/* Processes one character of output into at most 8; how many. */
u32 tty_output_char(struct tty *tty, u8 c, u8 out[8]);
u32 tty_used(const struct tty *tty);
u32 tty_room(const struct tty *tty);
void tty_flush_input(struct tty *tty);
/* Holds output back, or lets it go on. */
void tty_stop(struct tty *tty, u32 stop);
int tty_mark(struct tty *tty, u32 at);
int tty_eof_mark(struct tty *tty, u32 at);
void tty_mode_changed(struct tty *tty, const struct linux_termios *old);

/* console.c */
s64 console_open(struct inode *i, struct file *f);

#endif

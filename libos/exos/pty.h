/* SPDX-License-Identifier: MIT
 * Pseudo-terminals. Family lock throughout. */
#ifndef EXOS_PTY_H
#define EXOS_PTY_H

#include "tty.h"

#define PTS_MAJOR 136u
#define PTS_MAJORS 8u

/* /dev/ptmx and /dev/pts. */
void pty_boot(struct inode *dev);
/* Opens a new pty's master. 0, -ENOSPC, -ENOMEM. */
s64 ptmx_open(struct file *f);
/* Opens a slave by its device, or the terminal of a process that is one. 0 or -EIO: it is locked, or hung up. */
s64 pts_open_device(struct inode *i, struct file *f);
s64 pts_open(struct inode *i, struct file *f, struct tty *tty);
int tty_is_pty(const struct tty *tty);

#endif

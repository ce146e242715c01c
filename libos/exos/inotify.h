/* SPDX-License-Identifier: MIT
 * What is told to those that watch files by inotify. Family lock throughout; without a watch anywhere each costs a load
 * and a compare. */
#ifndef EXOS_INOTIFY_H
#define EXOS_INOTIFY_H

#include "inode.h"

#define IN_ACCESS 1u
#define IN_MODIFY 2u
#define IN_ATTRIB 4u
#define IN_CLOSE_WRITE 8u
#define IN_CLOSE_NOWRITE 0x10u
#define IN_OPEN 0x20u
#define IN_MOVED_FROM 0x40u
#define IN_MOVED_TO 0x80u
#define IN_CREATE 0x100u
#define IN_DELETE 0x200u
#define IN_DELETE_SELF 0x400u
#define IN_MOVE_SELF 0x800u
#define IN_ALL_EVENTS 0xfffu
#define IN_UNMOUNT 0x2000u
#define IN_Q_OVERFLOW 0x4000u
#define IN_IGNORED 0x8000u
#define IN_ONLYDIR 0x01000000u
#define IN_DONT_FOLLOW 0x02000000u
#define IN_EXCL_UNLINK 0x04000000u
#define IN_MASK_CREATE 0x10000000u
#define IN_MASK_ADD 0x20000000u
#define IN_ISDIR 0x40000000u
#define IN_ONESHOT 0x80000000u

/* How many watches there are. Readable without the lock. */
extern u32 inotify_marks;
static inline int inotify_watches(void)
{
	return __atomic_load_n(&inotify_marks, __ATOMIC_RELAXED) != 0;
}
/* A name of a directory came, went or moved: IN_CREATE, IN_DELETE, IN_MOVED_*. */
void inotify_name(struct inode *dir, const char *name, u32 length, const struct inode *child,
		  u32 mask, u32 cookie);
/* Something happened to an inode, under this name of dir (length 0: none is known). */
void inotify_inode(struct inode *i, struct inode *dir, const char *name, u32 length, u32 mask);
/* The same of what a walk found, and of what an open file is. */
void inotify_walk(const struct walk *w, u32 mask);
void inotify_file(struct file *f, u32 mask);
/* The inode is about to be freed. */
void inotify_gone(struct inode *i);
/* A number that joins the two events of a rename. */
u32 inotify_cookie(void);

#endif

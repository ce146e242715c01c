/* SPDX-License-Identifier: MIT
 * Record locks. Family lock throughout. */
#ifndef EXOS_RECORD_H
#define EXOS_RECORD_H

#include "file.h"

/* fcntl's F_GETLK, F_SETLK, F_SETLKW and their F_OFD_ kin on an open file, with a struct flock of the program. 0, or
 * -EFAULT, -EINVAL, -EOVERFLOW, -EBADF (not open that way), -EAGAIN, -EDEADLK, -ENOLCK (no memory), a restart. */
s64 record_fcntl(struct file *f, u32 command, u64 arg);
/* Gives up what an owner, a descriptor table or an open file, has locked of an inode. */
void record_release(struct inode *i, const void *owner);

#endif

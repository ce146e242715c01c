/* SPDX-License-Identifier: MIT
 * Files: inodes with a page cache, open files, descriptor tables, path walks. */
#ifndef EXOS_FILE_H
#define EXOS_FILE_H

#include "exos.h"

struct inode;
struct file;
struct stat64; /* linux.h */

/* Reads or writes up to a page for a quick call, which has taken the lock once, and lets it go; sleeping keeps the file. */
typedef s64 (*file_quick)(struct file *f, u64 at, u64 bytes, struct thread *t);

struct linux_iovec;

struct file_ops {
	s64 (*read)(struct file *f, u64 to, usize bytes, u64 *offset); /* to: program address */
	s64 (*write)(struct file *f, u64 from, usize bytes, u64 *offset);
	/* All parts at once, `bytes` in all, more than 0. NULL: one after the other. */
	s64 (*vector)(struct file *f, struct linux_iovec *vec, u64 count, u64 bytes, int writing);
	u32 (*poll)(struct file *f); /* POLLIN etc. that hold now */
	s64 (*ioctl)(struct file *f, u64 request, u64 arg);
	s64 (*readdir)(struct file *f, u64 to, usize bytes); /* getdents64 */
	s64 (*seek)(struct file *f, s64 offset, u32 whence);
	void (*release)(struct file *f);
	file_quick quick_read, quick_write; /* NULL: by the long way alone */
};
/* For those whose read and write keep the file (file_get) while they sleep, and say -ERESTARTSYS for -EINTR. */
s64 file_quick_read(struct file *f, u64 to, u64 bytes, struct thread *t);
s64 file_quick_write(struct file *f, u64 from, u64 bytes, struct thread *t);
/* The last of a quick call that slept and kept its file, where it is more than to read what came: slept is what ended the sleep,
 * -EINTR or 0, when result is the call's. */
s64 file_quick_slept(struct file *f, s64 slept, s64 result);

#define OFFSET_TAKEN (1ul << 63)

/* An open file: shared by descriptors and across fork. Its memory is never anything else, so that a glance may try to move the
 * offset of one that is gone (glance.h): it finds another in `made`. */
struct file {
	u32 refs;
	u32 flags; /* O_* */
	const struct file_ops *ops;
	struct inode *inode;
	u64 offset __attribute__((aligned(16))); /* OFFSET_TAKEN with it: by who has the lock */
	u64 made; /* no two files' are the same; 0: it is none now. Beside the offset: both are compared at once */
	void *data;			    /* the kind's own: pipe, tty */
	file_quick quick_read, quick_write; /* those of ops that it is opened for */
	char *path;	      /* what file_path says, where there is no parent; may be NULL */
	struct inode *parent; /* the directory that it was found in, referenced, or NULL */
	struct dentry *name;  /* and by what name, referenced; NULL: it is that directory itself */
	struct list watchers; /* epoll.c */
};

/* Family lock. Where it is now, also of one that was left in the middle. */
static inline u64 file_offset(const struct file *f)
{
	return f->offset & ~OFFSET_TAKEN;
}
/* The same, and no glance moves it until it has another. Who was ended between the two leaves it taken: the next one goes on
 * from there. */
static inline u64 file_offset_take(struct file *f)
{
	__atomic_or_fetch(&f->offset, OFFSET_TAKEN, __ATOMIC_ACQ_REL);
	return file_offset(f);
}
static inline void file_offset_set(struct file *f, u64 to)
{
	__atomic_store_n(&f->offset, to, __ATOMIC_RELEASE);
}

/* Anything that can become ready wakes this: poll sleeps on it (one for all of the family, spurious wakes are
 * re-checked), beside the object's own waitq. */
extern struct waitq poll_waiters;
void poll_notify(void);

/* The page of an inode at index, in the page cache, with a reference for the caller; allocated or copied from
 * the archive on first use. NULL and *error = -EIO/-ENOMEM, or beyond the end (-ENXIO -> SIGBUS). */
void *inode_page(struct inode *i, u64 index, s64 *error);
u64 inode_size(const struct inode *i);
void inode_get(struct inode *i);
void inode_put(struct inode *i);
/* exec's view: opens a regular executable file by path from the current process: 0 or -E (EACCES, ENOENT...) */
s64 inode_lookup_exec(const char *path, struct inode **out, char **absolute);
s64 inode_read_kernel(struct inode *i, void *to, usize bytes, u64 offset); /* bytes read or -E */
/* file of a descriptor of the current process, with its inode; -EBADF. For mmap. */
struct file *fd_file(u32 fd);

struct files *files_create(void);
struct files *files_clone(struct files *from);
void files_put(struct files *f); /* closes all */
void files_close_on_exec(struct files *f);
struct fsinfo *fsinfo_create(void);
struct fsinfo *fsinfo_clone(struct fsinfo *from);
void fsinfo_put(struct fsinfo *f);

/* Start: mounts the archive, makes devices, opens descriptors 0..2 of the first process. */
void files_boot(void);
/* In the scheduler's env, which owns the device from then on: opens the console and descriptors 0..2. */
void console_boot(struct proc *first);
/* A line (with its newline) for the host's standard error; 0: no channel or no room. Family lock. */
int console_trace(const char *text, u32 bytes);
/* The first program's first instruction is about to run. Family lock. */
void console_started(void);
/* A line of trace, ended by its newline; waits for room. 0: there is no channel. Family lock. */
int console_trace_wait(const char *text, u32 bytes);
/* Sends what is queued to the console and the exit status; the family ends after it (console.c). */
void console_finish(u32 status);

#endif

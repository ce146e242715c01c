/* SPDX-License-Identifier: MIT
 * Inodes and the tree of names, as the parts of the file system share them. */
#ifndef EXOS_INODE_H
#define EXOS_INODE_H

#include "exos.h"
#include "file.h"
#include "linux.h"

#define CHUNK_PAGES 512ul
#define DIRECT_PAGES 4ul /* a small file's pages need no chunk */
#define INODE_MAX_SIZE 0x7fffffffffffful
#define SYMLINK_DEPTH 40

struct path_at;
struct pipe;

struct inode_ops {
	/* A name in a directory that is made as it is read (proc): a referenced inode, or -ENOENT. */
	s64 (*lookup)(struct inode *dir, const char *name, u32 length, struct inode **out);
	s64 (*readdir)(struct file *f, u64 to, usize bytes);
	/* The target of a symbolic link: length (not terminated), at most `bytes`, or -E. */
	s64 (*readlink)(struct inode *link, char *to, usize bytes);
	/* A link that leads to an object rather than a name (/proc/PID/fd/N): a referenced inode or -E. */
	s64 (*follow)(struct inode *link, struct inode **out);
	/* Completes an open: sets f->ops and f->data. 0 or -E. */
	s64 (*open)(struct inode *inode, struct file *f);
	void (*free)(struct inode *inode);
};

struct inode {
	u32 refs;
	u32 mode; /* S_IF* and permissions */
	u32 nlink;
	u32 uid, gid;
	u32 device; /* st_dev: which of our file systems */
	u64 ino, rdev, size;
	u64 blocks;		 /* pages in the cache */
	s64 atime, mtime, ctime; /* ns since 1970 */
	const struct inode_ops *ops;
	u32 writers;	     /* open for writing */
	struct list locks;   /* flock */
	struct list records; /* record.c */
	u32 poll_counts;     /* poll_in, poll_out say how often it became ready (poll_event) */
	u64 poll_in, poll_out;
	struct xattr *xattrs; /* xattr.c */
	struct mark *marks;   /* inotify.c */
	u32 sealable, seals;  /* memfd.c */
	u32 changes;	      /* of file's pages and where they lie: glance.h */
	union {
		struct {
			u64 direct[DIRECT_PAGES]; /* the first pages' addresses; 0: none */
			u64 **chunks; /* each CHUNK_PAGES entries; the first ones of all are not used */
			u64 nchunks;
			const u8 *archive; /* its bytes in the boot archive, or NULL */
			u64 archive_bytes;
			u32 in_place; /* programs may have pages of the archive bound */
		} file;
		struct {
			struct inode *parent; /* referenced; itself at the root */
			struct list entries;  /* struct dentry by cookie */
			u64 next_cookie, count;
			struct dentry *
				cursor; /* where the last listing stopped, or before; NULL: the start */
			char *name;	/* its own in parent, for getcwd; NULL once removed */
		} dir;
		struct {
			char *target;
			u32 length;
		} link;
		struct pipe *pipe;
		struct {
			u64 key; /* proc: what it shows */
			u32 pid, kind;
			struct inode *parent;
			const char *name;
		} proc;
	};
};

struct dentry {
	struct list link, bucket; /* empty once the name is gone */
	struct inode *dir, *inode;
	u64 cookie, hash;
	u32 length;
	u32 refs; /* the tree's, and one of each file that was opened by it */
	char name[] __attribute__((aligned(8))); /* zeros up to a whole word and at least one */
};

/* The file systems, as st_dev tells them apart. */
enum {
	DEVICE_ROOT = 1,
	DEVICE_PIPE = 2,
	DEVICE_PROC = 3,
	DEVICE_CONSOLE = 4,
	DEVICE_ANON = 5,
	DEVICE_SOCKET = 6,
};

extern struct inode *root_inode;
extern const struct file_ops file_regular_ops, file_directory_ops, file_path_ops;

struct fsinfo {
	u32 refs;
	u32 umask;
	struct inode *cwd;
	struct inode *root; /* of chroot; NULL: the tree's */
};

struct fd_slot {
	struct file *file;
	u32 cloexec;
};
struct files {
	u32 refs;
	u32 capacity;
	u32 changes; /* descriptors that leave, and where they all lie: glance.h */
	u32 lowest;  /* all below are in use */
	u32 top;     /* above the highest that was ever in use */
	struct fd_slot *slots;
};

/* ---- inode.c ---- */
/* A new inode with one reference, no name, the current process's owner and now as its times. NULL: no memory. */
struct inode *inode_create(u32 mode, u32 device);
s64 realtime_ns(void);
/* Pages that files have in the cache. */
extern u64 cache_pages;
/* Gives back a regular file's pages: for who frees inodes of its own (inode_ops.free). */
void inode_cache_free(struct inode *i);
/* Bytes [from, to) become zeros; pages that are all zeros go, where the archive has none there. 0, -ENOSPC. */
s64 inode_punch(struct inode *i, u64 from, u64 to);
void inode_touch(struct inode *i);
/* After a change of its contents by who has no CAP_FSETID: it runs with nobody else's rights any more. */
void inode_unprivileged(struct inode *i); /* mtime and ctime are now */
/* Whether so many more pages may be had for files, and how many may. */
int file_room(u64 pages);
u64 files_free(void);
/* Sets a regular file's size, giving back pages beyond. 0, -EFBIG or -EINVAL. */
s64 inode_resize(struct inode *i, u64 size);
/* The page at index for changing it, referenced, also beyond the end. NULL: *error is -ENOMEM or, of what files may
 * have, -ENOSPC. */
void *inode_page_write(struct inode *i, u64 index, s64 *error);
/* What a private mapping may bind without copying: the cached page, with a reference, or the archive's own, which
 * needs none. NULL: neither has it whole. */
void *inode_page_ready(struct inode *i, u64 index);
/* The page at index or NULL where there is a hole; no reference. */
void *inode_page_peek(const struct inode *i, u64 index);
/* The first offset from `at` that is no hole, or one beyond the end. Cost: where there are no pages it goes by chunks. */
u64 inode_data_from(const struct inode *i, u64 at);
s64 inode_write_kernel(struct inode *i, const void *from, usize bytes, u64 offset);
/* Whether the current process may (R_OK, W_OK, X_OK): 0 or -EACCES; GLANCE_MISSED of an inode that is gone. */
s64 inode_permission(const struct inode *i, u32 want);
s64 inode_permission_ids(const struct inode *i, u32 want, u32 uid, u32 gid, u64 caps);

/* ---- tree.c ---- */
void tree_init(void);
/* Counts changes of names, of the places of directories and of who may pass through them: glance.h. */
extern u32 tree_changes;
/* A name's hash in dir begins with it (name.h): where an inode lies is as good as its number, as its names go before it does. */
static inline u64 tree_seed(const struct inode *dir)
{
	return (u64)dir;
}
struct dentry *tree_find(struct inode *dir, const char *name, u32 length);
/* The same for whoever has the hash, also without the family lock, beginning after tree_changes was `began`. 0 and *out, which
 * is NULL where there is no such name; or GLANCE_MISSED. name: as in name.h. */
s64 tree_glance(const struct inode *dir, const char *name, u32 length, u64 hash, u32 began,
		struct dentry **out);
/* Adds a name; takes a reference of inode and counts the link. NULL: no memory. The name must not be there. */
struct dentry *tree_add(struct inode *dir, const char *name, u32 length, struct inode *inode);
void dentry_put(struct dentry *d);
/* Removes a name and drops its link and reference. */
void tree_remove(struct dentry *d);
/* Absolute path of a directory: length, -ENOENT (removed), -ERANGE. */
s64 tree_path(struct inode *dir, char *to, usize bytes);
/* Absolute path of a name in a directory as a new string; NULL: no memory or the directory is gone. */
char *tree_path_of(struct inode *dir, const char *name, u32 length);
/* Absolute path of some name of an inode, a new string; NULL: it has none. Looks through the whole tree. */
char *tree_name_of(const struct inode *inode);
char *string_copy(const char *s, usize length);
/* Makes a child of dir for boot: mkdir, file or device. */
struct inode *tree_make(struct inode *dir, const char *name, u32 mode, u64 rdev);
/* The same; NULL: no memory. */
struct inode *tree_try(struct inode *dir, const char *name, u32 mode, u64 rdev);

/* ---- path.c ---- */
#define GLANCE_PATH 248u /* bytes: longer paths need the buffer */
#define WALK_FOLLOW 1u	 /* follow a link in the last place */
#define WALK_PARENT \
	2u /* the last name need not be there: a file is to be made, so -EISDIR with a slash behind it */
#define WALK_NAME \
	8u /* the last name itself, as PARENT; no link in its place is followed, a slash behind it only noted */
#define WALK_EMPTY 4u /* AT_EMPTY_PATH */
/* openat2's RESOLVE_*, shifted; each: what would break it is an error */
#define WALK_RESOLVE 0x3f00u
#define WALK_NO_XDEV 0x100u
#define WALK_NO_MAGIC 0x200u
#define WALK_NO_LINKS 0x400u
#define WALK_BENEATH 0x800u
#define WALK_IN_ROOT 0x1000u
#define WALK_CACHED 0x2000u
/* Where a path leads. Everything in it is referenced until walk_done. */
struct walk {
	struct inode *inode; /* NULL with WALK_PARENT when nothing has the name */
	struct inode *dir;   /* holds the last name; with WALK_PARENT always */
	struct dentry *
		entry; /* the last name in the tree, until that changes; NULL: none, or dir is none of the tree's */
	const char *last; /* the last name, in one of the buffers */
	u32 last_length;
	u32 last_special; /* ".", ".." or "/": no name that could be made or removed */
	u32 slash;	  /* the path ended in '/': a directory is meant */
	u32 empty;	  /* the path was "" */
	s32 late; /* -ENAMETOOLONG with WALK_NAME: there is no such last name, which other checks precede */
	u32 resolve; /* WALK_RESOLVE of its flags */
	struct inode *
		top; /* "/" and the end of "..": the process's root, or where it began; not referenced */
	char *buffer; /* PATH_MAX + room for links; NULL: `path` sufficed */
	char path[GLANCE_PATH + 8];
};
/* Walks a path of the program's, or a string of ExOS's own, from descriptor dir (AT_FDCWD: working directory). */
s64 walk_user(struct walk *w, s32 dir, u64 path, u32 flags);
s64 walk_string(struct walk *w, s32 dir, const char *path, u32 flags);
void walk_done(struct walk *w);
/* Absolute path of what was found, a new string or NULL. */
char *walk_path(const struct walk *w);

/* ---- open.c ---- */
/* Those that are none now, by their data. */
extern struct file *files_spare;
/* An open file for inode (takes a reference) in state `flags`. 0 or -E; *out has one reference. */
s64 file_open_inode(struct inode *i, u32 flags, struct file **out);
/* Whether a process runs the program in i. */
int inode_runs(const struct inode *i);
struct file *file_create(struct inode *i, u32 flags, const struct file_ops *ops, void *data);
/* A descriptor of a new open file on an inode of its own, without a name but the one that /proc shows. flags:
 * O_CLOEXEC and what the file keeps. -ENFILE, -EMFILE, -ENOMEM: ops->release was called for data. */
s64 file_anonymous(const char *name, const struct file_ops *ops, void *data, u32 flags,
		   struct file **out);
void file_get(struct file *f);
void file_put(struct file *f);
/* The absolute path of what is open, a new string; of what has no name any more that which it had, and " (deleted)". NULL:
 * it never had one, or there is no memory. */
char *file_path(struct file *f);

/* ---- fd.c ---- */
/* Lowest free descriptor from `from`, with f (takes over its reference). Or -EMFILE, -ENOMEM, -EINVAL. */
s64 fd_install(struct file *f, u32 from, int cloexec);
struct file *files_file(struct files *files, u32 fd);
void flock_release(struct file *f);

/* ---- rw.c ---- */
#define RW_MAX 0x7ffff000ul /* most bytes that one call moves, as on Linux */
/* Moves bytes to or from the program, or ExOS itself where the address is its own (callers checked). 0 or -EFAULT. */
int io_out(u64 to, const void *from, usize bytes);
int io_in(void *to, u64 from, usize bytes);
/* Whether a range lies in the program's half. */
static inline int user_range(u64 at, u64 bytes)
{
	return at < PROGRAM_TOP && bytes <= PROGRAM_TOP - at;
}
/* Reads a vector of count pieces and checks it as a whole: the sum of its lengths, cut to what one call moves, or -E. */
s64 iovec_in(u64 from, u64 count, struct linux_iovec *vec);
/* End of a write that found no reader: SIGPIPE and -EPIPE. */
s64 write_broken(void);
/* End of what would make a file longer than RLIMIT_FSIZE: SIGXFSZ and -EFBIG. */
s64 write_too_big(void);

/* ---- dir.c ---- */
/* Of a getdents64 record whose name has this length. */
#define DIRENT_BYTES(length) \
	((u32)(__builtin_offsetof(struct linux_dirent64, name) + (length) + 1 + 7) & ~7u)
/* Appends one record to a getdents64 buffer: bytes used, 0 when it does not fit, or -EFAULT. */
s64 dirent_emit(u64 to, usize room, u64 ino, u64 next, u32 type, const char *name, u32 length);

/* A socket's name in the tree: 0 and *out, referenced, or -EEXIST and what else a new name may meet. */
s64 socket_name_make(const char *path, struct inode **out);

/* ---- stat.c ---- */
/* Also of an inode that may be gone: 0 or GLANCE_MISSED. */
s64 inode_stat(const struct inode *i, struct stat64 *st);

/* ---- pipe.c ---- */
#define PIPE_PAGES 16u
struct pipe {
	u8 **pages;
	u32 npages; /* power of two */
	u32 readers, writers;
	u32 opens_read, opens_write; /* ever, so that an open that waits sees a short one */
	u64 head, tail;		     /* bytes ever written and read */
	struct waitq read_wait, write_wait, open_wait;
	struct inode *inode;			    /* of a pipe without a name: not referenced */
	void (*drained)(struct pipe *p, u64 bytes); /* console input: a reader took bytes */
};
struct pipe *pipe_create(void);
void pipe_free(struct pipe *p);
s64 fifo_open(struct inode *i, struct file *f);
/* Puts bytes of ExOS's own in: how many went in. */
u64 pipe_feed(struct pipe *p, const u8 *from, u64 bytes);
/* What lies together in it behind the oldest `skip` bytes: *left bytes. NULL: nothing does. Valid until the caller sleeps. */
const u8 *pipe_peek(struct pipe *p, u64 skip, u64 *left);
/* The oldest bytes are through. */
void pipe_skip(struct pipe *p, u64 bytes);
extern const struct file_ops pipe_ops;
s64 pipe_set_size(struct pipe *p, u64 bytes);

/* ---- memfd.c ---- */
s64 seals_get(const struct file *f);
s64 seals_add(struct file *f, u64 seals);
/* Whether the seals allow another size, or a write up to `end`. 0 or -EPERM. */
s64 seals_resize(const struct inode *i, u64 size);
s64 seals_write(const struct inode *i, u64 end);

/* ---- xattr.c ---- */
void xattr_release(struct inode *i);

/* ---- dev.c, procfs.c ---- */
void dev_boot(struct inode *root);
s64 device_open(struct inode *i, struct file *f);
/* As good as the CPU's generator, where it has one. */
u64 device_random(void);
void proc_mount(struct inode *root);
#define RDEV(major, minor) ((u64)(major) << 8 | (minor))

/* ---- archive.c ---- */
/* Fills the tree from a newc archive that lies in memory and stays there. */
void archive_mount(const u8 *archive, u64 bytes);
#endif

/* SPDX-License-Identifier: MIT
 * Opening: from a path and O_ flags to an open file. */
#include "file_calls.h"
#include "glance.h"
#include "inode.h"
#include "inotify.h"
#include "mm.h"
#include "poll.h"
#include "proc.h"
#include "record.h"
#include "switch.h"
#include "tty.h"

#define FILE_KEPT (~(u32)(O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC))

static int flags_read(u32 flags)
{
	return (flags & O_ACCMODE) != O_WRONLY;
}

static int flags_write(u32 flags)
{
	return (flags & O_ACCMODE) != O_RDONLY;
}

/* When its operations are known. */
static void file_quicken(struct file *f)
{
	u32 mode = f->flags & O_ACCMODE;

	f->quick_read = mode == O_RDONLY || mode == O_RDWR ? f->ops->quick_read : NULL;
	f->quick_write = mode == O_WRONLY || mode == O_RDWR ? f->ops->quick_write : NULL;
}

struct file *files_spare;
static u64 files_made;

/* The pages stay the files': struct file says why. */
static struct file *file_alloc(void)
{
	if (!files_spare) {
		struct file *more = page_zalloc(0);
		for (u64 i = 0; more && i < PAGE / sizeof(*more); i++) {
			more[i].data = files_spare;
			files_spare = &more[i];
		}
	}
	struct file *f = files_spare;
	if (!f)
		return NULL;
	files_spare = f->data;
	__builtin_memset(f, 0, sizeof(*f));
	__atomic_store_n(&f->made, ++files_made, __ATOMIC_RELEASE);
	return f;
}

static void file_free(struct file *f)
{
	__atomic_store_n(&f->made, 0, __ATOMIC_RELEASE);
	f->data = files_spare;
	files_spare = f;
}

/* A new open file with one reference, which takes a reference of i. NULL: no memory. */
struct file *file_create(struct inode *i, u32 flags, const struct file_ops *ops, void *data)
{
	struct file *f = file_alloc();
	if (!f)
		return NULL;
	f->refs = 1;
	f->flags = flags & O_PATH ? flags & FILE_KEPT : (flags & FILE_KEPT) | O_LARGEFILE;
	f->ops = ops;
	f->data = data;
	f->inode = i;
	list_init(&f->watchers);
	file_quicken(f);
	inode_get(i);
	return f;
}

s64 file_anonymous(const char *name, const struct file_ops *ops, void *data, u32 flags,
		   struct file **out)
{
	struct inode *i = inode_create(0600, DEVICE_ANON);
	struct file *f = i ? file_create(i, flags, ops, data) : NULL;
	if (i)
		inode_put(i);
	if (!f) {
		struct file none = {.data = data};
		if (ops->release)
			ops->release(&none);
		return -ENFILE;
	}
	i->nlink = 1;
	i->poll_counts = 1;
	f->flags &= ~(u32)O_LARGEFILE;
	f->path = string_copy(name, __builtin_strlen(name));
	*out = f;
	s64 fd = fd_install(f, 0, (flags & O_CLOEXEC) != 0);
	if (fd < 0)
		file_put(f);
	return fd;
}

void file_get(struct file *f)
{
	f->refs++;
}

void file_put(struct file *f)
{
	exos_assert(f->refs > 0);
	if (--f->refs)
		return;
	if (!list_empty(&f->watchers))
		epoll_forget(f);
	if (inotify_watches())
		inotify_file(f, flags_write(f->flags) ? IN_CLOSE_WRITE : IN_CLOSE_NOWRITE);
	if (!list_empty(&f->inode->locks))
		flock_release(f);
	if (!list_empty(&f->inode->records))
		record_release(f->inode, f);
	if (f->ops->release)
		f->ops->release(f);
	if (S_ISREG(f->inode->mode) && flags_write(f->flags) && !(f->flags & O_PATH))
		f->inode->writers--;
	inode_put(f->inode);
	if (f->name)
		dentry_put(f->name);
	if (f->parent)
		inode_put(f->parent);
	kfree(f->path);
	file_free(f);
}

/* The path of a name that is gone, or of its directory as it was last called. */
static char *path_deleted(const struct file *f)
{
	static const char mark[] = " (deleted)";
	char *last = kmalloc(f->name->length + sizeof(mark)), *path = NULL;
	if (last) {
		__builtin_memcpy(last, f->name->name, f->name->length);
		__builtin_memcpy(last + f->name->length, mark, sizeof(mark));
		path = tree_path_of(f->parent, last, f->name->length + sizeof(mark) - 1);
	}
	kfree(last);
	return path;
}

char *file_path(struct file *f)
{
	if (!f->parent)
		return f->path ? string_copy(f->path, __builtin_strlen(f->path)) : NULL;
	if (!f->name)
		return tree_path_of(f->parent, "", 0);
	if (!list_empty(&f->name->link))
		return tree_path_of(f->parent, f->name->name, f->name->length);
	char *moved = f->inode->nlink ? tree_name_of(f->inode) : NULL;
	return moved ? moved : path_deleted(f);
}

/* What file_path needs to know. What is open without it has no path. */
static void file_place(struct file *f, const struct walk *w)
{
	if (w->dir->device != DEVICE_ROOT || (w->last_special && !S_ISDIR(w->inode->mode))) {
		f->path = walk_path(w);
		return;
	}
	f->parent = w->dir;
	inode_get(w->dir);
	f->name = w->last_special ? NULL : w->entry;
	if (f->name)
		f->name->refs++;
}

/* Sets the operations by the inode's kind. 0 or -E. */
static s64 open_kind(struct inode *i, struct file *f)
{
	if (i->ops && i->ops->open)
		return i->ops->open(i, f);
	switch (i->mode & S_IFMT) {
	case S_IFREG:
		f->ops = &file_regular_ops;
		i->writers += flags_write(f->flags) ? 1 : 0;
		return 0;
	case S_IFDIR:
		f->ops = &file_directory_ops;
		return 0;
	case S_IFIFO:
		return fifo_open(i, f);
	case S_IFCHR:
		return device_open(i, f);
	default:
		return -ENXIO;
	}
}

static const struct file_ops none_ops;

s64 file_open_inode(struct inode *i, u32 flags, struct file **out)
{
	struct file *f = file_create(i, flags, &none_ops, NULL);
	if (!f)
		return -ENOMEM;
	f->flags |= flags & O_NOCTTY;
	s64 error = open_kind(i, f);
	f->flags &= ~(u32)O_NOCTTY;
	file_quicken(f);
	if (error) {
		inode_put(i);
		file_free(f);
		return error;
	}
	*out = f;
	return 0;
}

/* Whether a process runs the program in i: its text may not be written. */
int inode_runs(const struct inode *i)
{
	int found = 0;
	if (!S_ISREG(i->mode) || !(i->mode & 0111))
		return 0;
	for (struct list *l = all_procs.next; !found && l != &all_procs; l = l->next) {
		const struct proc *p = container_of(l, struct proc, all);
		struct walk w;
		if (p->state == PROC_ZOMBIE || !p->exe ||
		    walk_string(&w, AT_FDCWD, p->exe, WALK_FOLLOW))
			continue;
		found = w.inode == i;
		walk_done(&w);
	}
	return found;
}

/* What must hold before an inode that was there may be opened. 0 or -E. */
static s64 open_check(struct inode *i, u32 flags)
{
	if (S_ISLNK(i->mode))
		return -ELOOP;
	if ((flags & O_DIRECTORY) && !S_ISDIR(i->mode))
		return -ENOTDIR;
	if (S_ISDIR(i->mode) && (flags_write(flags) || (flags & (O_CREAT | O_TRUNC))))
		return -EISDIR;
	u32 want = (flags_read(flags) ? R_OK : 0) |
		   (flags_write(flags) || (flags & O_TRUNC) ? W_OK : 0);
	s64 error = inode_permission(i, want);
	return error ? error : (want & W_OK) && inode_runs(i) ? -ETXTBSY : 0;
}

/* Makes the regular file that O_CREAT asks for. 0 or -E; *out is referenced. */
static s64 open_create(struct walk *w, u32 mode, struct inode **out)
{
	if (w->slash)
		return -EISDIR;
	if (w->dir->device != DEVICE_ROOT)
		return -EACCES;
	if (!w->dir->nlink)
		return -ENOENT;
	s64 error = inode_permission(w->dir, W_OK | X_OK);
	if (error)
		return error;
	struct inode *i =
		file_room(1) ? inode_create(S_IFREG | (mode & 07777 & ~current()->proc->fs->umask),
					    DEVICE_ROOT)
			     : NULL;
	if (!i)
		return -ENOSPC;
	w->entry = tree_add(w->dir, w->last, w->last_length, i);
	if (!w->entry) {
		inode_put(i);
		return -ENOSPC;
	}
	*out = i;
	return 0;
}

/* An inode that names a place only. */
static s64 open_path_only(struct walk *w, u32 flags, struct file **out)
{
	if ((flags & O_DIRECTORY) && !S_ISDIR(w->inode->mode))
		return -ENOTDIR;
	*out = file_create(w->inode, flags & (O_PATH | O_DIRECTORY | O_NOFOLLOW), &file_path_ops,
			   NULL);
	return *out ? 0 : -ENOMEM;
}

static s64 open_walked(struct walk *w, u32 flags, u32 mode, struct file **out)
{
	struct inode *made;
	s64 error = 0;
	if (flags & O_PATH)
		return open_path_only(w, flags, out);
	if (!w->inode) {
		error = open_create(w, mode, &made);
		if (error)
			return error;
		w->inode = made;
		inotify_name(w->dir, w->last, w->last_length, made, IN_CREATE, 0);
		return file_open_inode(w->inode, flags,
				       out); /* its mode does not bind who made it */
	}
	if ((flags & O_CREAT) && (flags & O_EXCL))
		return -EEXIST;
	error = open_check(w->inode, flags);
	if (!error)
		error = file_open_inode(w->inode, flags, out);
	if (!error && (flags & O_TRUNC) && S_ISREG(w->inode->mode) &&
	    w->inode->device == DEVICE_ROOT)
		error = inode_resize(w->inode, 0);
	if (!error && (flags & O_TRUNC))
		inode_unprivileged(w->inode);
	return error;
}

/* An unnamed file in a directory. */
static s64 open_tmpfile(struct walk *w, u32 flags, u32 mode, struct file **out)
{
	if (!S_ISDIR(w->inode->mode))
		return -ENOTDIR;
	if (w->inode->device != DEVICE_ROOT)
		return -EOPNOTSUPP;
	s64 error = inode_permission(w->inode, W_OK | X_OK);
	if (error)
		return error;
	struct inode *i =
		inode_create(S_IFREG | (mode & 07777 & ~current()->proc->fs->umask), DEVICE_ROOT);
	if (!i)
		return -ENOMEM;
	error = file_open_inode(i, flags, out);
	inode_put(i);
	return error;
}

static s64 open_file(s32 dir, u64 path, u32 flags, u32 mode, u32 walk, struct file **out)
{
	struct walk w;
	if (flags & O_PATH)
		flags &= O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	int tmpfile = (flags & O_TMPFILE) == O_TMPFILE;
	if (!(flags & O_NOFOLLOW) && !((flags & O_CREAT) && (flags & O_EXCL)))
		walk |= WALK_FOLLOW;
	if ((flags & O_CREAT) && !tmpfile)
		walk |= WALK_PARENT;
	if (tmpfile ? (flags & O_CREAT) || !flags_write(flags)
		    : (flags & O_CREAT) && (flags & O_DIRECTORY))
		return -EINVAL;
	s64 error = walk_user(&w, dir, path, walk);
	if (error)
		return error;
	int there = w.inode != NULL;
	error = tmpfile ? open_tmpfile(&w, flags, mode, out) : open_walked(&w, flags, mode, out);
	if (!error && !tmpfile)
		file_place(*out, &w);
	if (!error && inotify_watches())
		inotify_file(*out, IN_OPEN);
	if (!error && !tmpfile && there && (flags & O_TRUNC) && S_ISREG((*out)->inode->mode))
		inotify_file(*out, IN_MODIFY);
	walk_done(&w);
	return error;
}

static s64 open_fd(s32 dir, u64 path, u32 flags, u32 mode, u32 walk)
{
	struct file *f;
	s64 error = open_file(dir, path, flags, mode, walk, &f);
	if (error == -EINTR)
		return -ERESTARTSYS;
	if (error)
		return error;
	s64 fd = fd_install(f, 0, (flags & O_CLOEXEC) != 0);
	if (fd < 0)
		file_put(f);
	return fd;
}

/* A regular file or a directory that is there, opened as it is: the walk is a glance, and what it found is taken with the lock. */
static s64 open_quick(s32 dir, u64 path, u32 flags)
{
	struct walk w;
	struct glance g;
	struct file *f;
	if (flags & (O_CREAT | O_TRUNC | O_PATH) || (flags & O_TMPFILE) == O_TMPFILE)
		return QUICK_NO;
	s64 error = glance_walk(&w, &g, dir, path, flags & O_NOFOLLOW ? 0 : WALK_FOLLOW);
	if (error)
		return glance_walk_holds(&g) ? error : QUICK_NO;
	if (!lock_take(current()))
		return QUICK_NO;
	error = QUICK_NO;
	if (glance_walk_holds(&g) && !w.inode->ops &&
	    (S_ISREG(w.inode->mode) || S_ISDIR(w.inode->mode)))
		error = open_walked(&w, flags, 0, &f);
	if (!error) {
		file_place(f, &w);
		if (inotify_watches())
			inotify_file(f, IN_OPEN);
		error = fd_install(f, 0, (flags & O_CLOEXEC) != 0);
		if (error < 0)
			file_put(f);
	}
	lock_release();
	return error;
}

s64 quick_openat(u64 dir, u64 path, u64 flags, u64 mode, u64 e, u64 f)
{
	(void)e, (void)f;
	s64 fd = open_quick((s32)dir, path, (u32)flags);
	if (fd != QUICK_NO || !lock_take(current()))
		return fd;
	fd = open_fd((s32)dir, path, (u32)flags, (u32)mode, 0);
	lock_release();
	return fd;
}

s64 quick_open(u64 path, u64 flags, u64 mode, u64 d, u64 e, u64 f)
{
	(void)d;
	return quick_openat((u64)AT_FDCWD, path, flags, mode, e, f);
}

s64 sys_openat(u64 dir, u64 path, u64 flags, u64 mode)
{
	return open_fd((s32)dir, path, (u32)flags, (u32)mode, 0);
}

struct open_how {
	u64 flags, mode, resolve;
};
#define OPEN_FLAGS                                                                             \
	(O_ACCMODE | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_APPEND | O_NONBLOCK | O_SYNC |  \
	 O_ASYNC | O_DIRECT | O_LARGEFILE | O_DIRECTORY | O_NOFOLLOW | O_NOATIME | O_CLOEXEC | \
	 O_PATH | O_TMPFILE)

s64 sys_openat2(u64 dir, u64 path, u64 from, u64 bytes)
{
	struct open_how how = {.flags = 0};
	u8 more;
	if (bytes < sizeof(how))
		return -EINVAL;
	if (bytes > PAGE)
		return -E2BIG;
	if (copy_in(&how, from, sizeof(how)))
		return -EFAULT;
	for (u64 at = sizeof(how); at < bytes; at++)
		if (copy_in(&more, from + at, 1) || more)
			return -E2BIG;
	u32 flags = (u32)how.flags;
	int makes = flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE;
	if (how.flags & ~(u64)OPEN_FLAGS || how.mode & ~07777ul || (how.mode && !makes) ||
	    how.resolve & ~0x3ful)
		return -EINVAL;
	if ((how.resolve & 0x18) == 0x18)
		return -EINVAL; /* beneath a directory, and with it as the root */
	if (flags & O_PATH && flags & ~(u32)(O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC))
		return -EINVAL;
	if (how.resolve & 0x20 && (makes || flags & O_TRUNC))
		return -EAGAIN;
	return open_fd((s32)dir, path, flags, (u32)how.mode, (u32)how.resolve << 8);
}

s64 sys_open(u64 path, u64 flags, u64 mode)
{
	return sys_openat((u64)AT_FDCWD, path, flags, mode);
}

s64 sys_creat(u64 path, u64 mode)
{
	return sys_openat((u64)AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

/* The regular file at path (ExOS's own string), for exec, with its absolute path. 0 or -EACCES, -ENOENT, -ETXTBSY
 * and what a walk gives; *out is referenced and *absolute a new string. */
s64 inode_lookup_exec(const char *path, struct inode **out, char **absolute)
{
	struct walk w;
	s64 error = walk_string(&w, AT_FDCWD, path, WALK_FOLLOW);
	if (error)
		return error;
	if (!S_ISREG(w.inode->mode) || w.inode->device != DEVICE_ROOT)
		error = -EACCES;
	else
		error = inode_permission(w.inode, X_OK);
	if (!error && w.inode->writers)
		error = -ETXTBSY;
	if (!error) {
		*absolute = walk_path(&w);
		if (!*absolute)
			error = -ENOMEM;
	}
	if (!error) {
		inode_get(w.inode);
		*out = w.inode;
	}
	walk_done(&w);
	return error;
}

/* SPDX-License-Identifier: MIT
 * Descriptor tables, fcntl, and whole-file locks. */
#include "file_calls.h"
#include "glance.h"
#include "inode.h"
#include "record.h"

#define FD_TABLE_MAX 1048576u
#define SETFL_FLAGS (O_APPEND | O_NONBLOCK | O_ASYNC | O_DIRECT | O_NOATIME)

/* A flock of an open file on its inode. */
struct file_lock {
	struct list link;
	struct file *file;
	u32 exclusive;
};
static struct waitq lock_wait = {.sleepers = {&lock_wait.sleepers, &lock_wait.sleepers}};

struct files *files_create(void)
{
	struct files *files = kmalloc(sizeof(*files));
	if (files) {
		files->refs = 1;
		files->capacity = 64;
		files->slots = kmalloc(files->capacity * sizeof(*files->slots));
		if (!files->slots) {
			kfree(files);
			return NULL;
		}
	}
	return files;
}

/* A descriptor of the table leaves its file, for `to` or nothing: with it go the record locks that the table has there,
 * whatever else it has open of the same inode. */
static void slot_put(struct files *files, u32 fd, struct file *to)
{
	struct file *f = files->slots[fd].file;
	change_begin(&files->changes);
	files->slots[fd].file = to;
	change_end(&files->changes);
	if (!to)
		files->lowest = min(files->lowest, fd);
	if (!list_empty(&f->inode->records))
		record_release(f->inode, files);
	file_put(f);
}

/* A copy that shares the open files, for fork. NULL: no memory. */
struct files *files_clone(struct files *from)
{
	struct files *files = kmalloc(sizeof(*files));
	if (!files)
		return NULL;
	files->refs = 1;
	files->lowest = from->lowest;
	files->capacity = from->capacity;
	files->slots = kmalloc(files->capacity * sizeof(*files->slots));
	if (!files->slots) {
		kfree(files);
		return NULL;
	}
	files->top = from->top;
	for (u32 i = 0; i < files->top; i++) {
		files->slots[i] = from->slots[i];
		if (files->slots[i].file)
			file_get(files->slots[i].file);
	}
	return files;
}

void files_put(struct files *files)
{
	if (--files->refs)
		return;
	for (u32 i = 0; i < files->top; i++)
		if (files->slots[i].file)
			slot_put(files, i, NULL);
	kfree(files->slots);
	kfree(files);
}

void files_close_on_exec(struct files *files)
{
	for (u32 i = 0; i < files->top; i++)
		if (files->slots[i].file && files->slots[i].cloexec)
			slot_put(files, i, NULL);
}

struct fsinfo *fsinfo_create(void)
{
	struct fsinfo *fs = kmalloc(sizeof(*fs));
	if (fs) {
		fs->refs = 1;
		fs->umask = 022;
		fs->cwd = root_inode; /* the first process's comes with files_boot */
		if (root_inode)
			inode_get(root_inode);
	}
	return fs;
}

struct fsinfo *fsinfo_clone(struct fsinfo *from)
{
	struct fsinfo *fs = kmalloc(sizeof(*fs));
	if (fs) {
		fs->refs = 1;
		fs->umask = from->umask;
		fs->cwd = from->cwd;
		inode_get(fs->cwd);
		fs->root = from->root;
		if (fs->root)
			inode_get(fs->root);
	}
	return fs;
}

void fsinfo_put(struct fsinfo *fs)
{
	if (--fs->refs)
		return;
	if (fs->cwd)
		inode_put(fs->cwd);
	if (fs->root)
		inode_put(fs->root);
	kfree(fs);
}

/* The open file behind a descriptor of a table; NULL: none. No reference. */
struct file *files_file(struct files *files, u32 fd)
{
	return fd < files->capacity ? files->slots[fd].file : NULL;
}

struct file *fd_file(u32 fd)
{
	return files_file(current()->proc->files, fd);
}

static s64 files_grow(struct files *files, u32 need)
{
	u32 n = files->capacity;
	while (n <= need)
		n *= 2;
	struct fd_slot *slots = kmalloc(n * sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	__builtin_memcpy(slots, files->slots, files->capacity * sizeof(*slots));
	struct fd_slot *old = files->slots;
	change_begin(&files->changes);
	files->slots = slots;
	files->capacity = n;
	change_end(&files->changes);
	kfree(old);
	return 0;
}

static u32 fd_limit(void)
{
	return (u32)min(current()->proc->limit_cur[RLIMIT_NOFILE], (u64)FD_TABLE_MAX);
}

s64 fd_install(struct file *f, u32 from, int cloexec)
{
	struct files *files = current()->proc->files;
	u32 limit = fd_limit(), fd = max(from, files->lowest);
	while (fd < files->capacity && files->slots[fd].file)
		fd++;
	if (fd >= limit)
		return -EMFILE;
	if (fd >= files->capacity && files_grow(files, fd))
		return -ENOMEM;
	files->slots[fd].file = f;
	files->slots[fd].cloexec = cloexec != 0;
	files->top = max(files->top, fd + 1);
	if (from <= files->lowest)
		files->lowest = fd + 1;
	return fd;
}

s64 sys_close(u64 fd)
{
	if (!fd_file((u32)fd))
		return -EBADF;
	slot_put(current()->proc->files, (u32)fd, NULL);
	return 0;
}

s64 sys_close_range(u64 first, u64 last, u64 flags)
{
	struct proc *p = current()->proc;
	u32 from = (u32)first, to = (u32)last;
	if (flags & ~6ul)
		return -EINVAL;
	if (from > to)
		return -EINVAL;
	if (flags & 2 && p->files->refs > 1) {
		struct files *own = files_clone(p->files);
		if (!own)
			return -ENOMEM;
		files_put(p->files);
		p->files = own;
	} else if (flags & 2 && p->nthreads > 1) {
		return -EINVAL; /* threads of one process have one table */
	}
	struct files *files = p->files;
	for (u32 fd = from; fd < files->capacity && fd <= to; fd++) {
		if (!files->slots[fd].file)
			continue;
		if (flags & 4)
			files->slots[fd].cloexec = 1;
		else
			sys_close(fd);
	}
	return 0;
}

s64 sys_dup(u64 fd)
{
	struct file *f = fd_file((u32)fd);
	if (!f)
		return -EBADF;
	s64 result = fd_install(f, 0, 0);
	if (result >= 0)
		file_get(f);
	return result;
}

static s64 dup_to(struct file *f, u32 to, int cloexec)
{
	struct files *files = current()->proc->files;
	if (to >= fd_limit())
		return -EBADF;
	if (to >= files->capacity && files_grow(files, to))
		return -ENOMEM;
	file_get(f);
	files->slots[to].cloexec = cloexec != 0;
	files->top = max(files->top, to + 1);
	if (files->slots[to].file)
		slot_put(files, to, f);
	else
		files->slots[to].file = f;
	return to;
}

s64 sys_dup2(u64 fd, u64 to)
{
	struct file *f = fd_file((u32)fd);
	if (!f)
		return -EBADF;
	return (u32)fd == (u32)to ? (s64)(u32)fd : dup_to(f, (u32)to, 0);
}

s64 sys_dup3(u64 fd, u64 to, u64 flags)
{
	if (flags & ~(u64)O_CLOEXEC)
		return -EINVAL;
	if ((u32)fd == (u32)to)
		return -EINVAL;
	struct file *f = fd_file((u32)fd);
	return f ? dup_to(f, (u32)to, (flags & O_CLOEXEC) != 0) : -EBADF;
}

static s64 fcntl_dup(struct file *f, u64 from, int cloexec)
{
	if (from >= fd_limit())
		return -EINVAL;
	s64 result = fd_install(f, (u32)from, cloexec);
	if (result >= 0)
		file_get(f);
	return result;
}

static s64 fcntl_pipe(struct file *f, u64 command, u64 arg)
{
	if (f->ops != &pipe_ops)
		return -EBADF;
	struct pipe *p = f->data;
	if (command == F_GETPIPE_SZ)
		return (s64)(p->npages * PAGE);
	return pipe_set_size(p, (u32)arg);
}

s64 sys_fcntl(u64 fd, u64 command, u64 arg)
{
	struct file *f = fd_file((u32)fd);
	struct fd_slot *slot;
	if (!f)
		return -EBADF;
	slot = &current()->proc->files->slots[(u32)fd];
	if ((f->flags & O_PATH) && command != F_DUPFD && command != F_DUPFD_CLOEXEC &&
	    command != F_GETFD && command != F_SETFD && command != F_GETFL)
		return -EBADF;
	switch ((u32)command) {
	case F_DUPFD:
		return fcntl_dup(f, (u32)arg, 0);
	case F_DUPFD_CLOEXEC:
		return fcntl_dup(f, (u32)arg, 1);
	case F_GETFD:
		return slot->cloexec ? FD_CLOEXEC : 0;
	case F_SETFD:
		slot->cloexec = (arg & FD_CLOEXEC) != 0;
		return 0;
	case F_GETFL:
		return f->flags;
	case F_SETFL:
		if (arg & (O_ASYNC | O_DIRECT) & ~(u64)f->flags)
			return -EINVAL;
		f->flags = (f->flags & ~(u32)SETFL_FLAGS) | ((u32)arg & SETFL_FLAGS);
		return 0;
	case F_GETLK:
	case F_SETLK:
	case F_SETLKW:
	case F_OFD_GETLK:
	case F_OFD_SETLK:
	case F_OFD_SETLKW:
		return record_fcntl(f, (u32)command, arg);
	case F_ADD_SEALS:
		return seals_add(f, arg);
	case F_GET_SEALS:
		return seals_get(f);
	case F_SETPIPE_SZ:
	case F_GETPIPE_SZ:
		return fcntl_pipe(f, command, arg);
	default:
		return -EINVAL;
	}
}

static struct file_lock *lock_of(struct file *f)
{
	struct list *head = &f->inode->locks;
	for (struct list *l = head->next; l != head; l = l->next) {
		struct file_lock *k = container_of(l, struct file_lock, link);
		if (k->file == f)
			return k;
	}
	return NULL;
}

static int lock_conflicts(struct file *f, u32 exclusive)
{
	struct list *head = &f->inode->locks;
	for (struct list *l = head->next; l != head; l = l->next) {
		struct file_lock *k = container_of(l, struct file_lock, link);
		if (k->file != f && (exclusive || k->exclusive))
			return 1;
	}
	return 0;
}

/* Gives up the file's lock, if it has one. */
void flock_release(struct file *f)
{
	struct file_lock *k = lock_of(f);
	if (!k)
		return;
	list_del(&k->link);
	kfree(k);
	wake_all(&lock_wait);
}

s64 sys_flock(u64 fd, u64 operation)
{
	struct file *f = fd_file((u32)fd);
	u32 kind = (u32)operation & ~(u32)LOCK_NB;
	if (kind != LOCK_SH && kind != LOCK_EX && kind != LOCK_UN)
		return -EINVAL;
	if (!f || (f->flags & O_PATH))
		return -EBADF;
	if (kind == LOCK_UN) {
		flock_release(f);
		return 0;
	}
	/* A conversion may lose the lock that was held, as Linux's does. */
	flock_release(f);
	struct file_lock *k = kmalloc(sizeof(*k));
	if (!k)
		return -ENOMEM;
	file_get(f);
	s64 error = 0;
	while (!error && lock_conflicts(f, kind == LOCK_EX)) {
		if (operation & LOCK_NB)
			error = -EAGAIN;
		else
			error = sleep_on(&lock_wait, 0, 1) == -EINTR ? -ERESTARTSYS : 0;
	}
	if (error) {
		kfree(k);
	} else {
		flock_release(
			f); /* another thread's, which slept beside this one: a file has one */
		k->file = f;
		k->exclusive = kind == LOCK_EX;
		list_add_tail(&f->inode->locks, &k->link);
	}
	file_put(f);
	return error;
}

/* SPDX-License-Identifier: MIT
 * /proc as a tree: inodes are made when they are looked up and go when nobody holds them. */
#include "procfs.h"
#include "pidfd.h"
#include "proc.h"
#include <core/print.h>

static const struct inode_ops proc_ops;

/* The process of a number, which may be that of a thread of its. */
static struct proc *proc_of(u32 number)
{
	const struct thread *t = thread_find(number);
	return t ? t->proc : proc_find(number);
}

/* A made inode. Its number tells what it is: names of a process, and its descriptors, keep theirs. */
static s64 make(struct inode *parent, const char *name, u32 kind, u32 mode, u32 pid, u64 key,
		struct inode **out)
{
	struct inode *i = kmalloc(sizeof(*i));
	char *copy = string_copy(name, __builtin_strlen(name));
	struct proc *p = pid ? proc_of(pid) : NULL;
	if (!i || !copy) {
		kfree(i);
		kfree(copy);
		return -ENOMEM;
	}
	i->refs = 1;
	i->mode = mode;
	i->nlink = S_ISDIR(mode) ? 2 : 1;
	i->device = DEVICE_PROC;
	i->uid = p ? p->euid : 0;
	i->gid = p ? p->egid : 0;
	i->ino = 1ul << 40 | (u64)pid << 16 | (u64)kind << 12 | ((key ^ key >> 12) & 0xfff);
	i->atime = i->mtime = i->ctime = realtime_ns();
	i->ops = &proc_ops;
	list_init(&i->locks);
	list_init(&i->records);
	i->proc.kind = kind;
	i->proc.pid = pid;
	i->proc.key = key;
	i->proc.name = copy;
	i->proc.parent = parent;
	inode_get(parent);
	*out = i;
	return 0;
}

static void proc_inode_free(struct inode *i)
{
	inode_put(i->proc.parent);
	kfree((void *)i->proc.name);
}

/* A decimal number without leading zeros; -1: it is none. */
static s64 number_of(const char *name, u32 length)
{
	s64 n = 0;
	if (!length || length > 9 || (name[0] == '0' && length > 1))
		return -1;
	for (u32 i = 0; i < length; i++) {
		if (name[i] < '0' || name[i] > '9')
			return -1;
		n = n * 10 + (name[i] - '0');
	}
	return n;
}

/* The names that a directory has; NULL: it has numbers alone. */
static const struct proc_dir *names_of(const struct inode *dir)
{
	switch (dir->proc.kind) {
	case KIND_ROOT:
		return &proc_root_dir;
	case KIND_PROCESS:
		return &proc_process_dir;
	case KIND_DIR:
		return ((const struct proc_name *)dir->proc.key)->dir;
	default:
		return NULL;
	}
}

static s64 lookup_name(struct inode *dir, const char *name, u32 length, struct inode **out)
{
	const struct proc_dir *names = names_of(dir);
	for (u32 i = 0; i < names->count; i++) {
		const struct proc_name *n = &names->names[i];
		if (__builtin_strlen(n->name) == length && !__builtin_memcmp(n->name, name, length))
			return make(dir, n->name, n->kind, n->mode, dir->proc.pid, (u64)n, out);
	}
	return -ENOENT;
}

static s64 lookup_number(struct inode *dir, u32 n, u32 kind, u32 mode, u64 key, struct inode **out)
{
	char text[16];
	core_format(text, sizeof(text), "%u", n);
	return make(dir, text, kind, mode, kind == KIND_PROCESS ? n : dir->proc.pid, key, out);
}

static s64 proc_lookup(struct inode *dir, const char *name, u32 length, struct inode **out)
{
	s64 n = number_of(name, length);
	struct proc *p = dir->proc.pid ? proc_of(dir->proc.pid) : NULL;
	switch (dir->proc.kind) {
	case KIND_ROOT:
		if (n < 0)
			return lookup_name(dir, name, length, out);
		if (!proc_of((u32)n))
			return -ENOENT;
		return lookup_number(dir, (u32)n, KIND_PROCESS, S_IFDIR | 0555, 0, out);
	case KIND_PROCESS:
		return p ? lookup_name(dir, name, length, out) : -ENOENT;
	case KIND_DIR:
		return lookup_name(dir, name, length, out);
	case KIND_FD:
	case KIND_FDINFO:
		if (!p || !p->files || n < 0 || !files_file(p->files, (u32)n))
			return -ENOENT;
		if (dir->proc.kind == KIND_FD)
			return lookup_number(dir, (u32)n, KIND_FD_LINK, S_IFLNK | 0700, (u64)n,
					     out);
		return lookup_number(dir, (u32)n, KIND_FDINFO_TEXT, S_IFREG | 0444, (u64)n, out);
	case KIND_TASK:
		if (!p || n < 0 || !thread_find((u32)n) || proc_of((u32)n) != p)
			return -ENOENT;
		return lookup_number(dir, (u32)n, KIND_PROCESS, S_IFDIR | 0555, 0, out);
	default:
		return -ENOTDIR;
	}
}

/* The n-th entry of a directory behind "." and ".."; 0: there is none. Numbers are pids or descriptors + 1. */
static u32 next_number(struct inode *dir, u64 from)
{
	u32 best = 0;
	if (dir->proc.kind == KIND_FD || dir->proc.kind == KIND_FDINFO) {
		struct proc *p = proc_of(dir->proc.pid);
		for (u64 fd = from; p && p->files && fd < p->files->capacity; fd++)
			if (files_file(p->files, (u32)fd))
				return (u32)fd + 1;
		return 0;
	}
	if (dir->proc.kind == KIND_TASK) {
		struct proc *p = proc_of(dir->proc.pid);
		for (struct list *l = p ? p->threads.next : NULL; l && l != &p->threads;
		     l = l->next) {
			u32 tid = container_of(l, struct thread, sibling)->tid;
			if (tid > from && (!best || tid < best))
				best = tid;
		}
		return best;
	}
	for (struct list *l = all_procs.next; dir->proc.kind == KIND_ROOT && l != &all_procs;
	     l = l->next) {
		struct proc *p = container_of(l, struct proc, all);
		if (p->pid > from && (!best || p->pid < best))
			best = p->pid;
	}
	return best;
}

#define NUMBERS 4096ul /* cookies from here on are numbers */

static s64 emit_names(struct file *f, const struct proc_dir *names, u64 to, usize bytes)
{
	u64 used = 0, count = names ? names->count : 0;
	while (f->offset < count + 2u) {
		u64 at = f->offset;
		const struct proc_name *n = at < 2 ? NULL : &names->names[at - 2];
		const char *name = n ? n->name : "..";
		u32 length = n ? (u32)__builtin_strlen(name) : (u32)at + 1;
		u32 type = n ? (n->mode & S_IFMT) >> 12 : DT_DIR;
		s64 wrote = dirent_emit(to + used, bytes - used, f->inode->ino + at, at + 1, type,
					name, length);
		if (wrote <= 0)
			return used ? (s64)used : wrote ? wrote : -EINVAL;
		used += (u64)wrote;
		f->offset++;
	}
	if (f->offset < NUMBERS)
		f->offset = NUMBERS;
	return (s64)used;
}

static s64 proc_readdir(struct file *f, u64 to, usize bytes)
{
	struct inode *dir = f->inode;
	u32 kind = dir->proc.kind;
	int fds = kind == KIND_FD || kind == KIND_FDINFO;
	u32 type = kind == KIND_FD ? DT_LNK : kind == KIND_FDINFO ? DT_REG : DT_DIR;
	u64 used = 0;
	if (dir->proc.pid && !proc_of(dir->proc.pid))
		return -ENOENT;
	if (f->offset < NUMBERS) {
		s64 n = emit_names(f, names_of(dir), to, bytes);
		if (n < 0 || f->offset < NUMBERS)
			return n;
		used = (u64)n;
	}
	for (u32 next; (next = next_number(dir, f->offset - NUMBERS)) != 0;
	     f->offset = NUMBERS + next) {
		char name[16];
		u32 length = (u32)core_format(name, sizeof(name), "%u", fds ? next - 1 : next);
		s64 n = dirent_emit(to + used, bytes - used, dir->ino + next, NUMBERS + next, type,
				    name, length);
		if (n < 0)
			return used ? (s64)used : n;
		if (n == 0)
			return used ? (s64)used : -EINVAL;
		used += (u64)n;
	}
	return (s64)used;
}

static s64 copy_name(char *to, usize bytes, const char *name)
{
	usize n = min(__builtin_strlen(name), bytes);
	__builtin_memcpy(to, name, n);
	return (s64)n;
}

static s64 proc_readlink(struct inode *link, char *to, usize bytes)
{
	char number[40];
	struct proc *p = link->proc.pid ? proc_of(link->proc.pid) : NULL;
	if (p && !proc_may_look(p))
		return -EACCES;
	switch (link->proc.kind) {
	case KIND_SELF:
		core_format(number, sizeof(number), "%u", current()->proc->pid);
		return copy_name(to, bytes, number);
	case KIND_THREAD_SELF:
		core_format(number, sizeof(number), "%u/task/%u", current()->proc->pid,
			    current()->tid);
		return copy_name(to, bytes, number);
	case KIND_MOUNTS:
		return copy_name(to, bytes, "self/mounts");
	case KIND_ROOT_LINK:
		return copy_name(to, bytes, "/");
	case KIND_EXE:
		return p && p->exe ? copy_name(to, bytes, p->exe) : -ENOENT;
	case KIND_CWD:
		return p && p->fs ? tree_path(p->fs->cwd, to, bytes) : -ENOENT;
	case KIND_FD_LINK:
		return p ? proc_fd_name(p, (u32)link->proc.key, to, bytes) : -ENOENT;
	default:
		return -EINVAL;
	}
}

/* Where a link leads: to an open file's inode, or along the name that it shows. exe must be of the latter: exec
 * makes the name it found the process's next exe. */
static s64 proc_follow(struct inode *link, struct inode **out)
{
	struct proc *p = link->proc.pid ? proc_of(link->proc.pid) : NULL;
	struct inode *to = NULL;
	*out = NULL;
	if (p && !proc_may_look(p))
		return -EACCES;
	if (link->proc.kind == KIND_FD_LINK) {
		struct file *f = p && p->files ? files_file(p->files, (u32)link->proc.key) : NULL;
		to = f ? f->inode : NULL;
	} else if (link->proc.kind == KIND_CWD) {
		to = p && p->fs ? p->fs->cwd : NULL;
	} else if (link->proc.kind == KIND_ROOT_LINK) {
		to = p && p->fs && p->fs->root ? p->fs->root : root_inode;
	} else {
		return 0;
	}
	if (!to)
		return -ENOENT;
	inode_get(to);
	*out = to;
	return 0;
}

static void text_drop(struct proc_text *t)
{
	kfree(t->bytes);
	t->bytes = NULL;
	t->length = t->capacity = 0;
	t->failed = 0;
}

/* A text is made when it is read from its beginning, and stays as it was then: who keeps it open and reads it again finds
 * what is true again. -ESRCH: the process is gone. */
static s64 text_read(struct file *f, u64 to, usize bytes, u64 *offset)
{
	struct proc_text *t = f->data;
	if (!*offset) {
		struct proc *p = t->tid ? proc_of(t->tid) : NULL;
		if (t->tid && !p)
			return -ESRCH;
		text_drop(t);
		t->name->text(t, p);
		if (t->failed)
			return -ENOMEM;
	}
	if (*offset >= t->length)
		return 0;
	bytes = min(bytes, t->length - *offset);
	if (io_out(to, t->bytes + *offset, bytes))
		return -EFAULT;
	*offset += bytes;
	return (s64)bytes;
}

static s64 text_seek(struct file *f, s64 offset, u32 whence)
{
	if (whence == SEEK_CUR)
		offset += (s64)f->offset;
	else if (whence != SEEK_SET)
		return -EINVAL;
	if (offset < 0)
		return -EINVAL;
	f->offset = (u64)offset;
	return offset;
}

static void text_release(struct file *f)
{
	text_drop(f->data);
	kfree(f->data);
}

/* The name of a thread of the caller's own process, which is all that can be written here. */
static s64 comm_write(struct file *f, u64 from, usize bytes, u64 *offset)
{
	const struct proc_text *text = f->data;
	struct thread *t = thread_find(text->tid);
	char name[sizeof(t->comm)] = {0};
	(void)offset;
	if (!t || t->proc != current()->proc)
		return -EINVAL;
	if (copy_in(name, from, min(bytes, sizeof(name) - 1)))
		return -EFAULT;
	__builtin_memcpy(t->comm, name, sizeof(name));
	if (t->tid == t->proc->pid)
		__builtin_memcpy(t->proc->comm, name, sizeof(name));
	return (s64)bytes;
}

static const struct file_ops comm_ops = {
	.read = text_read, .write = comm_write, .seek = text_seek, .release = text_release};
static const struct file_ops text_ops = {
	.read = text_read, .seek = text_seek, .release = text_release};
static const struct file_ops directory_ops = {.readdir = proc_readdir, .seek = text_seek};

static s64 proc_open(struct inode *i, struct file *f)
{
	if (S_ISDIR(i->mode)) {
		f->ops = &directory_ops;
		return 0;
	}
	const struct proc_name *name = i->proc.kind == KIND_FDINFO_TEXT
					       ? &proc_fdinfo_name
					       : (const struct proc_name *)i->proc.key;
	int comm = name->text == proc_text_comm;
	if ((f->flags & O_ACCMODE) != O_RDONLY && !comm)
		return -EACCES;
	const struct proc *p = i->proc.pid ? proc_of(i->proc.pid) : NULL;
	if (i->proc.pid && !p)
		return -ESRCH;
	if (name->value && p && !proc_may_look(p))
		return -EACCES;
	struct proc_text *t = kmalloc(sizeof(*t));
	if (!t)
		return -ENOMEM;
	t->tid = i->proc.pid;
	t->name = name;
	t->key = i->proc.key;
	f->data = t;
	f->ops = comm ? &comm_ops : &text_ops;
	return 0;
}

u32 proc_directory_pid(const struct inode *i)
{
	return i->ops == &proc_ops && i->proc.kind == KIND_PROCESS ? i->proc.pid : 0;
}

static const struct inode_ops proc_ops = {.lookup = proc_lookup,
					  .readlink = proc_readlink,
					  .follow = proc_follow,
					  .open = proc_open,
					  .free = proc_inode_free};

/* Puts a tree at a name in the root, over what the archive has there. */
static void tree_mount(struct inode *root, const char *name, u32 kind, u64 key)
{
	u32 length = (u32)__builtin_strlen(name);
	struct dentry *old = tree_find(root, name, length);
	struct inode *i;
	if (old)
		tree_remove(old);
	if (make(root, name, kind, S_IFDIR | 0555, 0, key, &i))
		exos_panic("exos: no memory for /%s", name);
	i->ino = (1ul << 40) + key % 0xffffff;
	i->nlink = 0; /* its name counts */
	if (!tree_add(root, name, length, i))
		exos_panic("exos: no memory for /%s", name);
}

void proc_mount(struct inode *root)
{
	tree_mount(root, "proc", KIND_ROOT, 0);
	tree_mount(root, "sys", KIND_DIR, (u64)&proc_sysfs_name);
}

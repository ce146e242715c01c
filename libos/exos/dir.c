/* SPDX-License-Identifier: MIT
 * Directories: listing, the working directory, and making and removing names. */
#include "caps.h"
#include "file_calls.h"
#include "glance.h"
#include "inode.h"
#include "inotify.h"

s64 dirent_emit(u64 to, usize room, u64 ino, u64 next, u32 type, const char *name, u32 length)
{
	u8 record[sizeof(struct linux_dirent64) + NAME_MAX + 9];
	struct linux_dirent64 *d = (struct linux_dirent64 *)record;
	u32 bytes = DIRENT_BYTES(length);
	if (bytes > room)
		return 0;
	__builtin_memset(record, 0, bytes);
	d->ino = ino;
	d->off = (s64)next;
	d->reclen = (u16)bytes;
	d->type = (u8)type;
	__builtin_memcpy(d->name, name, length);
	return io_out(to, record, bytes) ? -EFAULT : (s64)bytes;
}

/* Appends "." and "..", whose cookies are 0 and 1. Bytes, 0 when full, -EFAULT. */
static s64 emit_dots(const struct inode *dir, u64 *at, u64 to, usize bytes)
{
	const struct inode *parent = dir->dir.parent ? dir->dir.parent : dir;
	u64 used = 0;
	for (; *at < 2; ++*at) {
		u64 ino = *at ? parent->ino : dir->ino;
		s64 n = dirent_emit(to + used, bytes - used, ino, *at + 1, DT_DIR, "..",
				    (u32)*at + 1);
		if (n <= 0)
			return used ? (s64)used : n;
		used += (u64)n;
	}
	return (s64)used;
}

static s64 readdir_from(struct inode *dir, u64 *at, u64 to, usize bytes)
{
	struct list *head = &dir->dir.entries;
	int dots = *at < 2;
	s64 n = emit_dots(dir, at, to, bytes);
	u64 used = n > 0 ? (u64)n : 0;
	if (*at < 2)
		return n == 0 && dots ? -EINVAL : n;
	struct dentry *from = dir->dir.cursor; /* cookies grow along the list */
	struct list *l = from && from->cookie <= *at ? from->link.next : head->next;
	for (; l != head; l = l->next) {
		struct dentry *d = container_of(l, struct dentry, link);
		if (d->cookie <= *at)
			continue;
		n = dirent_emit(to + used, bytes - used, d->inode->ino, d->cookie,
				(d->inode->mode & S_IFMT) >> 12, d->name, d->length);
		if (n < 0)
			return used ? (s64)used : n;
		if (n == 0)
			return used ? (s64)used : -EINVAL;
		used += (u64)n;
		*at = d->cookie;
		dir->dir.cursor = d;
	}
	return (s64)used;
}

static s64 directory_readdir(struct file *f, u64 to, usize bytes)
{
	u64 at = file_offset_take(f);
	s64 n = readdir_from(f->inode, &at, to, bytes);
	file_offset_set(f, at);
	return n;
}

static s64 directory_seek(struct file *f, s64 offset, u32 whence)
{
	if (whence == SEEK_CUR)
		offset += (s64)file_offset(f);
	else if (whence != SEEK_SET)
		return -EINVAL;
	if (offset < 0)
		return -EINVAL;
	file_offset_set(f, (u64)offset);
	return offset;
}

const struct file_ops file_directory_ops = {.readdir = directory_readdir, .seek = directory_seek};

s64 sys_getdents64(u64 fd, u64 to, u64 bytes)
{
	struct file *f = fd_file((u32)fd);
	if (!f || (f->flags & O_PATH))
		return -EBADF;
	if (!f->ops->readdir)
		return -ENOTDIR;
	bytes = (u32)bytes;
	if (!user_range(to, bytes))
		return -EFAULT;
	if (f->inode->device == DEVICE_ROOT && !f->inode->nlink)
		return -ENOENT;
	s64 n = f->ops->readdir(f, to, bytes);
	if (n >= 0)
		inotify_file(f, IN_ACCESS);
	return n;
}

/* The old record: type in the last byte, name from byte 18. Made from the new ones in a buffer. */
s64 sys_getdents(u64 fd, u64 to, u64 bytes)
{
	struct file *f = fd_file((u32)fd);
	if (!f || (f->flags & O_PATH))
		return -EBADF;
	if (!f->ops->readdir)
		return -ENOTDIR;
	bytes = min((u64)(u32)bytes, 65536ul);
	if (!user_range(to, bytes))
		return -EFAULT;
	u8 *buffer = kmalloc(bytes + 8);
	if (!buffer)
		return -ENOMEM;
	u64 start = file_offset(f);
	s64 n = f->ops->readdir(f, (u64)buffer, bytes);
	for (s64 at = 0; at < n;) {
		struct linux_dirent64 *d = (struct linux_dirent64 *)(buffer + at);
		u16 length = d->reclen;
		u8 type = d->type;
		/* a record has the type's byte and a NUL before its name, or two NULs and the type behind */
		__builtin_memmove((u8 *)d + 18, d->name, length - 19u);
		((u8 *)d)[length - 1] = type;
		at += length;
	}
	if (n > 0 && copy_out(to, buffer, (usize)n)) {
		file_offset_set(f, start);
		n = -EFAULT;
	}
	kfree(buffer);
	return n;
}

s64 sys_getcwd(u64 to, u64 bytes)
{
	char *path = page_alloc(0);
	if (!path)
		return -ENOMEM;
	s64 n = tree_path(current()->proc->fs->cwd, path, PATH_MAX);
	if (n == -ERANGE)
		n = -ENAMETOOLONG;
	if (n >= 0) {
		if ((u64)n + 1 > bytes)
			n = -ERANGE;
		else
			n = copy_out(to, path, (usize)n + 1) ? -EFAULT : n + 1;
	}
	page_put(path);
	return n;
}

/* Makes a directory (it is referenced by the caller) the working directory. */
static s64 change_to(struct inode *dir)
{
	struct fsinfo *fs = current()->proc->fs;
	if (!S_ISDIR(dir->mode))
		return -ENOTDIR;
	s64 error = inode_permission(dir, X_OK);
	if (error)
		return error;
	struct inode *before = fs->cwd;
	inode_get(dir);
	u32 within = tree_change_begin(); /* glances of other threads may begin at the old one */
	fs->cwd = dir;
	tree_change_end(within);
	inode_put(before);
	return 0;
}

s64 sys_chdir(u64 path)
{
	struct walk w;
	s64 error = walk_user(&w, AT_FDCWD, path, WALK_FOLLOW);
	if (error)
		return error;
	error = change_to(w.inode);
	walk_done(&w);
	return error;
}

s64 sys_fchdir(u64 fd)
{
	struct file *f = fd_file((u32)fd);
	return f ? change_to(f->inode) : -EBADF;
}

/* "/" is another directory for the process from now on. Who is in another stays there. */
s64 sys_chroot(u64 path)
{
	struct fsinfo *fs = current()->proc->fs;
	struct walk w;
	s64 error = walk_user(&w, AT_FDCWD, path, WALK_FOLLOW);
	if (error)
		return error;
	if (!S_ISDIR(w.inode->mode))
		error = -ENOTDIR;
	if (!error)
		error = inode_permission(w.inode, X_OK);
	if (!error && !capable(CAP_SYS_CHROOT))
		error = -EPERM;
	if (!error) {
		struct inode *before = fs->root;
		inode_get(w.inode);
		fs->root = w.inode == root_inode ? NULL : w.inode;
		if (!fs->root)
			inode_put(w.inode);
		if (before)
			inode_put(before);
	}
	walk_done(&w);
	return error;
}

s64 sys_umask(u64 mask)
{
	struct fsinfo *fs = current()->proc->fs;
	u32 old = fs->umask;
	fs->umask = (u32)mask & 0777;
	return old;
}

/* Whether a new name may be where w leads. 0, or what stands against it in Linux's order, and w is done. */
static s64 walk_new_check(struct walk *w, int directory)
{
	s64 error;
	if (w->inode)
		error = -EEXIST;
	else if (w->late)
		error = w->late;
	else if (w->slash && !directory)
		error = -ENOENT;
	else if (w->dir->device != DEVICE_ROOT)
		error = w->dir->device == DEVICE_PROC ? -ENOENT : -EPERM;
	else if (!w->dir->nlink)
		error = -ENOENT;
	else
		error = inode_permission(w->dir, W_OK | X_OK);
	if (error)
		walk_done(w);
	return error;
}

static s64 walk_new(struct walk *w, s32 dir, u64 path, int directory)
{
	s64 error = walk_user(w, dir, path, WALK_NAME);
	return error ? error : walk_new_check(w, directory);
}

/* Makes an inode under the new name that w found. 0 or -E; *out is held by its name. */
static s64 make_name(struct walk *w, u32 mode, struct inode **out)
{
	struct inode *i = file_room(1) ? inode_create(mode, DEVICE_ROOT) : NULL;
	if (!i)
		return -ENOSPC;
	struct dentry *d = tree_add(w->dir, w->last, w->last_length, i);
	if (d)
		inotify_name(w->dir, w->last, w->last_length, i, IN_CREATE, 0);
	inode_put(i);
	*out = i;
	return d ? 0 : -ENOSPC;
}

s64 socket_name_make(const char *path, struct inode **out)
{
	struct walk w;
	struct inode *made; /* what could not be named is gone */
	s64 error = walk_string(&w, AT_FDCWD, path, WALK_NAME);
	if (!error)
		error = walk_new_check(&w, 0);
	if (error)
		return error;
	error = make_name(&w, S_IFSOCK | (0777 & ~current()->proc->fs->umask), &made);
	walk_done(&w);
	if (error)
		return error;
	inode_get(made);
	*out = made;
	return 0;
}

s64 sys_mkdirat(u64 dir, u64 path, u64 mode)
{
	struct walk w;
	struct inode *made;
	s64 error = walk_new(&w, (s32)dir, path, 1);
	if (error)
		return error;
	u32 bits = (u32)mode & 01777 & ~current()->proc->fs->umask;
	error = make_name(&w, S_IFDIR | bits | (w.dir->mode & S_ISGID), &made);
	walk_done(&w);
	return error;
}

s64 sys_mkdir(u64 path, u64 mode)
{
	return sys_mkdirat((u64)AT_FDCWD, path, mode);
}

s64 sys_mknodat(u64 dir, u64 path, u64 mode, u64 dev)
{
	struct walk w;
	struct inode *made;
	u32 kind = (u32)mode & S_IFMT;
	if (kind == S_IFDIR)
		return -EPERM;
	if (kind == 0)
		kind = S_IFREG;
	if (kind != S_IFREG && kind != S_IFIFO && kind != S_IFCHR)
		return kind == S_IFBLK || kind == S_IFSOCK ? -EPERM : -EINVAL;
	if (kind == S_IFCHR && !capable(CAP_MKNOD))
		return -EPERM;
	s64 error = walk_new(&w, (s32)dir, path, 0);
	if (error)
		return error;
	error = make_name(&w, kind | ((u32)mode & 07777 & ~current()->proc->fs->umask), &made);
	if (!error && kind == S_IFCHR)
		made->rdev = (u32)dev;
	walk_done(&w);
	return error;
}

s64 sys_mknod(u64 path, u64 mode, u64 dev)
{
	return sys_mknodat((u64)AT_FDCWD, path, mode, dev);
}

s64 sys_symlinkat(u64 target, u64 dir, u64 path)
{
	struct walk w;
	struct inode *made = NULL;
	char *text = kmalloc_raw(PATH_MAX);
	if (!text)
		return -ENOMEM;
	s64 n = string_in(text, target, PATH_MAX);
	char *copy = n > 0 ? string_copy(text, (usize)n) : NULL;
	kfree(text);
	if (n <= 0)
		return n < 0 ? n : -ENOENT;
	s64 error = copy ? walk_new(&w, (s32)dir, path, 0) : -ENOMEM;
	if (!error) {
		error = make_name(&w, S_IFLNK | 0777, &made);
		walk_done(&w);
	}
	if (error) {
		kfree(copy);
		return error;
	}
	made->link.target = copy;
	made->link.length = (u32)n;
	made->size = (u64)n;
	return 0;
}

s64 sys_symlink(u64 target, u64 path)
{
	return sys_symlinkat(target, (u64)AT_FDCWD, path);
}

s64 sys_linkat(u64 from_dir, u64 from, u64 to_dir, u64 to, u64 flags)
{
	struct walk w, old;
	if (flags & ~(u64)(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	u32 how = (flags & AT_SYMLINK_FOLLOW ? WALK_FOLLOW : 0) |
		  (flags & AT_EMPTY_PATH ? WALK_EMPTY : 0);
	s64 error = walk_user(&old, (s32)from_dir, from, how);
	if (error)
		return error;
	error = walk_new(&w, (s32)to_dir, to, 0);
	if (!error) {
		if (S_ISDIR(old.inode->mode))
			error = -EPERM;
		else if (old.inode->device != DEVICE_ROOT)
			error = -EXDEV;
		else if (!old.inode->nlink && !(flags & AT_EMPTY_PATH))
			error = -ENOENT;
		else
			error = tree_add(w.dir, w.last, w.last_length, old.inode) ? 0 : -ENOSPC;
		if (!error) {
			inotify_inode(old.inode, NULL, "", 0, IN_ATTRIB);
			inotify_name(w.dir, w.last, w.last_length, old.inode, IN_CREATE, 0);
		}
		walk_done(&w);
	}
	walk_done(&old);
	return error;
}

s64 sys_link(u64 from, u64 to)
{
	return sys_linkat((u64)AT_FDCWD, from, (u64)AT_FDCWD, to, 0);
}

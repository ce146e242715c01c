/* SPDX-License-Identifier: MIT
 * Taking names away and moving them. */
#include "caps.h"
#include "file_calls.h"
#include "glance.h"
#include "inode.h"
#include "inotify.h"

/* Whether the caller may take `i`'s name out of dir (the sticky bit counts). */
static s64 remove_permission(const struct inode *dir, const struct inode *i)
{
	u32 uid = current()->proc->euid;
	s64 error = inode_permission(dir, W_OK | X_OK);
	if (error)
		return error;
	if ((dir->mode & S_ISVTX) && !capable(CAP_FOWNER) && uid != i->uid && uid != dir->uid)
		return -EPERM;
	return 0;
}

static int directory_busy(const struct inode *dir)
{
	return dir == root_inode;
}

/* Whether something has the name that was walked to. */
static s64 name_there(const struct walk *w)
{
	return w->inode ? 0 : w->late ? w->late : -ENOENT;
}

static s64 unlink_walked(struct walk *w)
{
	if (w->last_special)
		return -EISDIR;
	if (name_there(w))
		return name_there(w);
	if (w->slash)
		return S_ISDIR(w->inode->mode) ? -EISDIR : -ENOTDIR;
	if (w->dir->device != DEVICE_ROOT)
		return -EPERM;
	s64 error = remove_permission(w->dir, w->inode);
	if (error)
		return error;
	if (S_ISDIR(w->inode->mode))
		return -EISDIR;
	tree_remove(w->entry);
	inotify_inode(w->inode, NULL, "", 0, IN_ATTRIB);
	if (!w->inode->nlink &&
	    w->inode->refs == 1) /* nobody has it open: it goes with this walk */
		inotify_gone(w->inode);
	inotify_name(w->dir, w->last, w->last_length, w->inode, IN_DELETE, 0);
	return 0;
}

static s64 rmdir_walked(struct walk *w)
{
	if (w->last_special)
		return w->last_length == 1 ? -EINVAL : w->last_length == 2 ? -ENOTEMPTY : -EBUSY;
	if (name_there(w))
		return name_there(w);
	if (w->dir->device != DEVICE_ROOT)
		return -EPERM;
	s64 error = remove_permission(w->dir, w->inode);
	if (error)
		return error;
	if (!S_ISDIR(w->inode->mode))
		return -ENOTDIR;
	if (w->inode->device != DEVICE_ROOT || directory_busy(w->inode))
		return -EBUSY;
	if (w->inode->dir.count)
		return -ENOTEMPTY;
	tree_remove(w->entry);
	inotify_gone(w->inode);
	inotify_name(w->dir, w->last, w->last_length, w->inode, IN_DELETE, 0);
	return 0;
}

s64 sys_unlinkat(u64 dir, u64 path, u64 flags)
{
	struct walk w;
	if (flags & ~(u64)AT_REMOVEDIR)
		return -EINVAL;
	s64 error = walk_user(&w, (s32)dir, path, WALK_NAME);
	if (error)
		return error;
	error = flags & AT_REMOVEDIR ? rmdir_walked(&w) : unlink_walked(&w);
	walk_done(&w);
	return error;
}

s64 sys_unlink(u64 path)
{
	return sys_unlinkat((u64)AT_FDCWD, path, 0);
}

s64 sys_rmdir(u64 path)
{
	return sys_unlinkat((u64)AT_FDCWD, path, AT_REMOVEDIR);
}

/* Whether `below` is dir or lies under it. */
static int is_below(const struct inode *below, const struct inode *dir)
{
	for (;; below = below->dir.parent) {
		if (below == dir)
			return 1;
		if (below == root_inode || !below->dir.parent)
			return 0;
	}
}

/* What the two names say: 0 or -E, in Linux's order. */
static s64 rename_names(const struct walk *a, const struct walk *b, u32 flags)
{
	if (a->last_special || (b->last_special && !(flags & RENAME_NOREPLACE)))
		return -EBUSY;
	if (b->last_special)
		return -EEXIST;
	if (name_there(a))
		return name_there(a);
	if (b->late)
		return b->late;
	if (a->dir->device != DEVICE_ROOT || b->dir->device != DEVICE_ROOT)
		return a->dir->device != b->dir->device ? -EXDEV : -EPERM;
	if (b->inode && (flags & RENAME_NOREPLACE))
		return -EEXIST;
	if (!b->inode && (flags & RENAME_EXCHANGE))
		return -ENOENT;
	if (flags & RENAME_EXCHANGE && b->slash && !S_ISDIR(b->inode->mode))
		return -ENOTDIR;
	if (!S_ISDIR(a->inode->mode) && (a->slash || (b->slash && !(flags & RENAME_EXCHANGE))))
		return -ENOTDIR;
	if (S_ISDIR(a->inode->mode) && is_below(b->dir, a->inode))
		return -EINVAL;
	if (b->inode && S_ISDIR(b->inode->mode) && is_below(a->dir, b->inode))
		return flags & RENAME_EXCHANGE ? -EINVAL : -ENOTEMPTY;
	return 0;
}

/* Whether the new name's owner may go: replaced by what `from` is, or exchanged. */
static s64 rename_replaces(const struct walk *b, const struct inode *from, u32 flags)
{
	const struct inode *to = b->inode;
	s64 error = to ? remove_permission(b->dir, to) : inode_permission(b->dir, W_OK | X_OK);
	if (error || !to || flags & RENAME_EXCHANGE)
		return error;
	if (S_ISDIR(from->mode) && !S_ISDIR(to->mode))
		return -ENOTDIR;
	return !S_ISDIR(from->mode) && S_ISDIR(to->mode) ? -EISDIR : 0;
}

/* A directory that comes under another one has its ".." written. */
static s64 rename_parent(const struct inode *i, int stays)
{
	return i && S_ISDIR(i->mode) && !stays ? inode_permission(i, W_OK) : 0;
}

static s64 rename_check(struct walk *a, struct walk *b, u32 flags)
{
	struct inode *i = a->inode, *to = b->inode;
	s64 error = rename_names(a, b, flags);
	if (error || i == to)
		return error;
	error = remove_permission(a->dir, i);
	if (!error && !b->dir->nlink)
		error = -ENOENT;
	if (!error)
		error = rename_replaces(b, i, flags);
	if (!error)
		error = rename_parent(i, a->dir == b->dir);
	if (!error && flags & RENAME_EXCHANGE)
		error = rename_parent(to, a->dir == b->dir);
	if (!error && (i->device != DEVICE_ROOT || (to && to->device != DEVICE_ROOT)))
		error = -EBUSY;
	if (!error && to && !(flags & RENAME_EXCHANGE) && S_ISDIR(to->mode) && to->dir.count)
		error = -ENOTEMPTY;
	return error;
}

static void moved(const struct walk *from, const struct walk *to, struct inode *i)
{
	u32 cookie = inotify_cookie();
	inotify_name(from->dir, from->last, from->last_length, i, IN_MOVED_FROM, cookie);
	inotify_name(to->dir, to->last, to->last_length, i, IN_MOVED_TO, cookie);
}

/* Moves a's inode to b's name. 0 or -ENOMEM. */
static s64 rename_move(const struct walk *a, const struct walk *b)
{
	if (!tree_add(b->dir, b->last, b->last_length, a->inode))
		return -ENOMEM;
	if (b->entry)
		tree_remove(b->entry);
	tree_remove(a->entry);
	return 0;
}

static s64 rename_exchange(const struct walk *a, const struct walk *b)
{
	struct dentry *new_b = tree_add(b->dir, b->last, b->last_length, a->inode);
	if (!new_b)
		return -ENOMEM;
	if (!tree_add(a->dir, a->last, a->last_length, b->inode)) {
		tree_remove(new_b); /* a directory's place is set back with it */
		return -ENOMEM;
	}
	tree_remove(a->entry);
	tree_remove(b->entry);
	return 0;
}

static s64 rename_walked(struct walk *a, struct walk *b, u32 flags)
{
	s64 error = rename_check(a, b, flags);
	if (error || a->inode == b->inode)
		return error;
	u32 within = tree_change_begin(); /* one change: nobody sees half of it */
	error = flags & RENAME_EXCHANGE ? rename_exchange(a, b) : rename_move(a, b);
	tree_change_end(within);
	if (error)
		return error;
	if (!(flags & RENAME_EXCHANGE)) {
		moved(a, b, a->inode);
		if (b->inode)
			inotify_inode(b->inode, NULL, "", 0, IN_ATTRIB);
		inotify_inode(a->inode, NULL, "", 0, IN_MOVE_SELF);
		return 0;
	}
	moved(a, b, a->inode);
	inotify_inode(a->inode, NULL, "", 0, IN_MOVE_SELF);
	moved(b, a, b->inode);
	inotify_inode(b->inode, NULL, "", 0, IN_MOVE_SELF);
	return 0;
}

s64 sys_renameat2(u64 from_dir, u64 from, u64 to_dir, u64 to, u64 flags)
{
	struct walk a, b;
	if (flags & ~(u64)(RENAME_NOREPLACE | RENAME_EXCHANGE))
		return -EINVAL;
	if ((flags & RENAME_NOREPLACE) && (flags & RENAME_EXCHANGE))
		return -EINVAL;
	s64 error = walk_user(&a, (s32)from_dir, from, WALK_NAME);
	if (error)
		return error;
	error = walk_user(&b, (s32)to_dir, to, WALK_NAME);
	if (!error) {
		error = rename_walked(&a, &b, (u32)flags);
		walk_done(&b);
	}
	walk_done(&a);
	return error;
}

s64 sys_renameat(u64 from_dir, u64 from, u64 to_dir, u64 to)
{
	return sys_renameat2(from_dir, from, to_dir, to, 0);
}

s64 sys_rename(u64 from, u64 to)
{
	return sys_renameat2((u64)AT_FDCWD, from, (u64)AT_FDCWD, to, 0);
}

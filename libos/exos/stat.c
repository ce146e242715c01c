/* SPDX-License-Identifier: MIT
 * What files are: stat and its relatives, access, readlink, statfs. */
#include "caps.h"
#include "file_calls.h"
#include "glance.h"
#include "usermem.h"

#define SECOND_NS 1000000000l

static struct linux_timespec timespec_of(s64 ns)
{
	s64 sec = ns / SECOND_NS, rest = ns % SECOND_NS;
	if (rest < 0) {
		sec--;
		rest += SECOND_NS;
	}
	return (struct linux_timespec){sec, rest};
}

s64 inode_stat(const struct inode *i, struct stat64 *st)
{
	u32 mode, device, links, uid, gid;
	u64 ino, rdev, size, blocks = 0, count;
	s64 atime, mtime, ctime;
	PEEK(mode, i->mode, missed);
	PEEK(device, i->device, missed);
	PEEK(ino, i->ino, missed);
	PEEK(links, i->nlink, missed);
	PEEK(uid, i->uid, missed);
	PEEK(gid, i->gid, missed);
	PEEK(rdev, i->rdev, missed);
	PEEK(size, i->size, missed);
	PEEK(atime, i->atime, missed);
	PEEK(mtime, i->mtime, missed);
	PEEK(ctime, i->ctime, missed);
	if (device == DEVICE_ROOT && S_ISREG(mode)) {
		PEEK(blocks, i->blocks, missed);
		PEEK(count, i->file.archive_bytes, missed);
		blocks = max(blocks, (count + PAGE - 1) / PAGE) * (PAGE / 512);
	} else if (device == DEVICE_ROOT && S_ISDIR(mode)) {
		PEEK(count, i->dir.count, missed);
		size = 40 + count * 20;
	}
	st->dev = device;
	st->ino = ino;
	st->nlink = links;
	st->mode = mode;
	st->uid = uid;
	st->gid = gid;
	st->pad = 0;
	st->rdev = rdev;
	st->size = (s64)size;
	st->blksize = (s64)PAGE;
	st->blocks = (s64)blocks; /* of 512 bytes */
	st->atime = timespec_of(atime);
	st->mtime = timespec_of(mtime);
	st->ctime = timespec_of(ctime);
	st->unused[0] = st->unused[1] = st->unused[2] = 0;
	return 0;
missed:
	return GLANCE_MISSED;
}

static u32 flags_walk(u64 flags)
{
	return (flags & AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW) |
	       (flags & AT_EMPTY_PATH ? WALK_EMPTY : 0);
}

/* What a path leads to: with the lock, or quick, by a glance. */
static s64 path_stat(s32 dir, u64 path, u64 flags, struct stat64 *st, int quick)
{
	struct walk w;
	struct glance g;
	s64 error;
	if (quick) {
		error = glance_walk(&w, &g, dir, path, flags_walk(flags));
		if (!error)
			error = inode_stat(w.inode, st);
		return glance_walk_holds(&g) ? error : GLANCE_MISSED;
	}
	error = walk_user(&w, dir, path, flags_walk(flags));
	if (error)
		return error;
	error = inode_stat(w.inode, st);
	walk_done(&w);
	return error;
}

static s64 stat_at(s32 dir, u64 path, u64 to, u64 flags, int quick)
{
	struct stat64 st;
	if (flags &
	    ~(u64)(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_STATX_SYNC_TYPE))
		return -EINVAL;
	s64 error = path_stat(dir, path, flags, &st, quick);
	if (error)
		return error;
	return copy_out(to, &st, sizeof(st)) ? -EFAULT : 0;
}

s64 sys_newfstatat(u64 dir, u64 path, u64 to, u64 flags)
{
	return stat_at((s32)dir, path, to, flags, 0);
}

s64 sys_stat(u64 path, u64 to)
{
	return stat_at(AT_FDCWD, path, to, 0, 0);
}

s64 sys_lstat(u64 path, u64 to)
{
	return stat_at(AT_FDCWD, path, to, AT_SYMLINK_NOFOLLOW, 0);
}

/* Also by a glance. */
static s64 fd_stat(const struct files *files, u32 fd, u64 to, int quick)
{
	struct stat64 st;
	const struct fd_slot *slots;
	const struct file *f;
	const struct inode *i;
	u32 began = glance_begin(&files->changes);
	if (fd >= files->capacity)
		return quick ? GLANCE_MISSED : -EBADF;
	PEEK(slots, files->slots, missed);
	PEEK(f, slots[fd].file, missed);
	if (!f)
		return quick ? GLANCE_MISSED : -EBADF;
	PEEK(i, f->inode, missed);
	if (inode_stat(i, &st) || (quick && !glance_holds(&files->changes, began)))
		goto missed;
	return copy_out(to, &st, sizeof(st)) ? -EFAULT : 0;
missed:
	return GLANCE_MISSED;
}

s64 sys_fstat(u64 fd, u64 to)
{
	return fd_stat(current()->proc->files, (u32)fd, to, 0);
}

static struct linux_statx_time statx_time(struct linux_timespec t)
{
	return (struct linux_statx_time){.sec = t.sec, .nsec = (u32)t.nsec};
}

static s64 statx_out(const struct stat64 *from, u64 to)
{
	const struct stat64 st = *from;
	struct linux_statx x = {.mask = STATX_BASIC_STATS, .blksize = (u32)PAGE};
	x.nlink = (u32)st.nlink;
	x.uid = st.uid;
	x.gid = st.gid;
	x.mode = (u16)st.mode;
	x.ino = st.ino;
	x.size = (u64)st.size;
	x.blocks = (u64)st.blocks;
	x.atime = statx_time(st.atime);
	x.mtime = statx_time(st.mtime);
	x.ctime = statx_time(st.ctime);
	x.rdev_major = (u32)(st.rdev >> 8) & 0xfff;
	x.rdev_minor = (u32)st.rdev & 0xff;
	x.dev_minor = (u32)st.dev;
	return copy_out(to, &x, sizeof(x)) ? -EFAULT : 0;
}

static s64 statx_at(s32 dir, u64 path, u64 flags, u64 mask, u64 to, int quick)
{
	struct stat64 st;
	if (mask & STATX__RESERVED)
		return -EINVAL;
	if ((flags & AT_STATX_SYNC_TYPE) == AT_STATX_SYNC_TYPE)
		return -EINVAL;
	if (flags &
	    ~(u64)(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_STATX_SYNC_TYPE))
		return -EINVAL;
	s64 error = path_stat(dir, path, flags, &st, quick);
	return error ? error : statx_out(&st, to);
}

s64 sys_statx(u64 dir, u64 path, u64 flags, u64 mask, u64 to)
{
	return statx_at((s32)dir, path, flags, mask, to, 0);
}

static s64 statfs_out(const struct inode *i, u64 to)
{
	struct linux_statfs s = {.type = TMPFS_MAGIC, .bsize = (s64)PAGE, .frsize = (s64)PAGE};
	s.namelen = NAME_MAX;
	if (i->device == DEVICE_ROOT) {
		s.blocks = pages_total();
		s.bfree = s.bavail = files_free();
		s.files = s.ffree = files_free();
	} else {
		s.type = i->device == DEVICE_PROC ? PROC_SUPER_MAGIC : PIPEFS_MAGIC;
	}
	s.fsid[0] = (s32)i->device;
	return copy_out(to, &s, sizeof(s)) ? -EFAULT : 0;
}

s64 sys_statfs(u64 path, u64 to)
{
	struct walk w;
	s64 error = walk_user(&w, AT_FDCWD, path, WALK_FOLLOW);
	if (error)
		return error;
	error = statfs_out(w.inode, to);
	walk_done(&w);
	return error;
}

s64 sys_fstatfs(u64 fd, u64 to)
{
	struct file *f = fd_file((u32)fd);
	return f ? statfs_out(f->inode, to) : -EBADF;
}

static s64 access_check(const struct inode *i, u32 mode, u64 flags)
{
	const struct proc *p = current()->proc;
	if (flags & AT_EACCESS)
		return inode_permission(i, mode);
	return inode_permission_ids(i, mode, p->uid, p->gid, caps_real(p));
}

static s64 access_at(s32 dir, u64 path, u64 mode, u64 flags, int quick)
{
	struct walk w;
	struct glance g;
	s64 error;
	if ((u32)mode & ~7u)
		return -EINVAL;
	if (flags & ~(u64)(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	if (quick) {
		error = glance_walk(&w, &g, dir, path, flags_walk(flags));
		if (!error)
			error = access_check(w.inode, (u32)mode, flags);
		return glance_walk_holds(&g) ? error : GLANCE_MISSED;
	}
	error = walk_user(&w, dir, path, flags_walk(flags));
	if (error)
		return error;
	error = access_check(w.inode, (u32)mode, flags);
	walk_done(&w);
	return error;
}

s64 sys_faccessat2(u64 dir, u64 path, u64 mode, u64 flags)
{
	return access_at((s32)dir, path, mode, flags, 0);
}

s64 sys_faccessat(u64 dir, u64 path, u64 mode)
{
	return access_at((s32)dir, path, mode, 0, 0);
}

s64 sys_access(u64 path, u64 mode)
{
	return access_at(AT_FDCWD, path, mode, 0, 0);
}

static s64 readlink_out(struct inode *i, u64 to, u64 bytes)
{
	if (!i->ops || !i->ops->readlink) {
		u64 n = min(bytes, (u64)i->link.length);
		return copy_out(to, i->link.target, n) ? -EFAULT : (s64)n;
	}
	char *text = kmalloc_raw(PATH_MAX);
	if (!text)
		return -ENOMEM;
	s64 n = i->ops->readlink(i, text, PATH_MAX);
	if (n > (s64)bytes)
		n = (s64)bytes;
	if (n > 0 && copy_out(to, text, (usize)n))
		n = -EFAULT;
	kfree(text);
	return n;
}

/* By a glance: what a link of the tree says. */
static s64 link_quick(s32 dir, u64 path, u64 to, u64 bytes)
{
	struct walk w;
	struct glance g;
	const struct inode_ops *ops;
	const char *target;
	u32 mode, length;
	if ((s32)bytes <= 0 || !user_range(to, (u32)bytes) ||
	    glance_walk(&w, &g, dir, path, WALK_EMPTY))
		return GLANCE_MISSED;
	PEEK(mode, w.inode->mode, missed);
	PEEK(ops, w.inode->ops, missed);
	if (!S_ISLNK(mode) || ops)
		return GLANCE_MISSED;
	PEEK(length, w.inode->link.length, missed);
	PEEK(target, w.inode->link.target, missed);
	length = min(length, (u32)bytes);
	if (length <= PAGE && !user_copy((void *)to, target, length) && glance_walk_holds(&g))
		return length;
missed:
	return GLANCE_MISSED;
}

s64 sys_readlinkat(u64 dir, u64 path, u64 to, u64 bytes)
{
	struct walk w;
	if ((s32)bytes <= 0)
		return -EINVAL;
	s64 error = walk_user(&w, (s32)dir, path, WALK_EMPTY);
	if (error)
		return error;
	if (S_ISLNK(w.inode->mode))
		error = readlink_out(w.inode, to, (u32)bytes);
	else
		error = w.empty ? -ENOENT : -EINVAL;
	walk_done(&w);
	return error;
}

s64 sys_readlink(u64 path, u64 to, u64 bytes)
{
	return sys_readlinkat((u64)AT_FDCWD, path, to, bytes);
}

/* The quick ones: what they miss is done by those above. */
#define QUICK_FILE(name, call)                                        \
	s64 quick_##name(u64 a, u64 b, u64 c, u64 d, u64 e, u64 f)    \
	{                                                             \
		(void)a, (void)b, (void)c, (void)d, (void)e, (void)f; \
		return call;                                          \
	}
QUICK_FILE(stat, stat_at(AT_FDCWD, a, b, 0, 1))
QUICK_FILE(lstat, stat_at(AT_FDCWD, a, b, AT_SYMLINK_NOFOLLOW, 1))
QUICK_FILE(newfstatat, stat_at((s32)a, b, c, d, 1))
QUICK_FILE(fstat, fd_stat(current()->proc->files, (u32)a, b, 1))
QUICK_FILE(statx, statx_at((s32)a, b, c, d, e, 1))
QUICK_FILE(readlink, link_quick(AT_FDCWD, a, b, c))
QUICK_FILE(readlinkat, link_quick((s32)a, b, c, d))
QUICK_FILE(access, access_at(AT_FDCWD, a, b, 0, 1))
QUICK_FILE(faccessat, access_at((s32)a, b, c, 0, 1))
QUICK_FILE(faccessat2, access_at((s32)a, b, c, d, 1))

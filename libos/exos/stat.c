/* SPDX-License-Identifier: MIT
 * What files are: stat and its relatives, access, readlink, statfs. */
#include "file_calls.h"
#include "inode.h"

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

/* 512-byte blocks that the file's data takes. */
static u64 inode_blocks(const struct inode *i)
{
	if (!S_ISREG(i->mode) || i->device != DEVICE_ROOT)
		return 0;
	u64 archive = (i->file.archive_bytes + PAGE - 1) / PAGE;
	return max(i->blocks, archive) * (PAGE / 512);
}

void inode_stat(struct inode *i, struct stat64 *st)
{
	*st = (struct stat64){.dev = i->device, .ino = i->ino, .nlink = i->nlink, .mode = i->mode};
	st->uid = i->uid;
	st->gid = i->gid;
	st->rdev = i->rdev;
	st->size = (s64)i->size;
	st->blksize = (s64)PAGE;
	st->blocks = (s64)inode_blocks(i);
	st->atime = timespec_of(i->atime);
	st->mtime = timespec_of(i->mtime);
	st->ctime = timespec_of(i->ctime);
	if (S_ISDIR(i->mode) && i->device == DEVICE_ROOT)
		st->size = (s64)(40 + i->dir.count * 20);
}

static s64 stat_out(struct inode *i, u64 to)
{
	struct stat64 st;
	inode_stat(i, &st);
	return copy_out(to, &st, sizeof(st)) ? -EFAULT : 0;
}

s64 sys_newfstatat(u64 dir, u64 path, u64 to, u64 flags)
{
	struct walk w;
	if (flags &
	    ~(u64)(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_STATX_SYNC_TYPE))
		return -EINVAL;
	u32 how = (flags & AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW) |
		  (flags & AT_EMPTY_PATH ? WALK_EMPTY : 0);
	s64 error = walk_user(&w, (s32)dir, path, how);
	if (error)
		return error;
	error = stat_out(w.inode, to);
	walk_done(&w);
	return error;
}

s64 sys_stat(u64 path, u64 to)
{
	return sys_newfstatat((u64)AT_FDCWD, path, to, 0);
}

s64 sys_lstat(u64 path, u64 to)
{
	return sys_newfstatat((u64)AT_FDCWD, path, to, AT_SYMLINK_NOFOLLOW);
}

s64 sys_fstat(u64 fd, u64 to)
{
	struct file *f = fd_file((u32)fd);
	return f ? stat_out(f->inode, to) : -EBADF;
}

static struct linux_statx_time statx_time(struct linux_timespec t)
{
	return (struct linux_statx_time){.sec = t.sec, .nsec = (u32)t.nsec};
}

static s64 statx_out(struct inode *i, u64 to)
{
	struct stat64 st;
	struct linux_statx x = {.mask = STATX_BASIC_STATS, .blksize = (u32)PAGE};
	inode_stat(i, &st);
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

s64 sys_statx(u64 dir, u64 path, u64 flags, u64 mask, u64 to)
{
	struct walk w;
	if (mask & STATX__RESERVED)
		return -EINVAL;
	if ((flags & AT_STATX_SYNC_TYPE) == AT_STATX_SYNC_TYPE)
		return -EINVAL;
	if (flags &
	    ~(u64)(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_STATX_SYNC_TYPE))
		return -EINVAL;
	u32 how = (flags & AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW) |
		  (flags & AT_EMPTY_PATH ? WALK_EMPTY : 0);
	s64 error = walk_user(&w, (s32)dir, path, how);
	if (error)
		return error;
	error = statx_out(w.inode, to);
	walk_done(&w);
	return error;
}

static s64 statfs_out(const struct inode *i, u64 to)
{
	struct linux_statfs s = {.type = TMPFS_MAGIC, .bsize = (s64)PAGE, .frsize = (s64)PAGE};
	s.namelen = NAME_MAX;
	if (i->device == DEVICE_ROOT) {
		s.blocks = pages_total();
		s.bfree = s.bavail = pages_free();
		s.files = s.ffree = pages_free();
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

s64 sys_faccessat2(u64 dir, u64 path, u64 mode, u64 flags)
{
	struct walk w;
	struct proc *p = current()->proc;
	if ((u32)mode & ~7u)
		return -EINVAL;
	if (flags & ~(u64)(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	u32 how = (flags & AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW) |
		  (flags & AT_EMPTY_PATH ? WALK_EMPTY : 0);
	s64 error = walk_user(&w, (s32)dir, path, how);
	if (error)
		return error;
	if (flags & AT_EACCESS)
		error = inode_permission(w.inode, (u32)mode);
	else
		error = inode_permission_ids(w.inode, (u32)mode, p->uid, p->gid);
	walk_done(&w);
	return error;
}

s64 sys_faccessat(u64 dir, u64 path, u64 mode)
{
	return sys_faccessat2(dir, path, mode, 0);
}

s64 sys_access(u64 path, u64 mode)
{
	return sys_faccessat2((u64)AT_FDCWD, path, mode, 0);
}

static s64 readlink_out(struct inode *i, u64 to, u64 bytes)
{
	if (!i->ops || !i->ops->readlink) {
		u64 n = min(bytes, (u64)i->link.length);
		return copy_out(to, i->link.target, n) ? -EFAULT : (s64)n;
	}
	char *text = kmalloc(PATH_MAX);
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
		error = w.buffer[0] ? -EINVAL : -ENOENT;
	walk_done(&w);
	return error;
}

s64 sys_readlink(u64 path, u64 to, u64 bytes)
{
	return sys_readlinkat((u64)AT_FDCWD, path, to, bytes);
}

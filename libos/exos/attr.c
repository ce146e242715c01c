/* SPDX-License-Identifier: MIT
 * Changing what files are: mode, owner, times, size. Files are memory, so what is written is safe at once. */
#include "caps.h"
#include "file_calls.h"
#include "glance.h"
#include "inode.h"
#include "inotify.h"
#include "proc.h"
#include "sched.h"

#define SECOND_NS 1000000000l

/* Whether it has an owner that can be another. */
static s64 has_owner(const struct inode *i)
{
	if (i->device != DEVICE_ROOT && i->device != DEVICE_PIPE && i->device != DEVICE_CONSOLE)
		return -EPERM;
	return 0;
}

static s64 owner_only(const struct inode *i)
{
	s64 error = has_owner(i);
	if (error)
		return error;
	return current()->proc->euid != i->uid && !capable(CAP_FOWNER) ? -EPERM : 0;
}

static s64 change_mode(struct inode *i, u64 mode)
{
	s64 error = owner_only(i);
	if (error)
		return error;
	if (S_ISLNK(i->mode))
		return -EOPNOTSUPP;
	u32 within = tree_change_begin();
	i->mode = (i->mode & S_IFMT) | ((u32)mode & 07777);
	tree_change_end(within);
	i->ctime = realtime_ns();
	return 0;
}

s64 sys_fchmodat2(u64 dir, u64 path, u64 mode, u64 flags)
{
	struct walk w;
	if (flags & ~(u64)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	s64 error = walk_user(&w, (s32)dir, path,
			      (flags & AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW) |
				      (flags & AT_EMPTY_PATH ? WALK_EMPTY : 0));
	if (error)
		return error;
	error = change_mode(w.inode, mode);
	if (!error)
		inotify_walk(&w, IN_ATTRIB);
	walk_done(&w);
	return error;
}

s64 sys_fchmodat(u64 dir, u64 path, u64 mode)
{
	return sys_fchmodat2(dir, path, mode, 0);
}

s64 sys_chmod(u64 path, u64 mode)
{
	return sys_fchmodat((u64)AT_FDCWD, path, mode);
}

s64 sys_fchmod(u64 fd, u64 mode)
{
	struct file *f = fd_file((u32)fd);
	s64 error = f && !(f->flags & O_PATH) ? change_mode(f->inode, mode) : -EBADF;
	if (!error)
		inotify_file(f, IN_ATTRIB);
	return error;
}

static int owner_stays(u64 uid, u64 gid)
{
	return (u32)uid == ~0u && (u32)gid == ~0u;
}

static s64 change_owner(struct inode *i, u32 uid, u32 gid)
{
	struct proc *p = current()->proc;
	int none = owner_stays(uid, gid); /* which anybody may */
	s64 error = none || capable(CAP_CHOWN) ? has_owner(i) : owner_only(i);
	if (error || none)
		return error;
	if (!capable(CAP_CHOWN) && (p->euid != i->uid || (uid != ~0u && uid != i->uid) ||
				    (gid != ~0u && gid != p->egid && gid != i->gid)))
		return -EPERM;
	u32 within = tree_change_begin();
	if (uid != ~0u)
		i->uid = uid;
	if (gid != ~0u)
		i->gid = gid;
	if (!S_ISDIR(i->mode)) {
		i->mode &= ~S_ISUID;
		if (i->mode & 010)
			i->mode &= ~S_ISGID;
	}
	tree_change_end(within);
	i->ctime = realtime_ns();
	return 0;
}

s64 sys_fchownat(u64 dir, u64 path, u64 uid, u64 gid, u64 flags)
{
	struct walk w;
	if (flags & ~(u64)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	u32 how = (flags & AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW) |
		  (flags & AT_EMPTY_PATH ? WALK_EMPTY : 0);
	s64 error = walk_user(&w, (s32)dir, path, how);
	if (error)
		return error;
	error = change_owner(w.inode, (u32)uid, (u32)gid);
	if (!error && !owner_stays(uid, gid))
		inotify_walk(&w, IN_ATTRIB);
	walk_done(&w);
	return error;
}

s64 sys_chown(u64 path, u64 uid, u64 gid)
{
	return sys_fchownat((u64)AT_FDCWD, path, uid, gid, 0);
}

s64 sys_lchown(u64 path, u64 uid, u64 gid)
{
	return sys_fchownat((u64)AT_FDCWD, path, uid, gid, AT_SYMLINK_NOFOLLOW);
}

s64 sys_fchown(u64 fd, u64 uid, u64 gid)
{
	struct file *f = fd_file((u32)fd);
	s64 error = f && !(f->flags & O_PATH) ? change_owner(f->inode, (u32)uid, (u32)gid) : -EBADF;
	if (!error && !owner_stays(uid, gid))
		inotify_file(f, IN_ATTRIB);
	return error;
}

/* Times as the calls give them: access, then modification; nsec may be UTIME_NOW or UTIME_OMIT. */
static s64 change_times(struct inode *i, const struct linux_timespec *t)
{
	s64 now = realtime_ns();
	int both_now = t[0].nsec == UTIME_NOW && t[1].nsec == UTIME_NOW;
	for (u32 k = 0; k < 2; k++)
		if (t[k].nsec != UTIME_NOW && t[k].nsec != UTIME_OMIT &&
		    (t[k].nsec < 0 || t[k].nsec >= SECOND_NS))
			return -EINVAL;
	if (t[0].nsec == UTIME_OMIT && t[1].nsec == UTIME_OMIT)
		return 0;
	if (current()->proc->euid != i->uid && !capable(CAP_FOWNER)) {
		if (!both_now)
			return -EPERM;
		s64 error = inode_permission(i, W_OK);
		if (error)
			return error;
	}
	if (i->device == DEVICE_PROC)
		return -EPERM;
	if (t[0].nsec != UTIME_OMIT)
		i->atime = t[0].nsec == UTIME_NOW ? now : t[0].sec * SECOND_NS + t[0].nsec;
	if (t[1].nsec != UTIME_OMIT)
		i->mtime = t[1].nsec == UTIME_NOW ? now : t[1].sec * SECOND_NS + t[1].nsec;
	i->ctime = now;
	return 0;
}

/* What the watchers of a file hear of new times: one alone looks like a reading or a writing, as on Linux. */
static u32 times_event(const struct linux_timespec *t)
{
	if (t[1].nsec == UTIME_OMIT)
		return t[0].nsec == UTIME_OMIT ? 0 : IN_ACCESS;
	return t[0].nsec == UTIME_OMIT ? IN_MODIFY : IN_ATTRIB;
}

static const struct linux_timespec both_now[2] = {{0, UTIME_NOW}, {0, UTIME_NOW}};

static s64 change_times_at(u64 dir, u64 path, const struct linux_timespec *t, u64 flags)
{
	struct walk w;
	u32 how = (flags & AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW) |
		  (flags & AT_EMPTY_PATH ? WALK_EMPTY : 0);
	if (!path && (s32)dir != AT_FDCWD) {
		struct file *f = fd_file((u32)dir);
		if (!f)
			return -EBADF;
		s64 failed = flags & ~(u64)AT_EMPTY_PATH ? -EINVAL : change_times(f->inode, t);
		if (!failed)
			inotify_file(f, times_event(t));
		return failed;
	}
	s64 error = walk_user(&w, (s32)dir, path, how);
	if (error)
		return error;
	error = change_times(w.inode, t);
	if (!error)
		inotify_walk(&w, times_event(t));
	walk_done(&w);
	return error;
}

s64 sys_utimensat(u64 dir, u64 path, u64 times, u64 flags)
{
	struct linux_timespec t[2] = {both_now[0], both_now[1]};
	if (times && copy_in(t, times, sizeof(t)))
		return -EFAULT;
	if (flags & ~(u64)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	if (t[0].nsec == UTIME_OMIT && t[1].nsec == UTIME_OMIT)
		return 0;
	return change_times_at(dir, path, t, flags);
}

s64 sys_futimesat(u64 dir, u64 path, u64 times)
{
	struct linux_timeval v[2];
	struct linux_timespec t[2] = {both_now[0], both_now[1]};
	if (times) {
		if (copy_in(v, times, sizeof(v)))
			return -EFAULT;
		for (u32 k = 0; k < 2; k++) {
			if (v[k].usec < 0 || v[k].usec >= 1000000)
				return -EINVAL;
			t[k] = (struct linux_timespec){v[k].sec, v[k].usec * 1000};
		}
	}
	return change_times_at(dir, path, t, 0);
}

s64 sys_utimes(u64 path, u64 times)
{
	return sys_futimesat((u64)AT_FDCWD, path, times);
}

s64 sys_utime(u64 path, u64 times)
{
	s64 v[2];
	struct linux_timespec t[2] = {both_now[0], both_now[1]};
	if (times) {
		if (copy_in(v, times, sizeof(v)))
			return -EFAULT;
		t[0] = (struct linux_timespec){v[0], 0};
		t[1] = (struct linux_timespec){v[1], 0};
	}
	return change_times_at((u64)AT_FDCWD, path, t, 0);
}

static s64 change_size(struct inode *i, u64 bytes)
{
	if (bytes > i->size && bytes > current()->proc->limit_cur[RLIMIT_FSIZE])
		return write_too_big();
	s64 error = seals_resize(i, bytes);
	if (!error)
		error = inode_resize(i, bytes);
	if (!error)
		inode_unprivileged(i);
	return error;
}

s64 sys_truncate(u64 path, u64 bytes)
{
	struct walk w;
	if ((s64)bytes < 0)
		return -EINVAL;
	s64 error = walk_user(&w, AT_FDCWD, path, WALK_FOLLOW);
	if (error)
		return error;
	if (S_ISDIR(w.inode->mode))
		error = -EISDIR;
	else if (!S_ISREG(w.inode->mode) || w.inode->device != DEVICE_ROOT)
		error = -EINVAL;
	else
		error = inode_permission(w.inode, W_OK);
	if (!error && inode_runs(w.inode))
		error = -ETXTBSY;
	if (!error)
		error = change_size(w.inode, bytes);
	if (!error)
		inotify_walk(&w, IN_MODIFY);
	walk_done(&w);
	return error;
}

s64 sys_ftruncate(u64 fd, u64 bytes)
{
	struct file *f = fd_file((u32)fd);
	if ((s64)bytes < 0)
		return -EINVAL;
	if (!f || (f->flags & O_PATH))
		return -EBADF;
	if (f->ops != &file_regular_ops || (f->flags & O_ACCMODE) == O_RDONLY)
		return -EINVAL;
	s64 error = change_size(f->inode, bytes);
	if (!error)
		inotify_file(f, IN_MODIFY);
	return error;
}

/* Brings the pages of a range into being, so that writes there need no memory. */
static s64 reserve(struct inode *i, u64 from, u64 to)
{
	for (u64 index = from / PAGE; index * PAGE < to; index++) {
		s64 error;
		void *page = inode_page_write(i, index, &error);
		if (!page)
			return -ENOSPC;
		page_put(page);
		if (index % 16 == 0)
			sched_breathe();
	}
	return 0;
}

#define FALLOC_KEEP_SIZE 1ul
#define FALLOC_PUNCH_HOLE 2ul
#define FALLOC_ZERO_RANGE 16ul

/* Whether a file may be changed so. 0 or -E. */
static s64 fallocate_check(const struct file *f, u64 mode, u64 offset, u64 bytes)
{
	if ((s64)offset < 0 || (s64)bytes <= 0)
		return -EINVAL;
	if (mode & ~(FALLOC_KEEP_SIZE | FALLOC_PUNCH_HOLE | FALLOC_ZERO_RANGE))
		return -EOPNOTSUPP;
	if (mode & FALLOC_PUNCH_HOLE && !(mode & FALLOC_KEEP_SIZE))
		return -EOPNOTSUPP;
	if (mode & FALLOC_PUNCH_HOLE && mode & FALLOC_ZERO_RANGE)
		return -EOPNOTSUPP;
	if ((f->flags & O_ACCMODE) == O_RDONLY)
		return -EBADF;
	if (S_ISFIFO(f->inode->mode))
		return -ESPIPE;
	if (f->ops != &file_regular_ops)
		return S_ISDIR(f->inode->mode) ? -EISDIR : -ENODEV;
	return offset + bytes > INODE_MAX_SIZE ? -EFBIG : 0;
}

s64 sys_fallocate(u64 fd, u64 mode, u64 offset, u64 bytes)
{
	struct file *f = fd_file((u32)fd);
	u64 end = offset + bytes;
	if (!f || (f->flags & O_PATH))
		return -EBADF;
	s64 error = fallocate_check(f, mode, offset, bytes);
	if (error)
		return error;
	struct inode *i = f->inode;
	int grows = !(mode & FALLOC_KEEP_SIZE) && end > i->size;
	error = seals_write(i, mode & FALLOC_KEEP_SIZE ? 0 : end);
	if (!error && grows && end > current()->proc->limit_cur[RLIMIT_FSIZE])
		error = write_too_big();
	if (!error && mode & (FALLOC_PUNCH_HOLE | FALLOC_ZERO_RANGE))
		error = inode_punch(i, offset, end);
	if (!error && !(mode & FALLOC_PUNCH_HOLE))
		error = bytes / PAGE > files_free() ? -ENOSPC : reserve(i, offset, end);
	if (!error && grows)
		error = change_size(i, end);
	else if (!error && mode & ~FALLOC_KEEP_SIZE)
		inode_touch(i);
	if (!error)
		inode_unprivileged(i);
	if (!error && inotify_watches())
		inotify_file(f, IN_MODIFY);
	return error;
}

s64 sys_fadvise64(u64 fd, u64 offset, u64 bytes, u64 advice)
{
	struct file *f = fd_file((u32)fd);
	(void)offset;
	if (!f || (f->flags & O_PATH))
		return -EBADF;
	if (S_ISFIFO(f->inode->mode))
		return -ESPIPE;
	return (s64)bytes < 0 || advice > 5 ? -EINVAL : 0;
}

s64 sys_fsync(u64 fd)
{
	struct file *f = fd_file((u32)fd);
	if (!f || (f->flags & O_PATH))
		return -EBADF;
	return S_ISREG(f->inode->mode) || S_ISDIR(f->inode->mode) ? 0 : -EINVAL;
}

s64 sys_fdatasync(u64 fd)
{
	return sys_fsync(fd);
}

s64 sys_syncfs(u64 fd)
{
	struct file *f = fd_file((u32)fd);
	return f && !(f->flags & O_PATH) ? 0 : -EBADF;
}

s64 sys_sync(void)
{
	return 0;
}

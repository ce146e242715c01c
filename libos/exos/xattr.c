/* SPDX-License-Identifier: MIT
 * Extended attributes of files, directories, links: names with values, in memory like the files. */
#include "caps.h"
#include "file_calls.h"
#include "inode.h"
#include "inotify.h"

#define NAME_MOST 255u
#define VALUE_MOST 65536u
#define XATTR_CREATE 1
#define XATTR_REPLACE 2

struct xattr {
	struct xattr *next;
	u8 *value;
	u32 bytes;
	u32 length; /* of the name */
	char name[];
};

static int begins(const char *name, const char *with)
{
	return !__builtin_memcmp(name, with, __builtin_strlen(with));
}

static int is_space_alone(const char *name)
{
	return !__builtin_strcmp(name, "user.") || !__builtin_strcmp(name, "trusted.") ||
	       !__builtin_strcmp(name, "security.");
}

/* Whether the current process may read (R_OK) or change (W_OK) an attribute of this name. 0, -EPERM, -EACCES,
 * -ENODATA or -EOPNOTSUPP. */
static s64 xattr_permission(const struct inode *i, const char *name, u32 want)
{
	u32 uid = current()->proc->euid;
	if (i->device != DEVICE_ROOT)
		return -EOPNOTSUPP;
	s64 named = is_space_alone(name) ? -EINVAL : 0;
	if (begins(name, "trusted."))
		return capable(CAP_SYS_ADMIN) ? named : want == W_OK ? -EPERM : -ENODATA;
	if (begins(name, "security."))
		return capable(CAP_SYS_ADMIN) || want == R_OK ? named : -EPERM;
	if (!begins(name, "user.")) { /* there are no access lists */
		s64 error = begins(name, "system.") ? 0 : inode_permission(i, want);
		return error ? error : -EOPNOTSUPP;
	}
	if (!S_ISREG(i->mode) && !S_ISDIR(i->mode))
		return want == W_OK ? -EPERM : -ENODATA;
	if (S_ISDIR(i->mode) && (i->mode & S_ISVTX) && want == W_OK && uid != i->uid &&
	    !capable(CAP_FOWNER))
		return -EPERM;
	s64 error = inode_permission(i, want);
	return error ? error : named;
}

/* Where the attribute hangs, or would. */
static struct xattr **xattr_find(struct inode *i, const char *name)
{
	struct xattr **at = &i->xattrs;
	while (*at && __builtin_strcmp((*at)->name, name))
		at = &(*at)->next;
	return at;
}

static void xattr_free(struct xattr *x)
{
	kfree(x->value);
	kfree(x);
}

void xattr_release(struct inode *i)
{
	while (i->xattrs) {
		struct xattr *x = i->xattrs;
		i->xattrs = x->next;
		xattr_free(x);
	}
}

static s64 name_in(char *name, u64 from)
{
	s64 n = string_in(name, from, NAME_MOST + 1);
	if (n == -ENAMETOOLONG || !n)
		return -ERANGE;
	return n < 0 ? n : 0;
}

static s64 xattr_set(struct inode *i, const char *name, u64 from, u64 bytes, u64 flags)
{
	s64 error = xattr_permission(i, name, W_OK);
	struct xattr **at = xattr_find(i, name);
	u32 length = (u32)__builtin_strlen(name);
	if (error)
		return error;
	if (*at && (flags & XATTR_CREATE))
		return -EEXIST;
	if (!*at && (flags & XATTR_REPLACE))
		return -ENODATA;
	struct xattr *x = kmalloc(sizeof(*x) + length + 1);
	if (!x)
		return -ENOSPC;
	x->value = kmalloc(max(bytes, 1ul));
	error = !x->value ? -ENOSPC : copy_in(x->value, from, bytes) ? -EFAULT : 0;
	if (error) {
		xattr_free(x);
		return error;
	}
	x->bytes = (u32)bytes;
	x->length = length;
	__builtin_memcpy(x->name, name, length + 1);
	if (*at) {
		struct xattr *old = *at;
		x->next = old->next;
		xattr_free(old);
	}
	*at = x;
	i->ctime = realtime_ns();
	return 0;
}

static s64 xattr_get(struct inode *i, const char *name, u64 to, u64 bytes)
{
	s64 error = xattr_permission(i, name, R_OK);
	const struct xattr *x = *xattr_find(i, name);
	if (error)
		return error;
	if (!x)
		return -ENODATA;
	if (!bytes)
		return x->bytes;
	if (bytes < x->bytes)
		return -ERANGE;
	return copy_out(to, x->value, x->bytes) ? -EFAULT : (s64)x->bytes;
}

static s64 xattr_remove(struct inode *i, const char *name)
{
	s64 error = xattr_permission(i, name, W_OK);
	struct xattr **at = xattr_find(i, name), *x = *at;
	if (error)
		return error;
	if (!x)
		return -ENODATA;
	*at = x->next;
	xattr_free(x);
	i->ctime = realtime_ns();
	return 0;
}

static s64 xattr_list(struct inode *i, u64 to, u64 bytes)
{
	u64 done = 0;
	if (i->device != DEVICE_ROOT)
		return 0;
	for (const struct xattr *x = i->xattrs; x; x = x->next) {
		if (!capable(CAP_SYS_ADMIN) && begins(x->name, "trusted."))
			continue;
		if (bytes && done + x->length + 1 > bytes)
			return -ERANGE;
		if (bytes && copy_out(to + done, x->name, x->length + 1))
			return -EFAULT;
		done += x->length + 1;
	}
	return (s64)done;
}

/* What the twelve calls ask of an inode, once it is found. */
enum request { SET, GET, LIST, REMOVE };
struct wish {
	enum request what;
	u64 name, value, bytes, flags;
};

static s64 xattr_do(struct inode *i, const struct wish *w)
{
	char name[NAME_MOST + 1];
	s64 error = w->what == LIST ? 0 : name_in(name, w->name);
	if (error)
		return error;
	switch (w->what) {
	case SET:
		return xattr_set(i, name, w->value, w->bytes, w->flags);
	case GET:
		return xattr_get(i, name, w->value, w->bytes);
	case REMOVE:
		return xattr_remove(i, name);
	default:
		return xattr_list(i, w->value, w->bytes);
	}
}

static s64 set_check(const struct wish *w)
{
	if (w->flags & ~(u64)(XATTR_CREATE | XATTR_REPLACE))
		return -EINVAL;
	return w->bytes > VALUE_MOST ? -E2BIG : 0;
}

static s64 by_path(u64 path, u32 how, struct wish wish)
{
	struct walk w;
	s64 error = wish.what == SET ? set_check(&wish) : 0;
	if (!error)
		error = walk_user(&w, AT_FDCWD, path, how);
	if (error)
		return error;
	error = xattr_do(w.inode, &wish);
	if (error >= 0 && (wish.what == SET || wish.what == REMOVE))
		inotify_walk(&w, IN_ATTRIB);
	walk_done(&w);
	return error;
}

static s64 by_fd(u64 fd, struct wish wish)
{
	struct file *f = fd_file((u32)fd);
	s64 error = wish.what == SET ? set_check(&wish) : 0;
	if (error)
		return error;
	if (!f || (f->flags & O_PATH))
		return -EBADF;
	error = xattr_do(f->inode, &wish);
	if (error >= 0 && (wish.what == SET || wish.what == REMOVE))
		inotify_file(f, IN_ATTRIB);
	return error;
}

s64 sys_setxattr(u64 path, u64 name, u64 value, u64 bytes, u64 flags)
{
	return by_path(path, WALK_FOLLOW, (struct wish){SET, name, value, bytes, (u32)flags});
}

s64 sys_lsetxattr(u64 path, u64 name, u64 value, u64 bytes, u64 flags)
{
	return by_path(path, 0, (struct wish){SET, name, value, bytes, (u32)flags});
}

s64 sys_fsetxattr(u64 fd, u64 name, u64 value, u64 bytes, u64 flags)
{
	return by_fd(fd, (struct wish){SET, name, value, bytes, (u32)flags});
}

s64 sys_getxattr(u64 path, u64 name, u64 value, u64 bytes)
{
	return by_path(path, WALK_FOLLOW, (struct wish){GET, name, value, bytes, 0});
}

s64 sys_lgetxattr(u64 path, u64 name, u64 value, u64 bytes)
{
	return by_path(path, 0, (struct wish){GET, name, value, bytes, 0});
}

s64 sys_fgetxattr(u64 fd, u64 name, u64 value, u64 bytes)
{
	return by_fd(fd, (struct wish){GET, name, value, bytes, 0});
}

s64 sys_listxattr(u64 path, u64 to, u64 bytes)
{
	return by_path(path, WALK_FOLLOW, (struct wish){LIST, 0, to, bytes, 0});
}

s64 sys_llistxattr(u64 path, u64 to, u64 bytes)
{
	return by_path(path, 0, (struct wish){LIST, 0, to, bytes, 0});
}

s64 sys_flistxattr(u64 fd, u64 to, u64 bytes)
{
	return by_fd(fd, (struct wish){LIST, 0, to, bytes, 0});
}

s64 sys_removexattr(u64 path, u64 name)
{
	return by_path(path, WALK_FOLLOW, (struct wish){REMOVE, name, 0, 0, 0});
}

s64 sys_lremovexattr(u64 path, u64 name)
{
	return by_path(path, 0, (struct wish){REMOVE, name, 0, 0, 0});
}

s64 sys_fremovexattr(u64 fd, u64 name)
{
	return by_fd(fd, (struct wish){REMOVE, name, 0, 0, 0});
}

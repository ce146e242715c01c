/* SPDX-License-Identifier: MIT
 * Files without a name (memfd_create) and the seals on them: what nobody may do to the file any more.
 *
 * Invariant: a seal is never taken off; while SEAL_WRITE is set, no shared mapping of the file is or can become
 * writable. */
#include "file_calls.h"
#include "inode.h"
#include "mm.h"

#define MFD_CLOEXEC 1u
#define MFD_ALLOW_SEALING 2u
#define NAME_MOST 249

s64 sys_memfd_create(u64 name, u64 flags)
{
	char path[NAME_MOST + 24] = "/memfd:";
	struct file *f;
	if ((u32)flags & ~(MFD_CLOEXEC | MFD_ALLOW_SEALING))
		return -EINVAL;
	s64 n = string_in(path + 7, name, NAME_MOST + 1);
	if (n < 0)
		return n == -ENAMETOOLONG ? -EINVAL : n;
	__builtin_memcpy(path + 7 + n, " (deleted)", 11);
	struct inode *i = inode_create(S_IFREG | 0777, DEVICE_ROOT);
	if (!i)
		return -ENOMEM;
	i->sealable = 1;
	i->seals = flags & MFD_ALLOW_SEALING ? 0 : F_SEAL_SEAL;
	s64 error = file_open_inode(i, O_RDWR, &f);
	inode_put(i);
	if (error)
		return error;
	f->path = string_copy(path, __builtin_strlen(path));
	s64 fd = fd_install(f, 0, (flags & MFD_CLOEXEC) != 0);
	if (fd < 0)
		file_put(f);
	return fd;
}

s64 seals_get(const struct file *f)
{
	return f->inode->sealable ? (s64)f->inode->seals : -EINVAL;
}

s64 seals_add(struct file *f, u64 seals)
{
	struct inode *i = f->inode;
	if ((f->flags & O_ACCMODE) == O_RDONLY)
		return -EPERM;
	if ((u32)seals & ~F_SEAL_ALL)
		return -EINVAL;
	if (!i->sealable)
		return -EINVAL;
	if (i->seals & F_SEAL_SEAL)
		return -EPERM;
	if ((u32)seals & F_SEAL_WRITE && !(i->seals & F_SEAL_WRITE) && mm_inode_writable(i))
		return -EBUSY;
	i->seals |= (u32)seals;
	return 0;
}

s64 seals_resize(const struct inode *i, u64 size)
{
	if (size < i->size && i->seals & F_SEAL_SHRINK)
		return -EPERM;
	return size > i->size && i->seals & F_SEAL_GROW ? -EPERM : 0;
}

s64 seals_write(const struct inode *i, u64 end)
{
	if (i->seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE))
		return -EPERM;
	return end > i->size && i->seals & F_SEAL_GROW ? -EPERM : 0;
}

/* SPDX-License-Identifier: MIT
 * Small calls: what memory files need no work for, one node of memory, and what nobody may do here. */
#include "small.h"
#include "file_calls.h"
#include "inode.h"
#include "linux.h"
#include "proc.h"
#include "time.h"

/* Files are memory: they are read ahead, and written, as far as they can be. */
s64 sys_readahead(u64 fd, u64 offset, u64 bytes)
{
	const struct file *f = fd_file((u32)fd);
	(void)offset, (void)bytes;
	if (!f || f->flags & O_PATH || (f->flags & O_ACCMODE) == O_WRONLY)
		return -EBADF;
	return S_ISREG(f->inode->mode) ? 0 : -EINVAL;
}

s64 sys_sync_file_range(u64 fd, u64 offset, u64 bytes, u64 flags)
{
	const struct file *f = fd_file((u32)fd);
	if (!f || f->flags & O_PATH)
		return -EBADF;
	if (flags & ~7ul || (s64)offset < 0 || (s64)(offset + bytes) < 0 || (s64)bytes < 0)
		return -EINVAL;
	return S_ISFIFO(f->inode->mode) || S_ISCHR(f->inode->mode) || S_ISSOCK(f->inode->mode)
		       ? -ESPIPE
		       : 0;
}

/* Files have no names but their paths. */
s64 sys_name_to_handle_at(u64 dir, u64 path, u64 handle, u64 mount, u64 flags)
{
	(void)dir, (void)path, (void)handle, (void)mount;
	return flags & ~(u64)(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH) ? -EINVAL : -EOPNOTSUPP;
}

/* The clock is the machine's, and other families go by it. */
s64 sys_clock_settime(u64 clock, u64 from)
{
	u64 ns;
	s64 error = timespec_in(from, &ns);
	if (error)
		return error;
	return (u32)clock == CLOCK_REALTIME ? -EPERM : -EINVAL;
}

s64 sys_settimeofday(u64 from, u64 zone)
{
	s64 time[2];
	if ((from && copy_in(time, from, sizeof(time))) || (zone && copy_in(time, zone, 8)))
		return -EFAULT;
	return -EPERM;
}

/* ---- memory policies: there is one node, and whatever may be on it is ---- */
#define MPOL_LAST 6u
#define MPOL_MODE 0xffffu
#define MPOL_F_NODE 1u
#define MPOL_F_ADDR 2u
#define MPOL_F_MEMS_ALLOWED 4u

/* A set of nodes in which the one that is there must be, if it has any. 0, -EINVAL, -EFAULT. */
static s64 nodes_check(u32 mode, u64 nodes, u64 most)
{
	u64 word = 0;
	if ((mode & MPOL_MODE) > MPOL_LAST || mode & ~(MPOL_MODE)&0x1fffffffu)
		return -EINVAL;
	if (nodes && most > 1 && copy_in(&word, nodes, sizeof(word)))
		return -EFAULT;
	if (most > 1 && most < 64)
		word &= (1ul << (most - 1)) - 1;
	if (!(mode & MPOL_MODE))
		return word ? -EINVAL : 0;
	return word & ~1ul || (!word && (mode & MPOL_MODE) != 1 && (mode & MPOL_MODE) != 4)
		       ? -EINVAL
		       : 0;
}

s64 sys_set_mempolicy(u64 mode, u64 nodes, u64 most)
{
	return nodes_check((u32)mode, nodes, most);
}

s64 sys_mbind(u64 addr, u64 bytes, u64 mode, u64 nodes, u64 most, u64 flags)
{
	if (addr & (PAGE - 1) || flags & ~7ul || addr + bytes < addr)
		return -EINVAL;
	return nodes_check((u32)mode, nodes, most);
}

/* Every policy here comes to the default: that one is said. */
s64 sys_get_mempolicy(u64 mode, u64 nodes, u64 most, u64 addr, u64 flags)
{
	u32 what = (u32)flags, zero = 0;
	u64 word = what & MPOL_F_MEMS_ALLOWED ? 1 : 0;
	if (what & ~7u || (!(what & MPOL_F_ADDR) && addr) ||
	    (what & MPOL_F_MEMS_ALLOWED && what & (MPOL_F_NODE | MPOL_F_ADDR)))
		return -EINVAL;
	if (nodes && most < 1)
		return -EINVAL;
	if ((mode && copy_out(mode, &zero, sizeof(zero))) ||
	    (nodes && copy_out(nodes, &word, sizeof(word))))
		return -EFAULT;
	return 0;
}

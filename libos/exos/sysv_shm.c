/* SPDX-License-Identifier: MIT
 * System V shared memory: a segment is a file without a name, mapped shared.
 *
 * Invariant: the file of a segment in the table has one reference of the table's; each area that maps it has one. A segment
 * that was removed stays in the table until its last area is gone, marked SHM_DEST, and the table's reference is given up:
 * when the file goes, so does the segment. */
#include "ipc.h"
#include "inode.h"
#include "ipc_calls.h"
#include "mm.h"
#include "mm_internal.h"
#include "procfs.h"
#include <core/print.h>

#define SHM_RDONLY 010000u
#define SHM_RND 020000u
#define SHM_REMAP 040000u
#define SHM_EXEC 0100000u
#define SHM_HUGETLB 04000u
#define SHM_DEST 01000u
#define SHM_LOCKED 02000u
#define SHM_LOCK 11
#define SHM_UNLOCK 12
#define SHM_STAT 13
#define SHM_INFO 14
#define SHM_STAT_ANY 15
#define MAP_LOWEST 0x10000ul

struct shm {
	struct ipc ipc;
	struct inode *inode;
	u64 bytes; /* as asked for */
	s64 atime, dtime;
	u32 creator, last; /* processes */
};

struct linux_shmid {
	struct linux_ipc_perm perm;
	u64 bytes;
	s64 atime, dtime, ctime;
	s32 creator, last;
	u64 attached, unused[2];
};
ARIL_ASSERT_SIZE(struct linux_shmid, 112);

static void shm_free(struct ipc *i)
{
	kfree(container_of(i, struct shm, ipc));
}

static struct ipc_table table = {.most = SHM_SEGMENTS, .free = shm_free};
static u64 pages_in_all;

static u64 shm_pages(const struct shm *s)
{
	return (s->bytes + PAGE - 1) / PAGE;
}

static u64 shm_attached(const struct shm *s)
{
	return s->inode->refs - (s->ipc.mode & SHM_DEST ? 0 : 1);
}

/* The file goes: nobody has the segment mapped, and it was removed. */
static void shm_inode_free(struct inode *i)
{
	s64 error;
	struct ipc *ipc = ipc_find(&table, (s32)i->ino, &error);
	inode_cache_free(i);
	if (!ipc)
		return; /* it was never finished */
	pages_in_all -= shm_pages(container_of(ipc, struct shm, ipc));
	ipc_remove(&table, ipc);
}

static const struct inode_ops shm_inode_ops = {.free = shm_inode_free};

static struct ipc *shm_create(const struct ipc_request *r, s64 *error)
{
	u64 pages = r->size / PAGE + (r->size % PAGE != 0);
	*error = r->size < 1 || r->size > SHM_MAX || (r->flags & SHM_HUGETLB) ? -EINVAL : -ENOMEM;
	if (*error == -EINVAL || pages > pages_total())
		return NULL;
	struct shm *s = kmalloc(sizeof(*s));
	struct inode *i = s ? inode_create(S_IFREG | 0600, DEVICE_ROOT) : NULL;
	if (!i) {
		kfree(s);
		return NULL;
	}
	i->ops = &shm_inode_ops;
	i->size = pages * PAGE;
	s->inode = i;
	s->bytes = r->size;
	s->creator = current()->proc->pid;
	pages_in_all += pages;
	return &s->ipc;
}

static s64 shm_fits(const struct ipc *i, const struct ipc_request *r)
{
	return r->size > container_of(i, struct shm, ipc)->bytes ? -EINVAL : 0;
}

s64 sys_shmget(u64 key, u64 bytes, u64 flags)
{
	const struct ipc_request r = {(s32)key, (u32)flags, bytes, shm_create, shm_fits};
	s64 error, id = ipc_get(&table, &r);
	struct ipc *i = id >= 0 ? ipc_find(&table, (s32)id, &error) : NULL;
	if (i)
		container_of(i, struct shm, ipc)->inode->ino = (u64)id;
	return id;
}

/* Where a segment is to be mapped: an address, or -EINVAL, -ENOMEM. */
static s64 shm_place(struct mm *mm, u64 addr, u64 bytes, u32 flags)
{
	if (!addr && flags & SHM_REMAP)
		return -EINVAL;
	if (!addr) {
		addr = area_place(mm, 0, bytes);
		return addr ? (s64)addr : -ENOMEM;
	}
	if (addr & (PAGE - 1) && !(flags & SHM_RND))
		return -EINVAL;
	addr = page_down(addr);
	if (addr < MAP_LOWEST || addr > PROGRAM_TOP || bytes > PROGRAM_TOP - addr)
		return -EINVAL;
	const struct area *there = area_from(mm, addr);
	if (!(flags & SHM_REMAP) && there && there->start < addr + bytes)
		return -EINVAL;
	return (s64)addr;
}

s64 sys_shmat(u64 id, u64 addr, u64 flags)
{
	struct mm *mm = current()->proc->mm;
	s64 error;
	struct ipc *i = ipc_find(&table, (s32)id, &error);
	if (!i)
		return error;
	struct shm *s = container_of(i, struct shm, ipc);
	u32 read_only = (u32)flags & SHM_RDONLY, execute = (u32)flags & SHM_EXEC;
	error = ipc_permission(i, (read_only ? IPC_READ : IPC_READ | IPC_WRITE) |
					  (execute ? 0111 : 0));
	if (error)
		return error;
	s64 at = shm_place(mm, addr, s->inode->size, (u32)flags);
	if (at < 0)
		return at;
	u32 prot = PROT_READ | (read_only ? 0 : PROT_WRITE) | (execute ? PROT_EXEC : 0);
	error = mm_map(mm, (u64)at, s->inode->size, prot,
		       MAP_SHARED | AREA_SHM | (read_only ? AREA_READ_ONLY : 0), s->inode, 0);
	pages_flush();
	if (error)
		return error;
	mm->shm = 1;
	s->atime = realtime_seconds();
	s->last = current()->proc->pid;
	return at;
}

void shm_detached(struct inode *i)
{
	s64 error;
	struct ipc *ipc = ipc_find(&table, (s32)i->ino, &error);
	if (!ipc)
		return;
	struct shm *s = container_of(ipc, struct shm, ipc);
	s->dtime = realtime_seconds();
	s->last = current()->proc->pid;
}

void shm_exit(struct mm *mm)
{
	struct area *area = area_from(mm, 0);
	while (area) {
		u64 start = area->start, end = area->end;
		if (area->flags & AREA_SHM)
			area_unmap(mm, start, end);
		area = area_from(mm, end);
	}
}

/* The parts of one attachment may have been split and unmapped in part: what is left of it goes. */
s64 sys_shmdt(u64 addr)
{
	struct mm *mm = current()->proc->mm;
	struct area *area = addr & (PAGE - 1) ? NULL : area_from(mm, addr);
	const struct inode *i = NULL;
	u64 end = addr;
	for (; area; area = area_next(mm, area)) {
		if (!(area->flags & AREA_SHM) || area->start - area->offset != addr)
			continue;
		i = area->inode;
		end = addr + i->size;
		break;
	}
	if (!i)
		return -EINVAL;
	while ((area = area_from(mm, addr)) && area->start < end) {
		addr = area->end;
		if (area->inode != i || !(area->flags & AREA_SHM) ||
		    area->start - area->offset != end - i->size)
			continue;
		/* the file, and its size with it, may go with the last one */
		u64 size = i->size;
		int more = i->refs > 1;
		s64 error = area_unmap(mm, area->start, area->end);
		if (error)
			return error;
		if (!more || !size)
			break;
	}
	return 0;
}

static s64 shm_stat(const struct shm *s, u64 to)
{
	struct linux_shmid out = {.bytes = s->bytes,
				  .atime = s->atime,
				  .dtime = s->dtime,
				  .ctime = s->ipc.ctime,
				  .creator = (s32)s->creator,
				  .last = (s32)s->last,
				  .attached = shm_attached(s)};
	ipc_perm_out(&s->ipc, &out.perm);
	return copy_out(to, &out, sizeof(out));
}

static s64 shm_limits(u64 to)
{
	const u64 out[9] = {SHM_MAX, 1, SHM_SEGMENTS, SHM_SEGMENTS, SHM_ALL};
	return copy_out(to, out, sizeof(out)) ? -EFAULT : ipc_highest(&table);
}

static s64 shm_info(u64 to)
{
	u64 out[6] = {table.count, pages_in_all}; /* then those there, in swap, and what swap did */
	for (u32 at = 0; at < table.capacity; at++)
		if (table.slots[at])
			out[2] += container_of(table.slots[at], struct shm, ipc)->inode->blocks;
	return copy_out(to, out, sizeof(out)) ? -EFAULT : ipc_highest(&table);
}

static s64 shm_remove(struct shm *s)
{
	s64 error = ipc_owner(&s->ipc);
	if (error)
		return error;
	if (s->ipc.mode & SHM_DEST)
		return 0;
	s->ipc.mode |= SHM_DEST;
	s->ipc.key = IPC_PRIVATE;
	inode_put(s->inode); /* the last one: so goes s */
	return 0;
}

/* Pages of files are in memory always: a lock on them has nothing to do but to be shown. */
static s64 shm_lock(struct shm *s, int on)
{
	if (ipc_owner(&s->ipc))
		return -EPERM;
	s->ipc.mode = on ? s->ipc.mode | SHM_LOCKED : s->ipc.mode & ~SHM_LOCKED;
	return 0;
}

s64 sys_shmctl(u64 id, u64 command, u64 buffer)
{
	u32 what = (u32)command;
	struct linux_shmid in;
	s64 error;
	if ((s32)id < 0 || (s32)command < 0)
		return -EINVAL;
	if (what == IPC_INFO)
		return shm_limits(buffer);
	if (what == SHM_INFO)
		return shm_info(buffer);
	if (what == IPC_SET && copy_in(&in, buffer, sizeof(in)))
		return -EFAULT;
	int by_place = what == SHM_STAT || what == SHM_STAT_ANY;
	struct ipc *i =
		by_place ? ipc_at(&table, (u32)id, &error) : ipc_find(&table, (s32)id, &error);
	if (!i)
		return error;
	struct shm *s = container_of(i, struct shm, ipc);
	switch (what) {
	case IPC_STAT:
	case SHM_STAT:
	case SHM_STAT_ANY:
		error = what == SHM_STAT_ANY ? 0 : ipc_permission(i, IPC_READ);
		if (!error && shm_stat(s, buffer))
			error = -EFAULT;
		return error ? error : by_place ? i->id : 0;
	case IPC_SET:
		error = ipc_owner(i);
		if (!error)
			ipc_perm_set(i, &in.perm);
		return error;
	case IPC_RMID:
		return shm_remove(s);
	case SHM_LOCK:
	case SHM_UNLOCK:
		return shm_lock(s, what == SHM_LOCK);
	default:
		return -EINVAL;
	}
}

const char *shm_area_name(const struct inode *i, char room[48])
{
	s64 error;
	const struct ipc *ipc = ipc_find(&table, (s32)i->ino, &error);
	core_format(room, 48, "/SYSV%08x (deleted)", ipc ? (u32)ipc->key : 0);
	return room;
}

void proc_text_shm(struct proc_text *t, struct proc *p)
{
	(void)p;
	text_add(t,
		 "       key      shmid perms                  size  cpid  lpid nattch   uid   gid "
		 " cuid  cgid"
		 "      atime      dtime      ctime                   rss                  swap\n");
	for (u32 at = 0; at < table.capacity; at++) {
		const struct ipc *i = table.slots[at];
		if (!i)
			continue;
		const struct shm *s = container_of(i, struct shm, ipc);
		text_add(t, "%10d %10d  %4o %21lu %5u %5u  %5lu %5u %5u %5u %5u", i->key, i->id,
			 i->mode, s->bytes, s->creator, s->last, shm_attached(s), i->uid, i->gid,
			 i->cuid, i->cgid);
		text_add(t, " %10ld %10ld %10ld %21lu %21u\n", s->atime, s->dtime, i->ctime,
			 s->inode->blocks * PAGE, 0);
	}
}

/* SPDX-License-Identifier: MIT
 * Glances at open files and their pages: see glance.h. */
#include "glance.h"
#include "file_calls.h"
#include "inotify.h"
#include "sched.h"
#include "usermem.h"

#define PIECE 65536ul /* copied before the slice's end is looked for */

static const u8 zeros[PAGE];

/* Where the bytes of a page lie, and how many: what is behind them is zero. 0, or -1: missed. */
static inline int page_glance(const struct inode *i, u64 index, const u8 **from, u64 *held)
{
	u64 chunks, bytes, page = 0;
	u64 **chunk, *entries;
	const u8 *archive;
	*held = PAGE;
	if (index < DIRECT_PAGES) {
		PEEK(page, i->file.direct[index], missed);
	} else {
		PEEK(chunks, i->file.nchunks, missed);
		PEEK(chunk, i->file.chunks, missed);
		if (index / CHUNK_PAGES < chunks) {
			PEEK(entries, chunk[index / CHUNK_PAGES], missed);
			if (entries)
				PEEK(page, entries[index % CHUNK_PAGES], missed);
		}
	}
	*from = (const u8 *)page;
	if (!page) {
		*from = zeros;
		PEEK(archive, i->file.archive, missed);
		PEEK(bytes, i->file.archive_bytes, missed);
		if (archive && index * PAGE < bytes) {
			*from = archive + index * PAGE;
			*held = min(PAGE, bytes - index * PAGE);
		}
	}
	return 0;
missed:
	return -1;
}

/* Copies bytes of a regular file that somebody keeps alive, as far as it goes: how many, or GLANCE_MISSED. */
static inline __attribute__((always_inline)) s64 inode_glance(const struct inode *i, u64 to,
							      u64 bytes, u64 offset)
{
	u64 size, left, held;
	u32 began, now;
	PEEK(began, i->changes, missed);
	PEEK(size, i->size, missed);
	if (began & 1)
		goto missed;
	if (offset >= size)
		return 0;
	bytes = left = min(bytes, size - offset);
	while (left) {
		u64 skip = offset % PAGE, n = min(PAGE - skip, left);
		const u8 *from;
		if (page_glance(i, offset / PAGE, &from, &held))
			goto missed;
		if (held != PAGE && skip >= held)
			from = zeros;
		else if (held != PAGE)
			n = min(n, held - skip);
		if (user_copy((void *)to, from + skip, n))
			goto missed;
		PEEK(now, i->changes, missed);
		if (now != began)
			goto missed;
		left -= n;
		if (!left)
			break;
		to += n;
		offset += n;
		if (left % PIECE < PAGE)
			sched_breathe();
	}
	return (s64)bytes;
missed:
	return GLANCE_MISSED;
}

/* The regular file behind a descriptor, if it is open for reading and nobody watches files. NULL: missed. */
static inline struct file *file_glance(const struct files *files, u32 fd)
{
	const struct fd_slot *slots;
	const struct file_ops *ops;
	struct file *f;
	u32 flags;
	if (fd >= files->capacity || inotify_watches())
		return NULL;
	PEEK(slots, files->slots, missed);
	PEEK(f, slots[fd].file, missed);
	if (!f)
		return NULL;
	PEEK(ops, f->ops, missed);
	PEEK(flags, f->flags, missed);
	return ops == &file_regular_ops && (flags & O_ACCMODE) != O_WRONLY ? f : NULL;
missed:
	return NULL;
}

s64 quick_pread64(u64 fd, u64 to, u64 bytes, u64 offset, u64 e, u64 f_)
{
	(void)e, (void)f_;
	const struct files *files = current()->proc->files;
	u32 began = glance_begin(&files->changes);
	const struct file *f = file_glance(files, (u32)fd);
	const struct inode *i;
	if (!f || (s64)offset < 0 || !user_range(to, bytes))
		return GLANCE_MISSED;
	PEEK(i, f->inode, missed);
	s64 n = inode_glance(i, to, min(bytes, RW_MAX), offset);
	return glance_holds(&files->changes, began) ? n : GLANCE_MISSED;
missed:
	return GLANCE_MISSED;
}

/* The offset is nobody else's: one thread, one table, one descriptor. So the file cannot go, and nothing but this call moves
 * its offset. */
s64 glance_read(u32 fd, u64 to, u64 bytes)
{
	const struct proc *p = current()->proc;
	if (p->nthreads != 1 || p->files->refs != 1)
		return GLANCE_MISSED;
	struct file *f = file_glance(p->files, fd);
	if (!f || f->refs != 1 || !user_range(to, bytes))
		return GLANCE_MISSED;
	s64 n = inode_glance(f->inode, to, min(bytes, RW_MAX), f->offset);
	if (n > 0)
		f->offset += (u64)n;
	return n;
}

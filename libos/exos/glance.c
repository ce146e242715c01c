/* SPDX-License-Identifier: MIT
 * Glances at open files and their pages: see glance.h. */
#include "glance.h"
#include "file_calls.h"
#include "inotify.h"
#include "name.h"
#include "sched.h"
#include "usermem.h"

#define PIECE 65536ul /* copied before the slice's end is looked for */

#define PIECES 16u /* of a vector: more need memory */
#define SKIPPED \
	1024u /* names that were listed before: more are skipped with the lock, which leaves the cursor behind them */

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

/* The file behind a descriptor, if it is of this kind and open for reading, and nobody watches files. NULL: missed. */
static inline struct file *file_glance(const struct files *files, u32 fd,
				       const struct file_ops *kind)
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
	return ops == kind && (flags & O_ACCMODE) != O_WRONLY ? f : NULL;
missed:
	return NULL;
}

s64 quick_pread64(u64 fd, u64 to, u64 bytes, u64 offset, u64 e, u64 f_)
{
	(void)e, (void)f_;
	const struct files *files = current()->proc->files;
	u32 began = glance_begin(&files->changes);
	const struct file *f = file_glance(files, (u32)fd, &file_regular_ops);
	const struct inode *i;
	if (!f || (s64)offset < 0 || !user_range(to, bytes))
		return GLANCE_MISSED;
	PEEK(i, f->inode, missed);
	s64 n = inode_glance(i, to, min(bytes, RW_MAX), offset);
	return glance_holds(&files->changes, began) ? n : GLANCE_MISSED;
missed:
	return GLANCE_MISSED;
}

/* An open file and where it is. */
struct place {
	const struct files *files;
	u32 began;
	u32 own; /* nobody else has it: it cannot go, and nothing but this call moves its offset */
	struct file *f;
	const struct inode *inode;
	u64 offset, made;
};

/* 0, or -1: missed. */
static inline __attribute__((always_inline)) int place_glance(struct place *p, u32 fd,
							      const struct file_ops *kind)
{
	const struct proc *proc = current()->proc;
	const struct files *files = proc->files;
	u32 refs, began = glance_begin(&files->changes);
	const struct inode *i;
	u64 made, offset;
	struct file *f = file_glance(files, fd, kind);
	if (!f)
		goto missed;
	PEEK(refs, f->refs, missed);
	PEEK(i, f->inode, missed);
	PEEK(made, f->made, missed);
	PEEK(offset, f->offset, missed);
	p->own = refs == 1 && proc->nthreads == 1 && files->refs == 1;
	if (offset & OFFSET_TAKEN || !(p->own || glance_holds(&files->changes, began)))
		goto missed;
	p->files = files;
	p->began = began;
	p->f = f;
	p->inode = i;
	p->offset = offset;
	p->made = made;
	return 0;
missed:
	return -1;
}

/* What the call did is of now if the file still is where it was, and goes to `to`. 0: missed, and nothing has moved. The
 * descriptor may be closed meanwhile: then the file, or what its memory is next, was made another time; where that is as it was,
 * the inode has been there all the time. */
static inline __attribute__((always_inline)) int place_move(struct place *p, u64 to)
{
	if (!p->own)
		return peek_swap(&p->f->offset, p->offset, p->made, to);
	p->f->offset = to;
	return 1;
}

s64 glance_read(u32 fd, u64 to, u64 bytes)
{
	struct place p;
	if (place_glance(&p, fd, &file_regular_ops) || !user_range(to, bytes))
		return GLANCE_MISSED;
	s64 n = inode_glance(p.inode, to, min(bytes, RW_MAX), p.offset);
	return n < 0 || place_move(&p, p.offset + (u64)n) ? n : GLANCE_MISSED;
}

/* The pieces of a read, one behind another, as far as they go. */
static s64 pieces_glance(const struct inode *i, u64 from, u64 count, u64 offset)
{
	struct linux_iovec vec[PIECES];
	s64 done = 0;
	u32 began, now;
	if (count > PIECES || iovec_in(from, count, vec) < 0)
		return GLANCE_MISSED;
	PEEK(began, i->changes, missed);
	for (u64 v = 0; v < count; v++) {
		s64 n = inode_glance(i, vec[v].base, vec[v].len, offset + (u64)done);
		if (n < 0)
			return GLANCE_MISSED;
		done += n;
		if ((u64)n < vec[v].len)
			break;
	}
	PEEK(now, i->changes, missed);
	if (now == began)
		return done;
missed:
	return GLANCE_MISSED;
}

s64 glance_readv(u32 fd, u64 vec, u64 count)
{
	struct place p;
	if (place_glance(&p, fd, &file_regular_ops))
		return GLANCE_MISSED;
	s64 n = pieces_glance(p.inode, vec, count, p.offset);
	return n < 0 || place_move(&p, p.offset + (u64)n) ? n : GLANCE_MISSED;
}

s64 glance_preadv(u32 fd, u64 vec, u64 count, u64 offset)
{
	struct place p;
	if ((s64)offset < 0 || place_glance(&p, fd, &file_regular_ops))
		return GLANCE_MISSED;
	s64 n = pieces_glance(p.inode, vec, count, offset);
	return p.own || glance_holds(&p.files->changes, p.began) ? n : GLANCE_MISSED;
}

s64 glance_lseek(u32 fd, u64 offset, u32 whence)
{
	struct place p;
	u64 base = 0;
	s64 to;
	if (place_glance(&p, fd, &file_regular_ops) &&
	    (whence == SEEK_END || place_glance(&p, fd, &file_directory_ops)))
		return GLANCE_MISSED;
	if (whence == SEEK_CUR)
		base = p.offset;
	else if (whence == SEEK_END)
		PEEK(base, p.inode->size, missed);
	else if (whence != SEEK_SET)
		goto missed;
	if (__builtin_add_overflow((s64)base, (s64)offset, &to) || to < 0)
		goto missed;
	if (place_move(&p, (u64)to))
		return to;
missed:
	return GLANCE_MISSED;
}

/* One record of a listing for the name d. Its bytes, 0: no room, or GLANCE_MISSED. */
static s64 name_emit(const struct dentry *d, u64 cookie, u64 to, u64 room)
{
	u8 record[sizeof(struct linux_dirent64) + NAME_MAX + 16];
	struct linux_dirent64 *r = (struct linux_dirent64 *)record;
	const struct inode *i;
	u32 length, mode;
	u64 ino;
	PEEK(length, d->length, missed);
	PEEK(i, d->inode, missed);
	PEEK(mode, i->mode, missed);
	PEEK(ino, i->ino, missed);
	if (length > NAME_MAX)
		goto missed;
	u32 bytes = DIRENT_BYTES(length);
	if (bytes > room)
		return 0;
	__builtin_memset(record + bytes - 8, 0, 8);
	r->ino = ino;
	r->off = (s64)cookie;
	r->reclen = (u16)bytes;
	r->type = (u8)((mode & S_IFMT) >> 12);
	for (u32 n = 0; n <= length; n += 8) { /* a name ends with zeros up to a whole word */
		u64 word;
		PEEK(word, *(const u64 *)(d->name + n), missed);
		__builtin_memcpy(r->name + n, &word, 8);
	}
	return user_copy((void *)to, record, bytes) ? GLANCE_MISSED : bytes;
missed:
	return GLANCE_MISSED;
}

/* The names that were behind *at when the last of them had been read, as far as there is room; *at is the last one's cookie. Bytes or GLANCE_MISSED. */
static s64 names_glance(const struct inode *dir, u64 *at, u64 to, u64 bytes, u32 began)
{
	const struct list *head = &dir->dir.entries, *l;
	const struct dentry *from;
	u64 used = 0, cookie = ~0ul;
	PEEK(from, dir->dir.cursor, missed); /* cookies grow along the list */
	if (from)
		PEEK(cookie, from->cookie, missed);
	l = cookie <= *at ? &from->link : head;
	for (u32 skipped = 0;;) {
		PEEK(l, l->next, missed);
		if (!glance_holds(&tree_changes, began))
			goto missed;
		if (l == head)
			return (s64)used;
		const struct dentry *d = container_of(l, struct dentry, link);
		PEEK(cookie, d->cookie, missed);
		if (cookie <= *at) {
			if (++skipped > SKIPPED)
				goto missed;
			continue;
		}
		s64 n = name_emit(d, cookie, to + used, bytes - used);
		if (n < 0 || (!n && !used))
			goto missed;
		if (!n)
			return (s64)used;
		used += (u64)n;
		*at = cookie;
	}
missed:
	return GLANCE_MISSED;
}

s64 glance_list(u32 fd, u64 to, u64 bytes)
{
	struct place p;
	const struct inode *parent;
	u32 device, nlink, began = glance_begin(&tree_changes);
	u64 used = 0, ino, at;
	if (place_glance(&p, fd, &file_directory_ops) || !user_range(to, bytes))
		goto missed;
	PEEK(device, p.inode->device, missed);
	PEEK(nlink, p.inode->nlink, missed);
	PEEK(parent, p.inode->dir.parent, missed);
	if (device != DEVICE_ROOT || !nlink || !parent)
		goto missed;
	at = p.offset;
	for (; at < 2; at++) {
		PEEK(ino, (at ? parent : p.inode)->ino, missed);
		s64 n = dirent_emit(to + used, bytes - used, ino, at + 1, DT_DIR, "..",
				    (u32)at + 1);
		if (n <= 0)
			goto missed;
		used += (u64)n;
	}
	s64 n = names_glance(p.inode, &at, to + used, bytes - used, began);
	if (n >= 0 && place_move(&p, at))
		return (s64)used + n;
missed:
	return GLANCE_MISSED;
}

/* SPDX-License-Identifier: MIT
 * Inodes and the page cache of regular files. The boot archive's bytes are read and mapped where they lie; a page is
 * copied into the cache when it may change, or when the archive has it only in part. */
#include "caps.h"
#include "inode.h"
#include "glance.h"
#include "inotify.h"
#include "mm.h"
#include "sched.h"
#include "swap.h"

static u64 next_ino = 2;
u64 cache_pages;

/* UTC now, ns since 1970. */
s64 realtime_ns(void)
{
	return (s64)now_ns() + family.realtime_offset;
}

struct inode *inode_create(u32 mode, u32 device)
{
	struct inode *i = kmalloc(sizeof(*i));
	if (!i)
		return NULL;
	i->refs = 1;
	i->mode = mode;
	i->device = device;
	i->ino = next_ino++;
	if (family.init && current() && current()->proc) {
		i->uid = current()->proc->euid;
		i->gid = current()->proc->egid;
	}
	i->atime = i->mtime = i->ctime = realtime_ns();
	list_init(&i->locks);
	list_init(&i->records);
	if (S_ISDIR(mode) && device == DEVICE_ROOT)
		list_init(&i->dir.entries);
	return i;
}

void inode_get(struct inode *i)
{
	i->refs++;
}

static void cache_put(struct inode *i, u64 *entry, void *page)
{
	*entry = (u64)page;
	i->blocks++;
	cache_pages++;
}

static void cache_drop(struct inode *i, u64 *entry)
{
	if (!*entry)
		return;
	page_put((void *)*entry);
	*entry = 0;
	i->blocks--;
	cache_pages--;
}

/* Forgets the cached pages from index `first` on. */
static void cache_truncate(struct inode *i, u64 first)
{
	for (u64 p = first; p < DIRECT_PAGES; p++)
		cache_drop(i, &i->file.direct[p]);
	for (u64 c = first / CHUNK_PAGES; c < i->file.nchunks; c++) {
		u64 *chunk = i->file.chunks[c];
		if (!chunk)
			continue;
		u64 from = c == first / CHUNK_PAGES ? first % CHUNK_PAGES : 0;
		for (u64 p = from; p < CHUNK_PAGES; p++)
			cache_drop(i, &chunk[p]);
		if (from == 0) {
			page_put(chunk);
			i->file.chunks[c] = NULL;
		}
		sched_breathe();
	}
}

void inode_cache_free(struct inode *i)
{
	cache_truncate(i, 0);
	kfree(i->file.chunks);
}

static void inode_free(struct inode *i)
{
	inotify_gone(i);
	xattr_release(i);
	if (i->ops && i->ops->free)
		i->ops->free(i);
	else if (S_ISREG(i->mode)) {
		inode_cache_free(i);
	} else if (S_ISDIR(i->mode)) {
		if (i->dir.parent && i->dir.parent != i)
			inode_put(i->dir.parent);
		kfree(i->dir.name);
	} else if (S_ISLNK(i->mode)) {
		kfree(i->link.target);
	} else if (S_ISFIFO(i->mode) && i->pipe) {
		pipe_free(i->pipe);
	}
	kfree(i);
}

void inode_put(struct inode *i)
{
	exos_assert(i->refs > 0);
	if (--i->refs == 0)
		inode_free(i);
}

u64 inode_size(const struct inode *i)
{
	return i->size;
}

void inode_touch(struct inode *i)
{
	i->mtime = i->ctime = realtime_ns();
}

void inode_unprivileged(struct inode *i)
{
	u32 lost = (i->mode & S_ISUID) | (i->mode & 010 ? i->mode & S_ISGID : 0);
	if (!lost || !S_ISREG(i->mode) || capable(CAP_FSETID))
		return;
	u32 within = tree_change_begin();
	i->mode &= ~lost;
	tree_change_end(within);
}

/* Makes room for chunk c. 0 or -ENOMEM. */
static s64 chunks_grow(struct inode *i, u64 c)
{
	u64 n = max(max(i->file.nchunks * 2, c + 1), 4ul);
	u64 **old = i->file.chunks, **grown = kmalloc(n * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	if (old)
		__builtin_memcpy(grown, old, i->file.nchunks * sizeof(*grown));
	change_begin(&i->changes);
	i->file.chunks = grown;
	i->file.nchunks = n;
	change_end(&i->changes);
	kfree(old);
	return 0;
}

/* What files leave of the memory, so that programs go on when a writer has filled all that it may: a part of 64, but for
 * very little or very much. */
static u64 files_reserve(void)
{
	u64 part = pages_total() / 64;
	return min(max(part, 64ul), 4096ul);
}

int file_room(u64 pages)
{
	u64 free = pages_free(), need = files_reserve() + pages;

	if (free >= need)
		return 1;
	swap_out(0, ~0u, (u32)(need - free), ~0u);
	return pages_free() >= need;
}

u64 files_free(void)
{
	u64 free = pages_free(), reserve = files_reserve();
	return free > reserve ? free - reserve : 0;
}

/* The cache's entry for a page, making the way to it when `make`. NULL: not there, or no memory. */
static u64 *cache_entry(struct inode *i, u64 index, int make)
{
	u64 c = index / CHUNK_PAGES;
	if (index < DIRECT_PAGES)
		return &i->file.direct[index];
	if (c >= i->file.nchunks && (!make || chunks_grow(i, c)))
		return NULL;
	if (!i->file.chunks[c]) {
		if (!make)
			return NULL;
		i->file.chunks[c] = page_zalloc(0);
		if (!i->file.chunks[c])
			return NULL;
	}
	return &i->file.chunks[c][index % CHUNK_PAGES];
}

void *inode_page_peek(const struct inode *i, u64 index)
{
	u64 *entry = cache_entry((struct inode *)i, index, 0);
	return entry ? (void *)*entry : NULL;
}

u64 inode_data_from(const struct inode *i, u64 at)
{
	u64 index = at / PAGE, most = i->file.nchunks * CHUNK_PAGES;
	if (at < i->file.archive_bytes)
		return at;
	while (!inode_page_peek(i, index)) {
		if (index >= DIRECT_PAGES && index >= most)
			return ~0ul;
		if (index >= DIRECT_PAGES && !i->file.chunks[index / CHUNK_PAGES])
			index |= CHUNK_PAGES - 1;
		index++;
	}
	return max(at, index * PAGE);
}

/* The archive's page that holds this one whole, or NULL. */
static void *archive_page(const struct inode *i, u64 index)
{
	if (!i->file.archive || (u64)i->file.archive % PAGE ||
	    i->file.archive_bytes / PAGE <= index)
		return NULL;
	return (void *)(i->file.archive + index * PAGE);
}

/* Fills a page that the cache does not have: zeros, and what the archive has of it. From now on it is this page
 * that changes, so programs that have the archive's bound get it instead. */
static void *cache_fill(struct inode *i, u64 index)
{
	u64 at = index * PAGE;
	u8 *page = page_zalloc(0);
	if (page && i->file.archive && at < i->file.archive_bytes)
		__builtin_memcpy(page, i->file.archive + at, min(PAGE, i->file.archive_bytes - at));
	if (page && i->file.in_place && archive_page(i, index))
		mm_inode_replaced(i, index, archive_page(i, index), page);
	return page;
}

void *inode_page_ready(struct inode *i, u64 index)
{
	void *page = inode_page_peek(i, index);
	if (page) {
		page_get(page);
		return page;
	}
	page = archive_page(i, index);
	if (page)
		i->file.in_place = 1;
	return page;
}

/* The page at index in the cache, referenced, brought there if it is not. NULL: *error is -ENOMEM. */
static void *page_bring(struct inode *i, u64 index, s64 *error)
{
	u64 *entry = cache_entry(i, index, 1);
	if (entry && !*entry) {
		void *page = cache_fill(i, index);
		if (page)
			cache_put(i, entry, page);
	}
	if (!entry || !*entry) {
		*error = -ENOMEM;
		return NULL;
	}
	*error = 0;
	page_get((void *)*entry);
	return (void *)*entry;
}

void *inode_page(struct inode *i, u64 index, s64 *error)
{
	*error = 0;
	if (!S_ISREG(i->mode) || i->device != DEVICE_ROOT) {
		*error = -EIO;
		return NULL;
	}
	if (index * PAGE >= i->size) {
		*error = -ENXIO;
		return NULL;
	}
	void *page = inode_page_ready(i, index);
	return page ? page : page_bring(i, index, error);
}

void *inode_page_write(struct inode *i, u64 index, s64 *error)
{
	if (!inode_page_peek(i, index) && !file_room(2)) {
		*error = -ENOSPC;
		return NULL;
	}
	return page_bring(i, index, error);
}

/* Where the bytes of a page lie for reading: in the cache, in the archive, or nowhere (zeros: NULL). */
static const u8 *page_bytes(struct inode *i, u64 index, u64 *held)
{
	u8 *page = inode_page_peek(i, index);
	*held = PAGE;
	if (page)
		return page;
	u64 at = index * PAGE;
	if (!i->file.archive || at >= i->file.archive_bytes)
		return NULL;
	*held = min(PAGE, i->file.archive_bytes - at);
	return i->file.archive + at;
}

s64 inode_read_kernel(struct inode *i, void *to, usize bytes, u64 offset)
{
	static const u8 zeros[PAGE];
	u64 done = 0;
	if (!S_ISREG(i->mode) || i->device != DEVICE_ROOT)
		return -EINVAL;
	if (offset >= i->size)
		return 0;
	bytes = min(bytes, i->size - offset);
	while (done < bytes) {
		u64 at = offset + done, held, skip = at % PAGE;
		u64 n = min(PAGE - skip, bytes - done);
		const u8 *from = page_bytes(i, at / PAGE, &held);
		if (from && skip < held)
			n = min(n, held - skip);
		else
			from = NULL;
		if (io_out((u64)to + done, from ? from + skip : zeros, n))
			return done ? (s64)done : -EFAULT;
		done += n;
	}
	return (s64)done;
}

/* Writes within a page. 0, -EFAULT, -ENOSPC. */
static s64 page_write(struct inode *i, u64 index, u64 skip, u64 from, u64 bytes)
{
	s64 error;
	u8 *page = inode_page_write(i, index, &error);
	if (!page)
		return -ENOSPC;
	error = io_in(page + skip, from, bytes);
	page_put(page);
	return error;
}

/* Writes a whole page where the cache has none: what it held before is of no use. The copy may fault, and bring that very
 * page, if `from` is a mapping of it. 0, -EFAULT, -ENOSPC. */
static s64 page_write_whole(struct inode *i, u64 index, u64 from)
{
	void *page = file_room(2) ? page_alloc(0) : NULL;
	if (!page)
		return -ENOSPC;
	s64 error = io_in(page, from, PAGE);
	u64 *entry = error ? NULL : cache_entry(i, index, 1);
	if (!entry) {
		page_put(page);
		return error ? error : -ENOSPC;
	}
	if (*entry) {
		__builtin_memcpy((void *)*entry, page, PAGE);
		page_put(page);
		return 0;
	}
	if (i->file.in_place && archive_page(i, index))
		mm_inode_replaced(i, index, archive_page(i, index), page);
	cache_put(i, entry, page);
	return 0;
}

s64 inode_write_kernel(struct inode *i, const void *from, usize bytes, u64 offset)
{
	u64 done = 0;
	if (offset > INODE_MAX_SIZE || bytes > INODE_MAX_SIZE - offset)
		return -EFBIG;
	while (done < bytes) {
		u64 at = offset + done, skip = at % PAGE;
		u64 n = min(PAGE - skip, bytes - done);
		s64 error = n == PAGE && !inode_page_peek(i, at / PAGE)
				    ? page_write_whole(i, at / PAGE, (u64)from + done)
				    : page_write(i, at / PAGE, skip, (u64)from + done, n);
		if (error)
			return done ? (s64)done : error;
		done += n;
		i->size = max(i->size, at + n);
	}
	return (s64)done;
}

/* Zeroes the cached bytes behind the end in the last page, so that growing shows zeros. */
static void clear_tail(struct inode *i, u64 size)
{
	u8 *page = size % PAGE ? inode_page_peek(i, size / PAGE) : NULL;
	if (page)
		__builtin_memset(page + size % PAGE, 0, PAGE - size % PAGE);
}

/* A page of zeros in the cache, where the archive's would show else. */
static s64 punch_page(struct inode *i, u64 index, u64 from, u64 to)
{
	s64 error;
	u8 *page = inode_page_write(i, index, &error);
	if (!page)
		return -ENOSPC;
	__builtin_memset(page + from, 0, to - from);
	page_put(page);
	return 0;
}

s64 inode_punch(struct inode *i, u64 from, u64 to)
{
	s64 error = 0;
	to = min(to, (i->size + PAGE - 1) & ~(PAGE - 1));
	for (u64 at = from; at < to && !error;) {
		u64 index = at / PAGE, end = min((index + 1) * PAGE, to);
		int whole = at % PAGE == 0 && end % PAGE == 0;
		if (!whole || index * PAGE < i->file.archive_bytes) {
			if (!whole && !inode_page_peek(i, index) &&
			    index * PAGE >= i->file.archive_bytes)
				goto next; /* a hole already */
			change_begin(&i->changes);
			error = punch_page(i, index, at % PAGE, (end - 1) % PAGE + 1);
			change_end(&i->changes);
		} else if (inode_page_peek(i, index)) {
			change_begin(&i->changes);
			mm_inode_unmapped(i, index * PAGE, end);
			cache_drop(i, cache_entry(i, index, 0));
			change_end(&i->changes);
		}
		if (index % 16 == 0)
			sched_breathe();
	next:
		at = end;
	}
	return error;
}

s64 inode_resize(struct inode *i, u64 size)
{
	if ((s64)size < 0)
		return -EINVAL;
	if (size > INODE_MAX_SIZE)
		return -EFBIG;
	if (size < i->size) {
		/* what is cut off within a page goes from mappings of the archive's page, too */
		if (size % PAGE && i->file.in_place && archive_page(i, size / PAGE)) {
			s64 error;
			void *page = inode_page_write(i, size / PAGE, &error);
			if (!page)
				return -ENOSPC;
			page_put(page);
		}
		change_begin(&i->changes);
		i->size = size;
		mm_inode_truncated(i, size);
		cache_truncate(i, (size + PAGE - 1) / PAGE);
		i->file.archive_bytes = min(i->file.archive_bytes, size);
		clear_tail(i, size);
		change_end(&i->changes);
	}
	i->size = size;
	inode_touch(i);
	return 0;
}

/* Whether a group is among the current process's others. */
static int in_groups(u32 gid)
{
	const struct proc *p = current()->proc;
	for (u32 i = 0; i < p->ngroups; i++)
		if (p->groups[i] == gid)
			return 1;
	return 0;
}

s64 inode_permission_ids(const struct inode *i, u32 want, u32 uid, u32 gid, u64 caps)
{
	u32 mode, owner, group;
	PEEK(mode, i->mode, missed);
	PEEK(owner, i->uid, missed);
	PEEK(group, i->gid, missed);
	if (caps & CAP_BIT(CAP_DAC_OVERRIDE) && (!(want & X_OK) || S_ISDIR(mode) || mode & 0111))
		return 0;
	if (caps & CAP_BIT(CAP_DAC_READ_SEARCH) &&
	    (want == R_OK || (S_ISDIR(mode) && !(want & W_OK))))
		return 0;
	u32 shift = owner == uid ? 6 : group == gid || in_groups(group) ? 3 : 0;
	return ((mode >> shift) & want) == want ? 0 : -EACCES;
missed:
	return GLANCE_MISSED;
}

s64 inode_permission(const struct inode *i, u32 want)
{
	struct proc *p = current()->proc;
	return inode_permission_ids(i, want, p->euid, p->egid, p->caps.effective);
}

/* SPDX-License-Identifier: MIT
 * The tree of names: directory entries, found by hash, listed in the order they were made. */
#include "glance.h"
#include "inode.h"
#include "mm.h"
#include "name.h"

#define BUCKETS 16384u
#define BUCKET_ORDER 6 /* pages: BUCKETS * sizeof(struct list) */

struct inode *root_inode;
u32 tree_changes;
static struct list *buckets;

static u64 name_hash(const struct inode *dir, const char *name, u32 length)
{
	u64 hash = tree_seed(dir), rest = 0;
	for (; length >= 8; length -= 8, name += 8)
		hash = name_mix(hash, name_word(name));
	for (u32 i = 0; i < length; i++)
		rest |= (u64)(u8)name[i] << 8 * i;
	return name_mix(hash, rest);
}

/* Makes the empty root. */
void tree_init(void)
{
	buckets = page_alloc(BUCKET_ORDER);
	exos_assert(buckets);
	for (u32 i = 0; i < BUCKETS; i++)
		list_init(&buckets[i]);
	root_inode = inode_create(S_IFDIR | 0755, DEVICE_ROOT);
	exos_assert(root_inode);
	root_inode->ino = 1;
	root_inode->nlink = 2;
	root_inode->dir.parent = root_inode;
}

struct dentry *tree_find(struct inode *dir, const char *name, u32 length)
{
	u64 hash = name_hash(dir, name, length);
	struct list *bucket = &buckets[hash % BUCKETS];
	for (struct list *l = bucket->next; l != bucket; l = l->next) {
		struct dentry *d = container_of(l, struct dentry, bucket);
		if (d->hash == hash && d->dir == dir && d->length == length &&
		    !__builtin_memcmp(d->name, name, length))
			return d;
	}
	return NULL;
}

/* Whether d is this name: 1, 0, or -1 where it cannot be read. */
static inline int name_glance(const struct dentry *d, const struct inode *dir, const char *name,
			      u32 length)
{
	const u64 *words = (const u64 *)d->name;
	const struct inode *of;
	u32 bytes;
	u64 word;
	PEEK(of, d->dir, missed);
	PEEK(bytes, d->length, missed);
	if (of != dir || bytes != length)
		return 0;
	for (; bytes >= 8; bytes -= 8, name += 8) {
		PEEK(word, *words, missed);
		words++;
		if (word != name_word(name))
			return 0;
	}
	PEEK(word, *words, missed);
	return word == word_cut(name_word(name), bytes);
missed:
	return -1;
}

s64 tree_glance(const struct inode *dir, const char *name, u32 length, u64 hash, u32 began,
		struct dentry **out)
{
	const struct list *bucket = &buckets[hash % BUCKETS], *l = bucket->next;
	u64 of;
	*out = NULL;
	while (l != bucket) {
		struct dentry *d = container_of(l, struct dentry, bucket);
		PEEK(of, d->hash, missed);
		int same = of == hash ? name_glance(d, dir, name, length) : 0;
		if (same < 0)
			return GLANCE_MISSED;
		if (same) {
			*out = d;
			return 0;
		}
		PEEK(l, d->bucket.next, missed);
		/* what was given back may lead in circles */
		if (!glance_holds(&tree_changes, began))
			return GLANCE_MISSED;
	}
	return 0;
missed:
	return GLANCE_MISSED;
}

/* A copy of length bytes, terminated. NULL: no memory. */
char *string_copy(const char *s, usize length)
{
	char *copy = kmalloc(length + 1);
	if (copy)
		__builtin_memcpy(copy, s, length);
	return copy;
}

/* A directory learns its place: what getcwd shows and where ".." leads. */
static s64 directory_place(struct inode *child, struct inode *dir, const char *name, u32 length)
{
	char *copy = string_copy(name, length);
	if (!copy)
		return -ENOMEM;
	kfree(child->dir.name);
	child->dir.name = copy;
	inode_get(dir);
	struct inode *before = child->dir.parent;
	u32 within = tree_change_begin();
	child->dir.parent = dir;
	tree_change_end(within);
	if (before)
		inode_put(before);
	dir->nlink++;
	return 0;
}

struct dentry *tree_add(struct inode *dir, const char *name, u32 length, struct inode *inode)
{
	struct dentry *d = kmalloc(sizeof(*d) + (length / 8 + 1) * 8);
	if (!d)
		return NULL;
	if (S_ISDIR(inode->mode) && inode->device == DEVICE_ROOT &&
	    directory_place(inode, dir, name, length)) {
		kfree(d);
		return NULL;
	}
	d->refs = 1;
	d->dir = dir;
	d->inode = inode;
	d->length = length;
	d->hash = name_hash(dir, name, length);
	d->cookie = ++dir->dir.next_cookie + 2; /* 1 and 2 are behind "." and ".." */
	__builtin_memcpy(d->name, name, length);
	list_add_tail(&dir->dir.entries, &d->link);
	u32 within = tree_change_begin();
	list_add_tail(&buckets[d->hash % BUCKETS], &d->bucket);
	tree_change_end(within);
	dir->dir.count++;
	inode_get(inode);
	inode->nlink += S_ISDIR(inode->mode) ? 2 : 1;
	inode_touch(dir);
	inode->ctime = dir->ctime;
	return d;
}

void dentry_put(struct dentry *d)
{
	if (!--d->refs)
		kfree(d);
}

/* A directory's cursor goes back from a name that is taken away: it may stand anywhere before what is wanted. */
static void cursor_leave(struct inode *dir, const struct dentry *d)
{
	struct list *back = d->link.prev;
	if (dir->dir.cursor == d)
		dir->dir.cursor =
			back == &dir->dir.entries ? NULL : container_of(back, struct dentry, link);
}

void tree_remove(struct dentry *d)
{
	struct inode *i = d->inode, *dir = d->dir;
	cursor_leave(dir, d);
	list_del(&d->link);
	u32 within = tree_change_begin();
	list_del(&d->bucket);
	tree_change_end(within);
	dir->dir.count--;
	inode_touch(dir);
	i->ctime = dir->ctime;
	i->nlink -= S_ISDIR(i->mode) ? 2 : 1;
	if (S_ISDIR(i->mode)) {
		dir->nlink--;
		if (i->nlink == 0 && i->dir.parent == dir) {
			kfree(i->dir.name);
			i->dir.name = NULL;
		}
	}
	if (S_ISREG(i->mode) && !i->nlink)
		mm_inode_gone(i);
	dentry_put(d);
	inode_put(i);
}

/* A directory's own name and parent, whether of the tree or of proc. */
static struct inode *directory_parent(struct inode *dir, const char **name)
{
	if (dir->device == DEVICE_PROC && dir->proc.parent) {
		*name = dir->proc.name;
		return dir->proc.parent;
	}
	*name = dir->dir.name;
	return dir->dir.parent;
}

s64 tree_path(struct inode *dir, char *to, usize bytes)
{
	usize at = bytes;
	const struct fsinfo *fs =
		family.init && current() && current()->proc ? current()->proc->fs : NULL;
	const struct inode *top = fs && fs->root ? fs->root : root_inode;
	if (bytes < 2)
		return -ERANGE;
	to[--at] = 0;
	for (; dir != root_inode && dir != top;) {
		const char *name;
		struct inode *parent = directory_parent(dir, &name);
		if (!name || !parent)
			return -ENOENT;
		usize n = __builtin_strlen(name);
		if (n + 1 > at)
			return -ERANGE;
		at -= n;
		__builtin_memcpy(to + at, name, n);
		to[--at] = '/';
		dir = parent;
	}
	if (at == bytes - 1)
		to[--at] = '/';
	__builtin_memmove(to, to + at, bytes - at);
	return (s64)(bytes - at - 1);
}

char *tree_path_of(struct inode *dir, const char *name, u32 length)
{
	char *path = page_alloc(1), *result;
	if (!path)
		return NULL;
	s64 n = tree_path(dir, path, PATH_MAX);
	if (n < 0) {
		page_put(path);
		return NULL;
	}
	if (length) {
		if (path[n - 1] != '/')
			path[n++] = '/';
		__builtin_memcpy(path + n, name, length);
		n += length;
	}
	result = string_copy(path, (usize)n);
	page_put(path);
	return result;
}

struct inode *tree_make(struct inode *dir, const char *name, u32 mode, u64 rdev)
{
	struct inode *i = tree_try(dir, name, mode, rdev);
	if (!i)
		exos_panic("no memory for /%s", name);
	return i;
}

struct inode *tree_try(struct inode *dir, const char *name, u32 mode, u64 rdev)
{
	u32 length = (u32)__builtin_strlen(name);
	struct dentry *d = tree_find(dir, name, length);
	if (d && ((d->inode->mode ^ mode) & S_IFMT) == 0)
		return d->inode;
	if (d)
		tree_remove(d);
	struct inode *i = inode_create(mode, DEVICE_ROOT);
	if (!i)
		return NULL;
	i->rdev = rdev;
	d = tree_add(dir, name, length, i);
	inode_put(i); /* the name holds it */
	return d ? i : NULL;
}

char *tree_name_of(const struct inode *inode)
{
	for (u32 i = 0; i < BUCKETS; i++) {
		for (struct list *l = buckets[i].next; l != &buckets[i]; l = l->next) {
			struct dentry *d = container_of(l, struct dentry, bucket);
			if (d->inode == inode)
				return tree_path_of(d->dir, d->name, d->length);
		}
	}
	return NULL;
}

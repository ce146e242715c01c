/* SPDX-License-Identifier: MIT
 * The tree of names: directory entries, found by hash, listed in the order they were made. */
#include "inode.h"
#include "mm.h"

#define BUCKETS 16384u
#define BUCKET_ORDER 6 /* pages: BUCKETS * sizeof(struct list) */

struct inode *root_inode;
static struct list *buckets;

static u32 name_hash(const struct inode *dir, const char *name, u32 length)
{
	u32 h = 2166136261u ^ (u32)dir->ino;
	for (u32 i = 0; i < length; i++)
		h = (h ^ (u8)name[i]) * 16777619u;
	return h ^ h >> 15;
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
	u32 hash = name_hash(dir, name, length);
	struct list *bucket = &buckets[hash % BUCKETS];
	for (struct list *l = bucket->next; l != bucket; l = l->next) {
		struct dentry *d = container_of(l, struct dentry, bucket);
		if (d->hash == hash && d->dir == dir && d->length == length &&
		    !__builtin_memcmp(d->name, name, length))
			return d;
	}
	return NULL;
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
	if (child->dir.parent)
		inode_put(child->dir.parent);
	child->dir.parent = dir;
	dir->nlink++;
	return 0;
}

s64 tree_add(struct inode *dir, const char *name, u32 length, struct inode *inode)
{
	struct dentry *d = kmalloc(sizeof(*d) + length + 1);
	if (!d)
		return -ENOMEM;
	if (S_ISDIR(inode->mode) && inode->device == DEVICE_ROOT &&
	    directory_place(inode, dir, name, length)) {
		kfree(d);
		return -ENOMEM;
	}
	d->dir = dir;
	d->inode = inode;
	d->length = (u16)length;
	d->hash = name_hash(dir, name, length);
	d->cookie = ++dir->dir.next_cookie + 2; /* 1 and 2 are behind "." and ".." */
	__builtin_memcpy(d->name, name, length);
	list_add_tail(&dir->dir.entries, &d->link);
	list_add_tail(&buckets[d->hash % BUCKETS], &d->bucket);
	dir->dir.count++;
	inode_get(inode);
	inode->nlink += S_ISDIR(inode->mode) ? 2 : 1;
	inode_touch(dir);
	inode->ctime = dir->ctime;
	return 0;
}

void tree_remove(struct dentry *d)
{
	struct inode *i = d->inode, *dir = d->dir;
	list_del(&d->link);
	list_del(&d->bucket);
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
	kfree(d);
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
	if (bytes < 2)
		return -ERANGE;
	to[--at] = 0;
	for (; dir != root_inode;) {
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
	char *path = kmalloc(PATH_MAX + NAME_MAX + 2), *result;
	if (!path)
		return NULL;
	s64 n = tree_path(dir, path, PATH_MAX);
	if (n < 0) {
		kfree(path);
		return NULL;
	}
	if (length) {
		if (path[n - 1] != '/')
			path[n++] = '/';
		__builtin_memcpy(path + n, name, length);
		n += length;
	}
	result = string_copy(path, (usize)n);
	kfree(path);
	return result;
}

struct inode *tree_make(struct inode *dir, const char *name, u32 mode, u64 rdev)
{
	u32 length = (u32)__builtin_strlen(name);
	struct dentry *d = tree_find(dir, name, length);
	if (d && ((d->inode->mode ^ mode) & S_IFMT) == 0)
		return d->inode;
	if (d)
		tree_remove(d);
	struct inode *i = inode_create(mode, DEVICE_ROOT);
	if (!i || tree_add(dir, name, length, i))
		exos_panic("no memory for /%s", name);
	i->rdev = rdev;
	inode_put(i); /* the name holds it */
	return i;
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

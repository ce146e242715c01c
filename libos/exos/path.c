/* SPDX-License-Identifier: MIT
 * Walks along paths: components, "..", symbolic links, and the errors in Linux's order. */
#include "glance.h"
#include "name.h"

#define WALK_BUFFER (2 * PATH_MAX) /* of which the walk itself uses all but a word: name.h */
#define WALK_ORDER 1
_Static_assert(WALK_BUFFER <= PAGE << WALK_ORDER, "a block of pages");

/* Gives up what was found and takes over the reference of `to`. */
static void walk_step(struct walk *w, struct inode *to)
{
	inode_put(w->dir);
	w->dir = to;
}

static struct inode *process_root(void)
{
	const struct fsinfo *fs = current()->proc->fs;
	return fs && fs->root ? fs->root : root_inode;
}

static s64 walk_start(struct walk *w, s32 dir, const char *path)
{
	struct inode *from = process_root();
	int bound = (w->resolve & (WALK_BENEATH | WALK_IN_ROOT)) != 0;
	w->top = from;
	if (path[0] == '/' && w->resolve & WALK_BENEATH)
		return -EXDEV;
	if (path[0] != '/' || bound) {
		if (dir == AT_FDCWD) {
			from = current()->proc->fs->cwd;
		} else {
			struct file *f = fd_file((u32)dir);
			if (!f)
				return -EBADF;
			if (!f->inode || (path[0] && !S_ISDIR(f->inode->mode)))
				return -ENOTDIR;
			from = f->inode;
		}
	}
	if (bound)
		w->top = from;
	inode_get(from);
	w->dir = from;
	return 0;
}

/* The child `name` of directory w->dir, referenced; proc's are made as they are looked up. */
static s64 walk_child(struct walk *w, const char *name, u32 length, struct inode **out)
{
	struct inode *dir = w->dir;
	w->entry = NULL;
	if (dir->ops && dir->ops->lookup)
		return dir->ops->lookup(dir, name, length, out);
	struct dentry *d = tree_find(dir, name, length);
	if (!d)
		return -ENOENT;
	w->entry = d;
	inode_get(d->inode);
	*out = d->inode;
	return 0;
}

static struct inode *walk_up(const struct walk *w)
{
	struct inode *dir = w->dir, *up = dir->device == DEVICE_PROC && dir->proc.parent
						  ? dir->proc.parent
						  : dir->dir.parent;
	if (!up || dir == w->top)
		up = dir;
	inode_get(up);
	return up;
}

/* Puts a link's target before what is left of the path. */
static s64 walk_link(struct walk *w, struct inode *link, char **rest, struct inode **jump)
{
	*jump = NULL;
	if (w->resolve & WALK_NO_LINKS)
		return -ELOOP;
	if (link->ops && link->ops->follow) {
		if (w->resolve & WALK_NO_MAGIC)
			return -ELOOP;
		if (w->resolve & (WALK_BENEATH | WALK_IN_ROOT))
			return -EXDEV;
		s64 error = link->ops->follow(link, jump);
		if (error || *jump)
			return error;
	}
	char *target = page_alloc(0);
	if (!target)
		return -ENOMEM;
	s64 n = link->ops && link->ops->readlink ? link->ops->readlink(link, target, PATH_MAX - 1)
						 : (s64)min((u64)link->link.length, PATH_MAX - 1ul);
	usize left = __builtin_strlen(*rest);
	if (n >= 0 && !(link->ops && link->ops->readlink))
		__builtin_memcpy(target, link->link.target, (usize)n);
	if (n == 0)
		n = -ENOENT;
	if (n > 0 && (usize)n + 1 + left + 8 > WALK_BUFFER)
		n = -ENAMETOOLONG;
	if (n > 0) {
		/* a slash behind the link stays: the target must be a directory then */
		__builtin_memmove(w->buffer + n + (w->slash ? 1 : 0), *rest, left + 1);
		__builtin_memcpy(w->buffer, target, (usize)n);
		if (w->slash)
			w->buffer[n] = '/';
		*rest = w->buffer;
		if (target[0] == '/') {
			inode_get(w->top);
			walk_step(w, w->top);
		}
		if (target[0] == '/' && w->resolve & WALK_BENEATH)
			n = -EXDEV;
	}
	page_put(target);
	return n < 0 ? n : 0;
}

/* Takes the next component from *rest. Length, 0 at the end. *last: nothing but slashes follow. */
static u32 walk_next(struct walk *w, char **rest, int *last)
{
	u64 hash;
	*rest = walk_component(w, *rest, 0, &hash);
	*last = !**rest;
	return w->last_length;
}

static int name_is_dots(const struct walk *w)
{
	return w->last[0] == '.' &&
	       (w->last_length == 1 || (w->last_length == 2 && w->last[1] == '.'));
}

static s64 walk_run(struct walk *w, u32 flags)
{
	char *rest = w->buffer;
	u32 links = 0;
	for (;;) {
		int last;
		struct inode *child, *jump;
		if (!walk_next(w, &rest, &last)) { /* "/" alone, or a link to it */
			w->last_special = 1;
			inode_get(w->dir);
			w->inode = w->dir;
			return 0;
		}
		if (!S_ISDIR(w->dir->mode))
			return -ENOTDIR;
		s64 error = inode_permission(w->dir, X_OK);
		if (error)
			return error;
		w->last_special = 0;
		if (w->last_length > NAME_MAX) {
			w->late = -ENAMETOOLONG;
			return last && (flags & WALK_NAME) ? 0 : -ENAMETOOLONG;
		}
		if (name_is_dots(w)) {
			if (w->last_length == 2 && w->dir == w->top && w->resolve & WALK_BENEATH)
				return -EXDEV;
			if (w->last_length == 2)
				walk_step(w, walk_up(w));
			w->last_special = 1;
			if (!last)
				continue;
			inode_get(w->dir);
			w->inode = w->dir;
			return 0;
		}
		if (last && w->slash && (flags & WALK_PARENT)) /* a file is to be made */
			return -EISDIR;
		error = walk_child(w, w->last, w->last_length, &child);
		if (error) {
			if (error == -ENOENT && last && (flags & (WALK_PARENT | WALK_NAME)))
				return 0;
			return error;
		}
		if (w->resolve & WALK_NO_XDEV && child->device != w->dir->device) {
			inode_put(child);
			return -EXDEV;
		}
		if (last && (flags & WALK_NAME)) {
			w->inode = child;
			return 0;
		}
		if (S_ISLNK(child->mode) && (!last || w->slash || (flags & WALK_FOLLOW))) {
			error = ++links > SYMLINK_DEPTH ? -ELOOP
							: walk_link(w, child, &rest, &jump);
			inode_put(child);
			if (error)
				return error;
			if (!jump)
				continue;
			child = jump;
		}
		if (last) {
			w->inode = child;
			return w->slash && !S_ISDIR(child->mode) ? -ENOTDIR : 0;
		}
		walk_step(w, child);
	}
}

void walk_done(struct walk *w)
{
	if (w->inode)
		inode_put(w->inode);
	if (w->dir)
		inode_put(w->dir);
	if (w->buffer)
		page_put(w->buffer);
	w->inode = w->dir = NULL;
	w->buffer = NULL;
}

/* Walks the path that is in w->buffer. On failure everything is given back. */
static s64 walk_buffer(struct walk *w, s32 dir, u32 flags)
{
	w->empty = !w->buffer[0];
	w->resolve = flags & WALK_RESOLVE;
	if (w->empty && !(flags & WALK_EMPTY)) {
		walk_done(w);
		return -ENOENT;
	}
	s64 error = walk_start(w, dir, w->buffer);
	if (!error && !w->buffer[0]) {
		inode_get(w->dir);
		w->inode = w->dir;
		w->last_special = 1;
	} else if (!error) {
		error = walk_run(w, flags);
	}
	if (error)
		walk_done(w);
	return error;
}

static s64 walk_begin(struct walk *w)
{
	w->inode = w->dir = NULL;
	w->entry = NULL;
	w->last = "";
	w->last_length = w->last_special = w->slash = w->empty = 0;
	w->late = 0;
	w->buffer = page_alloc(WALK_ORDER);
	return w->buffer ? 0 : -ENOMEM;
}

/* With the lock a glance misses nothing but what it does not do. */
s64 walk_user(struct walk *w, s32 dir, u64 path, u32 flags)
{
	struct glance g;
	w->slash = 0;
	u32 quick = flags & WALK_NAME ? WALK_PARENT : flags;
	s64 error = flags & WALK_RESOLVE ? GLANCE_MISSED : glance_walk(w, &g, dir, path, quick);
	if ((flags & WALK_NAME && error) || (flags & (WALK_NAME | WALK_PARENT) && w->slash))
		/* a slash follows there, a long name fails */
		error = GLANCE_MISSED;
	w->late = 0;
	if (!error) {
		inode_get(w->dir);
		if (w->inode)
			inode_get(w->inode);
		return 0;
	}
	if (error != GLANCE_MISSED)
		return error;
	error = walk_begin(w);
	if (error)
		return error;
	error = string_in(w->buffer, path, PATH_MAX);
	if (error < 0) {
		walk_done(w);
		return error;
	}
	return walk_buffer(w, dir, flags);
}

s64 walk_string(struct walk *w, s32 dir, const char *path, u32 flags)
{
	s64 error = walk_begin(w);
	if (error)
		return error;
	usize n = __builtin_strlen(path);
	if (n >= PATH_MAX) {
		walk_done(w);
		return -ENAMETOOLONG;
	}
	__builtin_memcpy(w->buffer, path, n + 1);
	return walk_buffer(w, dir, flags);
}

char *walk_path(const struct walk *w)
{
	if (w->last_special || !w->last_length)
		return S_ISDIR(w->dir->mode) ? tree_path_of(w->dir, "", 0) : NULL;
	return tree_path_of(w->dir, w->last, w->last_length);
}

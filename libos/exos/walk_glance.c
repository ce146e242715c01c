/* SPDX-License-Identifier: MIT
 * Walks along paths by glances (glance.h), also with the family lock, where they miss nothing but what is not done here: paths
 * that are long, /proc, and links of its kind. path.c has the whole of it; the errors and their order are the same. */
#include "caps.h"
#include "glance.h"
#include "name.h"
#include "usermem.h"

/* Eight bytes of the program from `at`, and zeros behind its zero. 0, or -1: a fault. */
static inline int path_word(u64 at, u64 *word)
{
	if (at % PAGE <= PAGE - 8) {
		PEEK(*word, *(const u64 *)at, missed);
		return 0;
	}
	*word = 0;
	for (u32 i = 0; i < 8; i++) { /* what lies behind a page's end need not be there */
		u8 byte;
		PEEK(byte, *(const u8 *)(at + i), missed);
		*word |= (u64)byte << 8 * i;
		if (!byte)
			break;
	}
	return 0;
missed:
	return -1;
}

/* Copies the program's path, with a word of anything behind its zero. Its length or GLANCE_MISSED. */
static s64 path_glance(char *to, u64 from)
{
	if (from >= PROGRAM_TOP - GLANCE_PATH - 8)
		return GLANCE_MISSED;
	for (u32 n = 0; n < GLANCE_PATH; n += 8) {
		u64 word, end;
		if (path_word(from + n, &word))
			return GLANCE_MISSED;
		__builtin_memcpy(to + n, &word, 8);
		end = word_zeros(word);
		if (end)
			return n + __builtin_ctzl(end) / 8;
	}
	return GLANCE_MISSED;
}

/* Where a walk begins that does not begin at the root. 0, -E or GLANCE_MISSED. */
static s64 start_glance(struct glance *g, s32 dir, int empty, struct inode **out)
{
	const struct proc *p = current()->proc;
	const struct fd_slot *slots;
	const struct file *f;
	u32 mode;
	if (dir == AT_FDCWD) {
		*out = p->fs->cwd;
		return 0;
	}
	g->files = p->files;
	g->files_began = glance_begin(&p->files->changes);
	if ((u32)dir >= p->files->capacity)
		return -EBADF;
	PEEK(slots, p->files->slots, missed);
	PEEK(f, slots[(u32)dir].file, missed);
	if (!f)
		return -EBADF;
	PEEK(*out, f->inode, missed);
	PEEK(mode, (*out)->mode, missed);
	return empty || S_ISDIR(mode) ? 0 : -ENOTDIR;
missed:
	return GLANCE_MISSED;
}

/* Puts a link's target before what is left of the path, of which `left` bytes are at rest. Where the path goes on, NULL: missed. */
static char *link_glance(struct walk *w, const struct inode *link, const char *rest, u32 left)
{
	const char *target;
	const struct inode_ops *ops;
	u32 n, slash = w->slash;
	PEEK(ops, link->ops, missed);
	PEEK(n, link->link.length, missed);
	PEEK(target, link->link.target, missed);
	if (ops || !n || n > GLANCE_PATH || n + slash + left >= GLANCE_PATH)
		goto missed;
	__builtin_memmove(w->path + n + slash, rest, left + 1);
	if (slash)
		w->path[n] = '/';
	if (!user_copy(w->path, target, n))
		return w->path;
missed:
	return NULL;
}

/* Whether names may be looked for in a directory here, by the current process. 0, -ENOTDIR, -EACCES, GLANCE_MISSED. */
static inline s64 directory_glance(const struct inode *dir)
{
	const struct inode_ops *ops;
	u32 mode, device;
	PEEK(mode, dir->mode, missed);
	if (!S_ISDIR(mode))
		return -ENOTDIR;
	PEEK(ops, dir->ops, missed);
	PEEK(device, dir->device, missed);
	if (ops || device != DEVICE_ROOT)
		return GLANCE_MISSED;
	return capable(CAP_DAC_OVERRIDE) ? 0 : inode_permission(dir, X_OK);
missed:
	return GLANCE_MISSED;
}

/* The end of a walk at a directory by no name of its own. */
static s64 walk_ends_at(struct walk *w, struct inode *dir)
{
	w->inode = w->dir = dir;
	w->last_special = 1;
	return 0;
}

static s64 run_glance(struct walk *w, const struct glance *g, struct inode *at, u32 length,
		      u32 flags)
{
	char *p = w->path, *end = p + length;
	u32 links = 0;
	for (;;) {
		struct dentry *d;
		struct inode *child;
		u64 hash;
		u32 mode;
		p = walk_component(w, p, tree_seed(at), &hash);
		u32 n = w->last_length;
		if (!n)
			return walk_ends_at(w, at);
		s64 error = directory_glance(at);
		if (error)
			return error;
		if (w->last[0] == '.' && (n == 1 || (n == 2 && w->last[1] == '.'))) {
			if (n == 2)
				PEEK(at, at->dir.parent, missed);
			if (!at)
				return GLANCE_MISSED;
			if (p == end)
				return walk_ends_at(w, at);
			continue;
		}
		if (tree_glance(at, w->last, n, hash, g->tree_began, &d))
			return GLANCE_MISSED;
		w->entry = d;
		w->dir = at;
		if (!d)
			return p == end && flags & WALK_PARENT ? 0 : -ENOENT;
		PEEK(child, d->inode, missed);
		PEEK(mode, child->mode, missed);
		if (S_ISLNK(mode) && (p != end || w->slash || flags & WALK_FOLLOW)) {
			u32 left = (u32)(end - p);
			if (++links > SYMLINK_DEPTH)
				return -ELOOP;
			p = link_glance(w, child, p, left);
			if (!p)
				return GLANCE_MISSED;
			end = p + __builtin_strlen(p);
			if (*p == '/')
				at = root_inode;
			continue;
		}
		if (p == end) {
			w->inode = child;
			return w->slash && !S_ISDIR(mode) ? -ENOTDIR : 0;
		}
		at = child;
	}
missed:
	return GLANCE_MISSED;
}

s64 glance_walk(struct walk *w, struct glance *g, s32 dir, u64 path, u32 flags)
{
	struct inode *at = root_inode;
	if (current()->proc->fs->root)
		return GLANCE_MISSED;
	g->files = NULL;
	g->tree_began = glance_begin(&tree_changes);
	s64 length = path_glance(w->path, path);
	if (length < 0)
		return GLANCE_MISSED;
	w->inode = NULL;
	w->entry = NULL;
	w->buffer = NULL;
	w->last = w->path;
	w->last_length = w->last_special = w->slash = 0;
	w->empty = !length;
	if (w->empty && !(flags & WALK_EMPTY))
		return -ENOENT;
	if (w->path[0] != '/') {
		s64 error = start_glance(g, dir, w->empty, &at);
		if (error)
			return error;
	}
	return w->empty ? walk_ends_at(w, at) : run_glance(w, g, at, (u32)length, flags);
}

int glance_walk_holds(const struct glance *g)
{
	return glance_holds(&tree_changes, g->tree_began) &&
	       (!g->files || glance_holds(&g->files->changes, g->files_began));
}

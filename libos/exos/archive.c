/* SPDX-License-Identifier: MIT
 * The boot file system: names from the newc archive, whose file data is used where it lies. */
#include "inode.h"
#include <core/cpio.h>
#include <core/domain.h>

#define LINKS 64 /* inodes with several names whose data may still come */

static struct {
	u32 ino;
	struct inode *inode;
} links[LINKS];
static u32 link_count;

/* The directory that holds the last name of path, made where the archive did not; *name is that last name.
 * NULL: the path has no name, or a file is in the way. */
static struct inode *directory_of(const char *path, const char **name)
{
	struct inode *dir = root_inode;
	for (;;) {
		const char *end = path;
		while (*end && *end != '/')
			end++;
		if (!*end) {
			*name = path;
			return *path && end - path <= NAME_MAX ? dir : NULL;
		}
		char part[NAME_MAX + 1];
		u32 n = (u32)(end - path);
		if (n > NAME_MAX)
			return NULL;
		__builtin_memcpy(part, path, n);
		part[n] = 0;
		if (n) {
			struct dentry *d = tree_find(dir, part, n);
			if (d && !S_ISDIR(d->inode->mode))
				return NULL;
			dir = d ? d->inode : tree_make(dir, part, S_IFDIR | 0755, 0);
		}
		path = end + 1;
	}
}

/* The inode that an earlier name of the archive made for the same file, or NULL. */
static struct inode *link_find(const struct core_cpio_entry *e)
{
	for (u32 i = 0; e->nlink > 1 && i < link_count; i++)
		if (links[i].ino == e->ino)
			return links[i].inode;
	return NULL;
}

static void set_data(struct inode *i, const u8 *archive, const struct core_cpio_entry *e)
{
	if (S_ISREG(i->mode) && e->bytes) {
		i->file.archive = archive + e->offset;
		i->file.archive_bytes = i->size = e->bytes;
	} else if (S_ISLNK(i->mode) && !i->link.target) {
		i->link.length = (u32)min(e->bytes, PATH_MAX - 1ul);
		i->link.target = string_copy((const char *)archive + e->offset, i->link.length);
		i->size = i->link.length;
	}
}

static void set_attributes(struct inode *i, const struct core_cpio_entry *e)
{
	i->mode = (i->mode & S_IFMT) | (e->mode & 07777);
	i->uid = e->uid;
	i->gid = e->gid;
	i->rdev = RDEV(e->rdev_major, e->rdev_minor);
	i->atime = i->mtime = i->ctime = (s64)e->mtime * 1000000000l;
}

static void add_entry(const u8 *archive, const struct core_cpio_entry *e)
{
	const char *name;
	char path[PATH_MAX];
	usize n = __builtin_strlen(e->name);
	if (n >= sizeof(path))
		return;
	__builtin_memcpy(path, e->name, n + 1);
	while (n && path[n - 1] == '/')
		path[--n] = 0;
	if (!n || (n == 1 && path[0] == '.')) {
		set_attributes(root_inode, e);
		return;
	}
	struct inode *dir = directory_of(path, &name);
	u32 kind = e->mode & S_IFMT;
	if (!dir || (kind != S_IFREG && kind != S_IFDIR && kind != S_IFLNK && kind != S_IFCHR &&
		     kind != S_IFIFO)) {
		exos_log("exos: archive: %s is left out", e->name);
		return;
	}
	s64 dir_mtime = dir->mtime; /* a name that the archive brings is no change */
	struct inode *i = link_find(e);
	if (i && !S_ISDIR(i->mode)) {
		struct dentry *old = tree_find(dir, name, (u32)__builtin_strlen(name));
		if (!old && !tree_add(dir, name, (u32)__builtin_strlen(name), i))
			exos_panic("exos: no memory for %s", e->name);
	} else {
		i = tree_make(dir, name, kind, 0);
		if (e->nlink > 1 && kind == S_IFREG && link_count < LINKS) {
			links[link_count].ino = e->ino;
			links[link_count++].inode = i;
		}
	}
	set_data(i, archive, e);
	set_attributes(i, e);
	dir->mtime = dir->ctime = dir_mtime;
}

void archive_mount(const u8 *archive, u64 bytes)
{
	struct core_cpio_entry e;
	u64 at = 0;
	int more;
	while ((more = core_cpio_next(archive, bytes, &at, &e)) > 0)
		if (__builtin_memcmp(e.name, ".aril/", 6) && __builtin_strcmp(e.name, ".aril"))
			add_entry(archive, &e);
	if (more < 0)
		exos_panic("exos: the boot archive is malformed at byte %lu", (unsigned long)at);
}

/* Makes the file system: the archive's files, /dev, /proc and /tmp. Before the first program. */
void files_boot(void)
{
	tree_init();
	if (family.domain->archive.count)
		archive_mount(frame_page(family.domain->archive.first),
			      family.domain->archive_bytes);
	dev_boot(root_inode);
	proc_mount(root_inode);
	if (family.init && family.init->fs && !family.init->fs->cwd) {
		inode_get(root_inode);
		family.init->fs->cwd = root_inode;
	}
}

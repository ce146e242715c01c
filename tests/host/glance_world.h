/* SPDX-License-Identifier: MIT
 * A small tree of files for the tests of glances, made anew for each try, and changes at each word that a glance reads. */
#ifndef HOST_GLANCE_WORLD_H
#define HOST_GLANCE_WORLD_H

#include <sys/syscall.h>
#include <unistd.h>

#include "test.h"

#undef NULL
#undef FD_SETSIZE
#include "caps.h"
#include "file_calls.h"
#include "glance.h"
#include "inotify.h"
#include "linux.h"
#include "poll.h"
#include "proc.h"
#include "record.h"
#include "switch.h"
#include "usermem.h"

#define PROGRAM 0x20000000ul /* what the program has: a page for paths, then its buffer */
#define BUFFER (PROGRAM + PAGE)
#define BUFFER_BYTES (16 * PAGE)
#define ARENA_BYTES (4ul << 20)
#define FILE_PAGES 7u
#define RUINED 0x7070707070707070ul /* leads nowhere; aligned as all of it is */

#include "glance_stubs.h"

/* ---- changes in the middle of a glance ---- */

struct step {
	void (*change)(void);
	int at; /* before this word; -1: not at all */
};
static struct step steps[2];
static int words, changing;

void peek_before(void)
{
	if (changing || lock_state.word) /* who has the lock is alone */
		return;
	int now = words++;
	changing = 1;
	for (u32 i = 0; i < 2; i++)
		if (steps[i].at == now)
			steps[i].change();
	changing = 0;
}

static int within(u64 at, u64 bytes, const void *of, u64 size)
{
	return at >= (u64)of && bytes <= size && at - (u64)of <= size - bytes;
}

int peek_can(const volatile void *at, usize bytes)
{
	return within((u64)at, bytes, arena, sizeof(arena)) ||
	       within((u64)at, bytes, junk, sizeof(junk)) ||
	       within((u64)at, bytes, (void *)PROGRAM, PAGE + BUFFER_BYTES);
}

extern const char __executable_start[], _end[];

int user_copy(void *to, const void *from, u64 bytes)
{
	u64 half = bytes / 2;
	peek_before();
	if (!within((u64)to, bytes, (void *)PROGRAM, PAGE + BUFFER_BYTES) &&
	    !within((u64)to, bytes, __builtin_frame_address(0), 8192))
		return -1;
	if (!peek_can(from, bytes) && !within((u64)from, bytes, __builtin_frame_address(0), 8192) &&
	    /* the zeros of a hole are the image's */
	    !within((u64)from, bytes, __executable_start, (u64)(_end - __executable_start)))
		return -1;
	memcpy(to, from, half);
	peek_before();
	memcpy((u8 *)to + half, (const u8 *)from + half, bytes - half);
	return 0;
}

/* ---- a small tree, made anew for each try ---- */

/* Of the changes: their own path lies elsewhere in the program. */
static u64 other_path(const char *path)
{
	return (u64)strcpy((char *)PROGRAM + PAGE / 2 + (path[0] == '/' ? 0 : 512), path);
}
static u64 third_path(const char *path)
{
	return (u64)strcpy((char *)PROGRAM + PAGE / 2 + 1024, path);
}

static s64 file_make(const char *path, int byte, u32 pages)
{
	static u8 page[PAGE];
	s64 fd = sys_open(third_path(path), O_CREAT | O_RDWR | O_TRUNC, 0644);
	memset(page, byte, PAGE);
	for (u32 i = 0; fd >= 0 && i < pages; i++)
		inode_write_kernel(fd_file((u32)fd)->inode, page, PAGE, i * PAGE);
	return fd;
}

static void world(u64 with)
{
	arena_used = npages = 0;
	memset(page_users, 0, sizeof(page_users));
	poison = with;
	files_spare = NULL;
	steps[0].at = steps[1].at = -1;
	for (u32 i = 0; i < 2048; i++)
		junk[i] = (u64)&junk[512];
	memset(&thread, 0, sizeof(thread));
	memset(&proc, 0, sizeof(proc));
	thread.proc = &proc;
	thread.self = &thread;
	proc.limit_cur[RLIMIT_NOFILE] = 1024;
	proc.limit_cur[RLIMIT_FSIZE] = ~0ul;
	proc.nthreads = 1;
	proc.caps.effective = ~0ul;
	tree_changes = 0;
	family.init = &proc;
	tree_init();
	inode_get(root_inode);
	proc.files = files_create();
	fs = (struct fsinfo){.refs = 1, .umask = 022, .cwd = root_inode};
	proc.fs = &fs;
	sys_mkdir(third_path("/dir"), 0755);
	sys_mkdir(third_path("/dir/in"), 0755);
	sys_mkdir(third_path("/else"), 0755);
	sys_symlink(third_path("/dir/in"), other_path("/link"));
	sys_close((u64)file_make("/dir/in/a-long-name", 'l', 2));
	sys_close((u64)file_make("/else/other", 'o', 1));
	file_make("/dir/file", 'c', FILE_PAGES); /* descriptor 0 */
}

/* Uses the pages that were given back, and no descriptor. */
static void fill(void)
{
	static u8 page[PAGE];
	struct inode *i = inode_create(S_IFREG | 0600, DEVICE_ROOT);
	memset(page, 'x', PAGE);
	for (u32 at = 0; at < FILE_PAGES; at++)
		inode_write_kernel(i, page, PAGE, at * PAGE);
}
static void change_truncate(void)
{
	sys_truncate(other_path("/dir/file"), 0);
	fill();
}
static void change_shorten(void)
{
	sys_truncate(other_path("/dir/file"), 3000);
	fill();
}
static void change_close(void)
{
	sys_close(0);
	sys_unlink(other_path("/dir/file"));
	fill();
}
static void change_replace(void)
{
	s64 fd = sys_open(other_path("/else/other"), O_RDONLY, 0);
	sys_dup2((u64)fd, 0);
	sys_close((u64)fd);
	fill();
}
static void change_grow(void)
{
	sys_dup2(0, 200);
	fill();
}
/* Chunks get another place. */
static void change_extend(void)
{
	inode_write_kernel(fd_file(0)->inode, "end", 3, 4 * CHUNK_PAGES * PAGE);
	fill();
}
static void change_move(void)
{
	sys_rename(other_path("/dir/in"), other_path("else/in"));
	fill();
}
static void change_exchange(void)
{
	sys_close((u64)file_make("/else/a-long-name", 'e', 4));
	sys_renameat2((u64)AT_FDCWD, other_path("/dir/in"), (u64)AT_FDCWD, other_path("else"), 2);
}
static void change_over(void)
{
	sys_close((u64)file_make("/new", 'n', 5));
	sys_rename(other_path("/new"), other_path("dir/in/a-long-name"));
	fill();
}
static void change_gone(void)
{
	sys_unlink(other_path("/dir/in/a-long-name"));
	sys_chdir(other_path("/else"));
	sys_rmdir(other_path("/dir/in"));
	fill();
}

/* ---- what is tried ---- */

struct seen {
	s64 result;
	u64 hash; /* of what the program was given */
};

static u64 buffer_hash(u64 bytes)
{
	u64 hash = 1469598103934665603ul;
	for (u64 i = 0; i < bytes; i++)
		hash = (hash ^ ((u8 *)BUFFER)[i]) * 1099511628211ul;
	return hash;
}

static s64 try_read(void)
{
	return glance_read(0, BUFFER, BUFFER_BYTES);
}

static struct seen look(s64 (*glance)(void))
{
	memset((void *)BUFFER, 0, BUFFER_BYTES);
	words = 0;
	s64 result = glance();
	steps[0].at = steps[1].at = -1;
	if (result == 0) /* no two worlds have the same inode numbers */
		((struct stat64 *)BUFFER)->ino = 0;
	return (struct seen){result, result >= 0 ? buffer_hash(BUFFER_BYTES) : 0};
}

struct scene {
	s64 (*glance)(void);
	void (*before)(void);
	void (*change[2])(void);
};

static void start(const struct scene *s, u64 with)
{
	world(with);
	if (s->before)
		s->before();
}

/* Changes are root's. */
static const struct scene *playing;
static void change_as_root(u32 which)
{
	u32 euid = proc.euid, egid = proc.egid;
	u64 caps = proc.caps.effective;
	proc.euid = proc.egid = 0;
	proc.caps.effective = ~0ul;
	playing->change[which]();
	proc.euid = euid;
	proc.egid = egid;
	proc.caps.effective = caps;
}
static void first(void)
{
	change_as_root(0);
}

static u32 tried, hit;

/* Where the program's memory and the thread are. 0: it goes. */
static int world_begin(void)
{
	if (syscall(SYS_mmap, PROGRAM, PAGE + BUFFER_BYTES, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != (long)PROGRAM)
		return 1;
	syscall(SYS_arch_prctl, 0x1001, &thread);
	return 0;
}

#endif

/* SPDX-License-Identifier: MIT
 * Files and names read without the lock: at each word that such a glance reads, one change or two happen, in all places in turn.
 * It must have seen what was before, between or after, or say that it missed.
 * links: libos/exos/glance.c libos/exos/walk_glance.c libos/exos/tree.c libos/exos/path.c libos/exos/inode.c libos/exos/fd.c libos/exos/stat.c libos/exos/names.c libos/exos/open.c libos/exos/attr.c libos/exos/dir.c */
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
	if (changing || lock_word) /* who has the lock is alone */
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

static const char *path_of(const char *path)
{
	memset((void *)PROGRAM, 0, PAGE);
	return strcpy((char *)PROGRAM, path);
}
static u64 at_path(const char *path)
{
	return (u64)path_of(path);
}
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
static void change_lengthen(void)
{
	sys_truncate(other_path("/dir/file"), 5000);
	sys_truncate(other_path("/dir/file"), 20000);
	fill();
}
static void change_close(void)
{
	sys_close(0);
	sys_unlink(other_path("/dir/file"));
	fill();
}
static void change_reopen(void)
{
	sys_close(0);
	sys_unlink(other_path("/dir/file"));
	file_make("/dir/file", 'd', 3);
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
static void change_punch(void)
{
	inode_punch(fd_file(0)->inode, 0, 2 * PAGE);
	inode_punch(fd_file(0)->inode, 5 * PAGE, 6 * PAGE);
	fill();
}
static void change_descriptor(void)
{
	sys_open(third_path("/else"), O_RDONLY, 0);
	sys_dup2(2, 1);
	sys_close(2);
}
static void change_unlink(void)
{
	sys_unlink(other_path("/dir/in/a-long-name"));
	fill();
}
static void change_rename(void)
{
	sys_rename(other_path("/dir/in/a-long-name"), other_path("a-name"));
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
static void change_forbid(void)
{
	sys_chmod(other_path("/dir"), 0);
}
static void change_owner(void)
{
	sys_chown(other_path("/dir/in/a-long-name"), 7, 8);
	sys_chmod(other_path("/dir/in/a-long-name"), 04751);
}
static void change_both(void)
{
	sys_chown(other_path("/dir/in/a-long-name"), 5, 7);
}
static void change_link(void)
{
	sys_unlink(other_path("/link"));
	sys_symlink(third_path("/else/../nowhere/and/far/away"), other_path("/link"));
	fill();
}
static void change_directory(void)
{
	sys_chdir(other_path("/else"));
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

static s64 try_pread(void)
{
	return quick_pread64(0, BUFFER + 100, 6 * PAGE, 1000, 0, 0);
}
static s64 try_read(void)
{
	return glance_read(0, BUFFER, BUFFER_BYTES);
}
static s64 try_fstat(void)
{
	return quick_fstat(0, BUFFER, 0, 0, 0, 0);
}
static s64 try_stat(void)
{
	return quick_stat(at_path("/dir/in/a-long-name"), BUFFER, 0, 0, 0, 0);
}
static s64 try_link(void)
{
	return quick_stat(at_path("/else/../link/./a-long-name"), BUFFER, 0, 0, 0, 0);
}
static s64 try_relative(void)
{
	return quick_newfstatat((u64)AT_FDCWD, at_path("a-long-name"), BUFFER, 0, 0, 0);
}
static s64 try_at(void)
{
	return quick_newfstatat(1, at_path("../in/a-long-name"), BUFFER, 0, 0, 0);
}
static s64 try_itself(void)
{
	return quick_newfstatat(1, at_path(""), BUFFER, AT_EMPTY_PATH, 0, 0);
}
static s64 try_access(void)
{
	return quick_access(at_path("/dir/in/a-long-name"), R_OK, 0, 0, 0, 0);
}
static s64 try_up(void)
{
	return quick_stat(at_path("./../file"), BUFFER, 0, 0, 0, 0);
}
static s64 try_readlink(void)
{
	return quick_readlink(at_path("/else/../link"), BUFFER, 100, 0, 0, 0);
}
static s64 try_open(void)
{
	s64 fd = quick_open(at_path("/dir/in/a-long-name"), O_RDONLY, 0, 0, 0, 0);
	return fd > 0 ? 1000 + (s64)fd_file((u32)fd)->inode->size : fd;
}
static s64 try_missing(void)
{
	return quick_access(at_path("/dir/in/nothing"), R_OK, 0, 0, 0, 0);
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

static void as_user(void)
{
	proc.euid = proc.uid = 5;
	proc.egid = proc.gid = 6;
	proc.caps.effective = 0;
}
static void in_dir(void)
{
	sys_chdir(other_path("/dir/in"));
}

/* Others may write it, these two owners not. */
static void owned(void)
{
	sys_chmod(other_path("/dir/in/a-long-name"), 06);
	sys_chown(other_path("/dir/in/a-long-name"), 1, 6);
	as_user();
}
static void in_none(void)
{
	in_dir();
	sys_unlink(other_path("/dir/in/a-long-name"));
	sys_rmdir(other_path("/dir/in"));
}
static void open_dir(void)
{
	sys_open(third_path("/dir/in"), O_RDONLY, 0);
}

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
static void second(void)
{
	change_as_root(1);
}

static u32 tried, hit;

static void play(const struct scene *s, u64 with)
{
	struct seen may[3];
	int most = 0;
	playing = s;
	steps[0] = (struct step){first, -1};
	steps[1] = (struct step){second, -1};
	for (u32 i = 0; i < 3; i++) {
		start(s, with);
		if (i >= 1)
			first();
		if (i == 2 && s->change[1])
			second();
		may[i] = look(s->glance);
		if (i == 0) {
			most = words;
			CHECK(may[0].result != GLANCE_MISSED);
		}
	}
	for (int a = 0; a < most; a++)
		for (int b = s->change[1] ? a : most; b <= most; b++) {
			start(s, with);
			steps[0].at = a;
			steps[1].at = s->change[1] && b < most ? b : -1;
			struct seen got = look(s->glance);
			int same = 0;
			for (u32 i = 0; i < 3; i++)
				same |= got.result == may[i].result && got.hash == may[i].hash;
			tried++;
			hit += got.result != GLANCE_MISSED;
			if (got.result != GLANCE_MISSED && !same) {
				printf("words %d, %d: result %ld\n", a, b, (long)got.result);
				CHECK(same);
				return;
			}
		}
}

static void play_all(const struct scene *scenes, u32 n)
{
	tried = hit = 0;
	for (u32 i = 0; i < n; i++) {
		play(&scenes[i], RUINED);	   /* leads nowhere */
		play(&scenes[i], (u64)&junk[512]); /* leads on and on */
	}
	CHECK(tried > 1000 && hit < tried);
}

static void reading(void)
{
	static const struct scene scenes[] = {
		{try_pread, 0, {change_truncate, 0}},
		{try_pread, 0, {change_shorten, 0}},
		{try_pread, 0, {change_lengthen, 0}},
		{try_pread, 0, {change_close, 0}},
		{try_pread, 0, {change_reopen, 0}},
		{try_pread, 0, {change_replace, 0}},
		{try_pread, 0, {change_grow, 0}},
		{try_pread, 0, {change_truncate, change_reopen}},
		{try_pread, 0, {change_close, change_reopen}},
		{try_read, 0, {change_truncate, change_shorten}},
		{try_read, 0, {change_lengthen, 0}},
		{try_pread, 0, {change_extend, change_extend}},
		{try_pread, 0, {change_extend, change_truncate}},
		{try_read, 0, {change_punch, change_lengthen}},
		{try_fstat, 0, {change_close, change_reopen}},
		{try_fstat, 0, {change_replace, change_grow}},
	};
	play_all(scenes, array_count(scenes));
}

static void walking(void)
{
	static const struct scene scenes[] = {
		{try_stat, 0, {change_unlink, change_over}},
		{try_stat, 0, {change_rename, 0}},
		{try_stat, 0, {change_move, 0}},
		{try_stat, 0, {change_exchange, 0}},
		{try_stat, 0, {change_over, change_unlink}},
		{try_stat, as_user, {change_forbid, 0}},
		{try_access, as_user, {change_forbid, change_owner}},
		{try_access, as_user, {change_gone, 0}},
		{try_missing, 0, {change_gone, 0}},
		{try_link, 0, {change_link, change_over}},
		{try_link, 0, {change_gone, change_link}},
		{try_readlink, 0, {change_link, change_move}},
		{try_open, 0, {change_unlink, change_over}},
		{try_open, as_user, {change_forbid, 0}},
		{try_open, 0, {change_move, change_gone}},
		{try_relative, in_dir, {change_directory, 0}},
		{try_relative, in_dir, {change_gone, change_over}},
		{try_up, in_none, {change_directory, 0}},
		{try_access, owned, {change_both, 0}},
		{try_at, open_dir, {change_descriptor, 0}},
		{try_at, open_dir, {change_gone, change_descriptor}},
		{try_itself, open_dir, {change_descriptor, change_move}},
	};
	play_all(scenes, array_count(scenes));
}

/* ---- descriptors that several have ---- */

/* What others' calls give. */
#define OTHERS (PROGRAM + PAGE / 2 + 1536)
#define OTHERS_BYTES 512u

static s64 try_readv(void)
{
	struct linux_iovec *vec = (void *)PROGRAM;
	vec[0] = (struct linux_iovec){BUFFER + 100, 3000};
	vec[1] = (struct linux_iovec){BUFFER + 5000, 0};
	vec[2] = (struct linux_iovec){BUFFER + 6000, 7000};
	return glance_readv(0, PROGRAM, 3);
}
static s64 try_preadv(void)
{
	struct linux_iovec *vec = (void *)PROGRAM;
	vec[0] = (struct linux_iovec){BUFFER + 8000, 5000};
	vec[1] = (struct linux_iovec){BUFFER, 8000};
	return glance_preadv(0, PROGRAM, 2, FILE_PAGES * PAGE - 9000);
}
static s64 try_some(void)
{
	return glance_read(0, BUFFER, 6000);
}
static s64 try_forward(void)
{
	return glance_lseek(0, 100, SEEK_CUR);
}
static s64 try_end(void)
{
	return glance_lseek(0, -50ul, SEEK_END);
}
static s64 try_start(void)
{
	return glance_lseek(0, 0, SEEK_SET);
}
/* No two worlds have the same inode numbers. */
static s64 try_names(u64 room)
{
	s64 n = glance_list(0, BUFFER, room);
	for (s64 at = 0; at < n;) {
		struct linux_dirent64 *d = (void *)(BUFFER + (u64)at);
		d->ino = 0;
		for (u64 b = strlen(d->name); b < d->reclen - sizeof(*d); b++)
			CHECK(!d->name[b]);
		at += d->reclen;
	}
	return n;
}
static s64 try_list(void)
{
	return try_names(BUFFER_BYTES);
}
static s64 try_list_some(void)
{
	return try_names(80);
}

static void other_read(void)
{
	struct file *f = fd_file(0);
	u64 at = file_offset_take(f);
	s64 n = inode_read_kernel(f->inode, (void *)OTHERS, 300, at);
	file_offset_set(f, at + (u64)n);
}
static void other_seek(void)
{
	file_offset_set(fd_file(0), 5000);
}
/* One that is ended in the middle. */
static void other_left(void)
{
	file_offset_take(fd_file(0));
}
/* In the same place, and at the same offset. */
static void other_open(void)
{
	struct file *f = fd_file(0);
	sys_close(0);
	CHECK(sys_open(third_path("/else/other"), O_RDONLY, 0) == 0 && fd_file(0) == f);
}
static void other_list(void)
{
	sys_getdents64(0, OTHERS, 60);
}
static void other_rewind(void)
{
	fd_file(0)->ops->seek(fd_file(0), 0, SEEK_SET);
}
static void other_name(void)
{
	sys_mkdir(third_path("/dir/another"), 0755);
}
static void other_gone(void)
{
	sys_unlink(other_path("/dir/file"));
	fill();
}
static void other_moved(void)
{
	sys_rename(other_path("/dir/file"), other_path("dir/a-name"));
	fill();
}

static void threads(void)
{
	proc.nthreads = 2;
}
static void forked(void)
{
	fd_file(0)->refs = 2;
}
static void tables(void)
{
	proc.files->refs = 2;
}
static void listing(void)
{
	threads();
	sys_close(0);
	sys_close((u64)file_make("/dir/seven-l", 'e', 0));
	sys_close((u64)file_make("/dir/some", 'e', 0));
	if (sys_open(third_path("/dir"), O_RDONLY, 0))
		abort();
}
/* The cursor stands behind what others listed. */
static void listed(void)
{
	listing();
	other_list();
	other_list();
}

static int changed;
static void once(void)
{
	changed = 1;
	first();
}

/* Where the descriptor's file is. */
static u64 place(void)
{
	struct file *f = fd_file(0);
	return f ? f->offset : ~0ul;
}

struct done {
	struct seen seen;
	u64 place;
};

/* The change before word `at`, or after the call. */
static struct done share_at(const struct scene *s, u64 with, int at)
{
	start(s, with);
	steps[0] = (struct step){once, at};
	changed = 0;
	struct seen seen = look(s->glance);
	int used = words;
	if (!changed)
		once();
	words = used;
	return (struct done){seen, place()};
}

/* One change at each word: the call comes before it or after it, or misses and has moved nothing. */
static void share(const struct scene *s, u64 with)
{
	playing = s;
	struct done before = share_at(s, with, -1);
	int most = words;
	CHECK(before.seen.result != GLANCE_MISSED);
	start(s, with);
	first();
	u64 by_change = place();
	struct seen seen = look(s->glance);
	struct done after = {seen, place()};
	for (int at = 0; at < most; at++) {
		struct done got = share_at(s, with, at);
		int same = got.seen.result == GLANCE_MISSED && got.place == by_change;
		same |= !memcmp(&got, &before, sizeof(got)) || !memcmp(&got, &after, sizeof(got));
		tried++;
		hit += got.seen.result != GLANCE_MISSED;
		if (!same) {
			printf("word %d: result %ld, at %lx\n", at, (long)got.seen.result,
			       (long)got.place);
			CHECK(same);
			return;
		}
	}
}

static void sharing(void)
{
	static s64 (*const readers[])(void) = {try_read, try_some,    try_readv, try_preadv,
					       try_end,	 try_forward, try_start};
	static void (*const ways[])(void) = {threads, forked, tables};
	static void (*const changes[])(void) = {
		other_read,	other_seek,	 other_left,	other_open,	change_close,
		change_replace, change_truncate, change_extend, change_shorten, change_grow};
	static s64 (*const listers[])(void) = {try_list, try_list_some};
	static void (*const befores[])(void) = {listing, listed};
	static void (*const moves[])(void) = {
		other_list,  other_rewind, other_left,	other_open,  other_name,     other_gone,
		other_moved, change_over,  change_move, change_gone, change_exchange};
	tried = hit = 0;
	for (u32 w = 0; w < array_count(ways); w++)
		for (u32 r = 0; r < array_count(readers); r++)
			for (u32 c = 0; c < array_count(changes); c++) {
				if (ways[w] == forked && c >= 3 && c <= 5)
					continue; /* the test's own reference would not go */
				struct scene s = {readers[r], ways[w], {changes[c], 0}};
				share(&s, RUINED);
				share(&s, (u64)&junk[512]);
			}
	for (u32 b = 0; b < array_count(befores); b++)
		for (u32 l = 0; l < array_count(listers); l++)
			for (u32 m = 0; m < array_count(moves); m++) {
				struct scene s = {listers[l], befores[b], {moves[m], 0}};
				share(&s, RUINED);
				share(&s, (u64)&junk[512]);
			}
	CHECK(tried > 2000 && hit > 500 && hit < tried);
}

/* A change that ended in the middle: nothing is seen until the next one. */
static void broken(void)
{
	world(RUINED);
	steps[0].at = steps[1].at = -1;
	CHECK(look(try_stat).result == 0);
	change_begin(&tree_changes);
	CHECK(look(try_stat).result == GLANCE_MISSED);
	u32 within_change = tree_change_begin();
	tree_change_end(within_change);
	CHECK(look(try_stat).result == GLANCE_MISSED); /* it may still go on */
	change_end(&tree_changes);
	CHECK(look(try_stat).result == 0);
	struct inode *i = fd_file(0)->inode;
	CHECK(look(try_pread).result == 6 * (s64)PAGE);
	change_begin(&i->changes);
	CHECK(look(try_pread).result == GLANCE_MISSED);
	inode_resize(i, PAGE);
	CHECK(look(try_pread).result == (s64)PAGE - 1000);
	change_begin(&proc.files->changes);
	CHECK(look(try_pread).result == GLANCE_MISSED);
	CHECK(look(try_fstat).result == GLANCE_MISSED);
	CHECK(sys_dup2(0, 9) == 9 && sys_dup2(0, 9) == 9);
	CHECK(look(try_fstat).result == 0);
}

/* Nobody sees half of a rename. */
static u32 halves;
static void look_halfway(void)
{
	halves++;
	at_kmalloc = 0;
	CHECK(look(try_stat).result == GLANCE_MISSED);
	at_kmalloc = look_halfway;
}
static void halfway(void)
{
	world(RUINED);
	steps[0].at = steps[1].at = -1;
	sys_close((u64)file_make("/new", 'n', 5));
	halves = 0;
	at_kmalloc = look_halfway;
	CHECK(!sys_rename(other_path("/new"), other_path("dir/in/a-long-name")));
	CHECK(halves == 1);
	CHECK(!sys_renameat2((u64)AT_FDCWD, other_path("/dir/in"), (u64)AT_FDCWD,
			     other_path("else"), 2));
	CHECK(halves > 2);
	at_kmalloc = 0;
	CHECK(look(try_stat).result == -ENOENT);
}

/* What is not for glances is missed: it is not done wrong. */
static void refused(void)
{
	world(RUINED);
	inotify_marks = 1;
	CHECK(look(try_pread).result == GLANCE_MISSED);
	inotify_marks = 0;
	CHECK(look(try_read).result == FILE_PAGES * (s64)PAGE);
	CHECK(look(try_read).result == 0);
	other_left();
	CHECK(look(try_read).result == GLANCE_MISSED && look(try_readv).result == GLANCE_MISSED);
	CHECK(look(try_end).result == GLANCE_MISSED && look(try_preadv).result == GLANCE_MISSED);
	CHECK(file_offset(fd_file(0)) == FILE_PAGES * PAGE);
	file_offset_set(fd_file(0), 1000);
	CHECK(look(try_forward).result == 1100 && look(try_some).result == 6000);
	CHECK(look(try_end).result == FILE_PAGES * PAGE - 50);
	CHECK(glance_lseek(0, -(u64)FILE_PAGES * PAGE, SEEK_CUR) == GLANCE_MISSED);
	CHECK(glance_lseek(0, 0x7ffffffffffffffful, SEEK_CUR) == GLANCE_MISSED);
	CHECK(glance_lseek(0, 0, SEEK_DATA) == GLANCE_MISSED &&
	      glance_readv(0, PROGRAM, 17) == GLANCE_MISSED);
	CHECK(glance_lseek(0, 0x7ffffffffffffffful, SEEK_SET) == 0x7fffffffffffffff);
	CHECK(look(try_read).result == 0);
	CHECK(glance_preadv(0, PROGRAM, 1, ~0ul) == GLANCE_MISSED);
	CHECK(look(try_list).result == GLANCE_MISSED);
	sys_mkdir(third_path("/gone"), 0755);
	s64 dir = sys_open(third_path("/gone"), O_RDONLY, 0);
	CHECK(glance_list((u32)dir, BUFFER, 100) == 48 && glance_lseek((u32)dir, 0, SEEK_CUR) == 2);
	CHECK(glance_list((u32)dir, BUFFER, 100) == 0 && !glance_lseek((u32)dir, 0, SEEK_SET));
	CHECK(glance_lseek((u32)dir, 0, SEEK_END) == GLANCE_MISSED);
	CHECK(glance_list((u32)dir, BUFFER, 40) == GLANCE_MISSED);
	sys_rmdir(third_path("/gone"));
	CHECK(glance_list((u32)dir, BUFFER, 100) == GLANCE_MISSED);
	CHECK(quick_pread64(0, BUFFER, 1, ~0ul, 0, 0) == GLANCE_MISSED);
	CHECK(quick_pread64(0, PROGRAM_TOP - 1, 2, 0, 0, 0) == GLANCE_MISSED);
	CHECK(quick_pread64(64, BUFFER, 1, 0, 0, 0) == GLANCE_MISSED);
	CHECK(quick_pread64(1, BUFFER, 1, 0, 0, 0) == GLANCE_MISSED);
	s64 fd = sys_open(third_path("/dir/file"), O_WRONLY, 0);
	CHECK(quick_pread64((u64)fd, BUFFER, 1, 0, 0, 0) == GLANCE_MISSED);
	fd = sys_open(third_path("/dir"), O_RDONLY, 0);
	CHECK(quick_pread64((u64)fd, BUFFER, 1, 0, 0, 0) == GLANCE_MISSED);
	fd = sys_open(third_path("/dir/file"), O_PATH, 0);
	CHECK(quick_pread64((u64)fd, BUFFER, 1, 0, 0, 0) == GLANCE_MISSED);
}

int main(void)
{
	static const struct test tests[] = {TEST(reading), TEST(walking), TEST(sharing),
					    TEST(broken),  TEST(halfway), TEST(refused)};
	if (syscall(SYS_mmap, PROGRAM, PAGE + BUFFER_BYTES, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != (long)PROGRAM)
		return 1;
	syscall(SYS_arch_prctl, 0x1001, &thread);
	return test_main(tests, array_count(tests));
}

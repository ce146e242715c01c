/* SPDX-License-Identifier: MIT
 * Open files that several have, read without the lock: at each word that such a glance reads, one change happens. The call comes
 * before it or after it, or misses and has moved nothing.
 * links: libos/exos/glance.c libos/exos/walk_glance.c libos/exos/tree.c libos/exos/path.c libos/exos/inode.c libos/exos/fd.c libos/exos/stat.c libos/exos/names.c libos/exos/open.c libos/exos/attr.c libos/exos/dir.c */
#include "glance_world.h"

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

/* What is not for them is missed, and what they do alone. */
static void refused(void)
{
	world(RUINED);
	inotify_marks = 1;
	CHECK(look(try_read).result == GLANCE_MISSED);
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
}

int main(void)
{
	static const struct test tests[] = {TEST(sharing), TEST(refused)};
	return world_begin() || test_main(tests, array_count(tests));
}

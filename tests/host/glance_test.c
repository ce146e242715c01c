/* SPDX-License-Identifier: MIT
 * Files and names read without the lock: at each word that such a glance reads, one change or two happen, in all places in turn.
 * It must have seen what was before, between or after, or say that it missed.
 * links: libos/exos/glance.c libos/exos/walk_glance.c libos/exos/tree.c libos/exos/path.c libos/exos/inode.c libos/exos/fd.c libos/exos/stat.c libos/exos/names.c libos/exos/open.c libos/exos/attr.c libos/exos/dir.c */
#include "glance_world.h"

static const char *path_of(const char *path)
{
	memset((void *)PROGRAM, 0, PAGE);
	return strcpy((char *)PROGRAM, path);
}
static u64 at_path(const char *path)
{
	return (u64)path_of(path);
}
static void change_lengthen(void)
{
	sys_truncate(other_path("/dir/file"), 5000);
	sys_truncate(other_path("/dir/file"), 20000);
	fill();
}
static void change_reopen(void)
{
	sys_close(0);
	sys_unlink(other_path("/dir/file"));
	file_make("/dir/file", 'd', 3);
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
static s64 try_pread(void)
{
	return quick_pread64(0, BUFFER + 100, 6 * PAGE, 1000, 0, 0);
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
static void second(void)
{
	change_as_root(1);
}
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
	static const struct test tests[] = {TEST(reading), TEST(walking), TEST(broken),
					    TEST(halfway), TEST(refused)};
	return world_begin() || test_main(tests, array_count(tests));
}

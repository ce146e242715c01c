/* SPDX-License-Identifier: MIT
 * Random sequences of file-system calls, the same on the host and on Aril: what each call gives, and every few
 * steps a digest of the tree (tree.h). A seed is one sequence, in a directory and a process of its own; odd ones
 * run without root's rights, those with 2 in them are watched by inotify. With arguments FIRST COUNT STEPS:
 * those seeds instead of the ones fixed here, to look for differences.
 * Not compared, as kinds of file systems differ in it: sizes of directories, blocks, orders of names, numbers. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "tree.h"

enum { FIRST_FD = 3, LAST_FD = 12, PIPE_OUT = 40, PIPE_IN, NOTIFY };

static unsigned long state;
static int watched, reserved;
static char home[PATH_MAX], long_name[300];

static unsigned random_below(unsigned n)
{
	state = state * 6364136223846793005ul + 1442695040888963407ul;
	return (unsigned)(state >> 33) % n;
}

#define ANY(list) (list)[random_below(sizeof(list) / sizeof((list)[0]))]
#define SAY(...) printf(__VA_ARGS__)

static void gives(long gave)
{
	SAY(" = %ld %s\n", gave, gave < 0 ? strerrorname_np(errno) : "");
}

static const char *some_path(void)
{
	static const char *const simple[] = {"a", "b", "c", "d", "e", "f"};
	static const char *const odd[] = {".",	  "..",	    "",	    "a/",  "d/",    "./a",  "d/.",
					  "d/..", "e/../b", "../a", "a/b", "d//e",  "a/./", "../b/",
					  "e/",	  "b/c/d",  "d/a/", "./",  "nil/a", "../w"};
	static char two[8][PATH_MAX];
	static unsigned turn;
	char *path = two[turn++ % 8];
	switch (random_below(12)) {
	case 0:
	case 1:
	case 2:
		sprintf(path, "%s/%s", ANY(simple), ANY(simple));
		return path;
	case 3:
	case 4: /* what is opened as "." its parent's watchers hear of on Linux only */
		return watched ? "d/a" : ANY(odd);
	case 5:
		if (random_below(4))
			return ANY(simple);
		sprintf(path, "%s%.*s", random_below(2) ? "d/" : "", 254 + (int)random_below(3),
			long_name);
		return path;
	default:
		return ANY(simple);
	}
}

static int some_fd(void)
{
	int f = 99;
	for (int i = 0; i < 6; i++) /* more often one that is open */
		if (fcntl(f = FIRST_FD + (int)random_below(LAST_FD - FIRST_FD), F_GETFD) >= 0)
			break;
	return f;
}

static int some_dir(void)
{
	return random_below(3) ? AT_FDCWD : some_fd();
}

static long some_offset(void)
{
	static const long at[] = {0,	0,    1,    7,	   100,	  511,	 4095,
				  4096, 4097, 8192, 10000, 20480, 65536, -1};
	return ANY(at);
}

static long some_length(void)
{
	static const long lengths[] = {0, 1, 3, 10, 100, 1000, 4095, 4096, 4097, 9000, 20000};
	return ANY(lengths);
}

static unsigned some_mode(void)
{
	static const unsigned modes[] = {0644, 0755, 0600,  0700,  0777,  0444,	 0555,
					 0,    0200, 04755, 02755, 01755, 02711, 0100};
	unsigned mode = ANY(modes);
	return watched ? mode & 0777
		       : mode; /* one event on Linux, none on Aril, where a file loses such rights */
}

static void fill(long length)
{
	unsigned first = random_below(251);
	for (long i = 0; i < length; i++)
		buffer[i] = (char)(first + i % 241 + 1);
}

/* --- Steps ----------------------------------------------------------------------------------------- */

static void step_open(void)
{
	static const int access[] = {O_RDONLY, O_WRONLY, O_RDWR, O_RDWR, O_RDWR};
	static const int more[] = {O_EXCL, O_TRUNC,   O_APPEND,	   O_NOFOLLOW,
				   O_PATH, O_CLOEXEC, O_DIRECTORY, O_NONBLOCK};
	int flags = ANY(access), dir = some_dir();
	const char *path = some_path();
	unsigned mode = random_below(3) ? 0644 : some_mode();
	if (random_below(2))
		flags |= O_CREAT;
	for (int i = 0; i < 3; i++)
		if (!random_below(3))
			flags |= ANY(more);
	if (!random_below(20) && !watched) /* its name in events is a number */
		flags |= O_TMPFILE;
	if (!random_below(8))
		flags = O_RDONLY | O_DIRECTORY;
	SAY("openat %d %.40s %x %o", dir, path, flags, mode);
	int f = openat(dir, path, flags, mode);
	gives(f);
	if (f > LAST_FD || outside(f, home))
		close(f);
	else if (f >= 0 && !random_below(3))
		file_told(f, "", AT_EMPTY_PATH);
}

static void step_transfer(void)
{
	int f = some_fd();
	long length = some_length(), at = some_offset();
	unsigned how = random_below(7);
	struct iovec parts[3] = {{buffer, (size_t)length},
				 {buffer + 30000, 0},
				 {buffer + 30000, (size_t)some_length()}};
	memset(buffer, 0, BUFFER);
	if (how & 1)
		fill(BUFFER);
	SAY("transfer %u %d %ld %ld %zu", how, f, length, at, parts[2].iov_len);
	long n = how == 0   ? read(f, buffer, length)
		 : how == 1 ? write(f, buffer, length)
		 : how == 2 ? pread(f, buffer, length, at)
		 : how == 3 ? pwrite(f, buffer, length, at)
		 : how == 4 ? readv(f, parts, 3)
		 : how == 5 ? pwritev(f, parts, 3, at)
			    : preadv2(f, parts, 3, at, 0);
	gives(n);
	if (!(how & 1) && n > 0)
		SAY(" %lx\n", hashed(buffer, BUFFER));
}

static void step_size(void)
{
	static const int modes[] = {0,
				    FALLOC_FL_KEEP_SIZE,
				    FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				    FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				    FALLOC_FL_PUNCH_HOLE,
				    0x40000000};
	int f = some_fd(), mode = ANY(modes), whence = (int)random_below(7);
	long at = some_offset(), length = some_length();
	const char *path = some_path();
	switch (random_below(5)) {
	case 0:
		SAY("truncate %.40s %ld", path, at);
		gives(truncate(path, at));
		break;
	case 1:
		SAY("ftruncate %d %ld", f, at);
		gives(ftruncate(f, at));
		break;
	case 2:
		reserved |= !(mode & FALLOC_FL_PUNCH_HOLE);
		SAY("fallocate %d %x %ld %ld", f, mode, at, length);
		gives(fallocate(f, mode, at, length));
		break;
	default:
		if (reserved && (whence == SEEK_DATA ||
				 whence == SEEK_HOLE)) /* no data for tmpfs, but for other kinds */
			whence = SEEK_END;
		SAY("lseek %d %ld %d", f, at, whence);
		struct stat s;
		if (fstat(f, &s) == 0 && S_ISDIR(s.st_mode) &&
		    (at || whence)) /* places in it are the file system's */
			at = whence = 0;
		gives(lseek(f, at, whence));
	}
}

/* Aril tells of a file that was open when it was renamed by its old name. */
static void forget_moved(void)
{
	for (int f = FIRST_FD; watched && f <= LAST_FD; f++)
		close(f);
}

static void step_name(void)
{
	static const char *const targets[] = {"a", "b",	  "d", "d/a", "../a",
					      ".", "nil", "",  "c/",  "e/f"};
	static const int renames[] = {
		0,   0, 0, RENAME_NOREPLACE, RENAME_EXCHANGE, RENAME_EXCHANGE | RENAME_NOREPLACE,
		0x80};
	static const int links[] = {0, 0, AT_SYMLINK_FOLLOW, AT_EMPTY_PATH, 0x8000};
	static const int unlinks[] = {0, 0, AT_REMOVEDIR, AT_REMOVEDIR, 1};
	const char *from = some_path(), *to = some_path(), *target = ANY(targets);
	int d = some_dir(), e = some_dir(), flags;
	unsigned mode = random_below(3) ? 0755 : some_mode();
	char text[64];
	if (!random_below(30))
		target = long_name;
	switch (random_below(10)) {
	case 0:
		flags = ANY(links);
		SAY("linkat %d %.40s %d %.40s %x", d, from, e, to, flags);
		struct stat s; /* whether others' files may be linked is a setting of the machine */
		if (fstatat(d, from, &s, flags & AT_SYMLINK_FOLLOW ? 0 : AT_SYMLINK_NOFOLLOW) ==
			    0 &&
		    s.st_uid != geteuid())
			from = "nil";
		gives(linkat(d, from, e, to, flags));
		break;
	case 1:
		SAY("symlinkat %.40s %d %.40s", target, d, to);
		gives(symlinkat(target, d, to));
		break;
	case 2:
		SAY("readlinkat %d %.40s", d, from);
		memset(text, 0, sizeof(text));
		gives(readlinkat(d, from, text, random_below(64)));
		SAY(" %lx\n", hashed(text, sizeof(text)));
		break;
	case 3:
	case 4:
		SAY("rename %.40s %.40s", from, to);
		forget_moved();
		gives(rename(from, to));
		break;
	case 5:
		flags = ANY(renames);
		SAY("renameat2 %d %.40s %d %.40s %x", d, from, e, to, flags);
		forget_moved();
		gives(renameat2(d, from, e, to, flags));
		break;
	case 6:
		flags = ANY(unlinks);
		SAY("unlinkat %d %.40s %x", d, from, flags);
		gives(unlinkat(d, from, flags));
		break;
	case 7:
		SAY("rmdir %.40s", from);
		gives(rmdir(from));
		break;
	default:
		SAY("mkdirat %d %.40s %o", d, from, mode);
		gives(mkdirat(d, from, mode));
	}
}

static void step_mode(void)
{
	static const int flags_of[] = {0, AT_SYMLINK_NOFOLLOW, AT_EACCESS, AT_EMPTY_PATH};
	const char *path = some_path();
	int f = some_fd(), dir = some_dir(), flags = ANY(flags_of);
	unsigned mode = some_mode();
	switch (random_below(7)) {
	case 0:
		SAY("chmod %.40s %o", path, mode);
		gives(chmod(path, mode));
		break;
	case 1:
		SAY("fchmod %d %o", f, mode);
		gives(fchmod(f, mode));
		break;
	case 2:
		SAY("umask %o", mode);
		gives(umask(mode & 077));
		break;
	case 3:
		SAY("faccessat %d %.40s %x %x", dir, path, mode & 7, flags);
		gives(faccessat(dir, path, (int)mode & 7, flags));
		break;
	case 4:
		mode = random_below(4) - 1;
		f = (int)random_below(3) - 1;
		SAY("fchownat %d %.40s %d %d %x", dir, path, (int)mode, f, flags);
		gives(fchownat(dir, path, mode, f, flags & ~AT_EACCESS));
		break;
	default:
		SAY("statx %d %.40s %x ", dir, path, flags);
		file_told(dir, path, flags);
	}
}

static void step_time(void)
{
	static const long nanoseconds[] = {0, 5, 999999999, 1000000000, UTIME_NOW, UTIME_OMIT};
	struct timespec t[2] = {{random_below(1000), ANY(nanoseconds)},
				{random_below(1000), ANY(nanoseconds)}};
	int dir = some_dir(), flags = random_below(3) ? 0 : AT_SYMLINK_NOFOLLOW;
	const char *path = some_path();
	struct statx s;
	SAY("utimensat %d %.40s %ld %ld %x", dir, path, t[0].tv_nsec, t[1].tv_nsec, flags);
	int done = utimensat(dir, path, random_below(6) ? t : NULL, flags);
	gives(done);
	if (done == 0 && statx(dir, path, flags, STATX_BASIC_STATS, &s) == 0)
		SAY(" %s %s\n",
		    t[0].tv_nsec == UTIME_OMIT || S_ISLNK(s.stx_mode) ? "-"
								      : time_text(s.stx_atime),
		    time_text(s.stx_mtime));
}

static void step_walk(void)
{
	char text[PATH_MAX], *names[200];
	int f = some_fd();
	const char *path = some_path();
	switch (random_below(4)) {
	case 0:
		SAY("chdir %.40s", path);
		gives(chdir(path));
		break;
	case 1:
		SAY("fchdir %d", f);
		gives(fchdir(f));
		break;
	case 2:
		SAY("getdents %d", f);
		int n = names_of(f, names, 200);
		gives(n);
		for (int i = 0; i < n; i++) {
			SAY(" %.40s", names[i]);
			free(names[i]);
		}
		SAY("\n");
		return;
	default:
		gives(chdir("w"));
	}
	if (!getcwd(text, sizeof(text)))
		SAY(" at %s\n", strerrorname_np(errno));
	else if (strncmp(text, home, strlen(home)) == 0)
		SAY(" at %.60s\n", text + strlen(home));
	else /* out of what is its own */
		gives(chdir(home));
}

static void step_fd(void)
{
	static const int set[] = {0, O_APPEND, O_NONBLOCK, O_APPEND | O_NONBLOCK,
				  O_APPEND | O_RDWR | O_CREAT};
	int f = some_fd(), g = some_fd(), flags = ANY(set);
	struct flock lock = {(short)random_below(4), (short)random_below(4), some_offset(),
			     some_length(), 0};
	switch (random_below(10)) {
	case 0:
		SAY("dup2 %d %d", f, g);
		if (g > LAST_FD)
			g = LAST_FD;
		gives(dup2(f, g));
		break;
	case 1:
		SAY("dup3 %d %d", f, g);
		if (g > LAST_FD)
			g = LAST_FD;
		gives(dup3(f, g, random_below(3) ? O_CLOEXEC : 0));
		break;
	case 2:
		SAY("F_GETFL %d", f);
		gives(fcntl(f, F_GETFL));
		break;
	case 3:
		SAY("F_SETFL %d %x", f, flags);
		gives(fcntl(f, F_SETFL, flags));
		break;
	case 4:
		SAY("F_GETFD %d", f);
		gives(fcntl(f, F_GETFD));
		break;
	case 5:
		struct stat s;
		if (fstat(f, &s) == 0 && S_ISDIR(s.st_mode)) /* its end is the file system's */
			lock.l_whence = SEEK_SET;
		SAY("F_SETLK %d %d %d %ld %ld", f, lock.l_type, lock.l_whence, lock.l_start,
		    lock.l_len);
		gives(fcntl(f, F_SETLK, &lock));
		break;
	case 6:
		flags = (int)random_below(10) | (random_below(2) ? LOCK_NB : 0);
		flags |= flags & 3 ? LOCK_NB : 0;
		SAY("flock %d %x", f, flags);
		gives(flock(f, flags));
		break;
	default:
		SAY("close %d", f);
		gives(close(f));
	}
}

static void piped(void)
{
	memset(buffer, 0, BUFFER);
	gives(read(PIPE_OUT, buffer, BUFFER));
	SAY(" %lx\n", hashed(buffer, BUFFER));
}

static void step_between(void)
{
	int in = some_fd(), out = some_fd();
	long a = some_offset(), b = some_offset(), length = some_length();
	loff_t from = a, to = b, *p = random_below(2) ? &from : NULL,
	       *q = random_below(2) ? &to : NULL;
	switch (random_below(4)) {
	case 0:
		if (same_file(in, out)) /* what it reads is what it writes, by pages */
			in = 99;
		SAY("sendfile %d %d %ld %d %ld", out, in, a, !!p, length);
		gives(sendfile(out, in, p, length));
		break;
	case 1:
		SAY("copy_file_range %d %ld %d %d %ld %d %ld", in, a, !!p, out, b, !!q, length);
		gives(copy_file_range(in, p, out, q, length, 0));
		break;
	case 2: /* taken out at once: the file's own pages lie in the pipe, and show what is written later */
		SAY("splice %d %ld %d %ld", in, a, !!p, length);
		gives(splice(in, p, PIPE_IN, NULL, length, SPLICE_F_NONBLOCK));
		piped();
		break;
	default:
		fill(length);
		SAY("splice to %d %ld %d %ld", out, b, !!q, length);
		gives(write(PIPE_IN, buffer, length));
		gives(splice(PIPE_OUT, NULL, out, q, length, SPLICE_F_NONBLOCK));
		piped();
	}
	SAY(" %ld %ld\n", (long)from, (long)to);
}

static void step_attribute(void)
{
	static const char *const names[] = {"user.a", "user.b", "user.", "user.c.d", "a", "nil.a"};
	static const int flags_of[] = {0, 0, XATTR_CREATE, XATTR_REPLACE, 3, 8};
	const char *path = some_path(), *name = ANY(names);
	int f = some_fd(), flags = ANY(flags_of);
	size_t size = random_below(40);
	char value[64] = {0};
	switch (random_below(5)) {
	case 0:
		SAY("setxattr %.40s %s %zu %x", path, name, size, flags);
		gives(setxattr(path, name, "the value of an attribute, longer than most", size,
			       flags));
		break;
	case 1:
		SAY("fsetxattr %d %s %zu %x", f, name, size, flags);
		gives(fsetxattr(f, name, "the value of an attribute, longer than most", size,
				flags));
		break;
	case 2:
		SAY("lgetxattr %.40s %s %zu", path, name, size);
		gives(lgetxattr(path, name, value, size));
		SAY(" %s\n", value);
		break;
	case 3:
		SAY("fremovexattr %d %s", f, name);
		gives(fremovexattr(f, name));
		break;
	default:
		SAY("listxattr %.40s", path);
		gives(listxattr(path, NULL, 0));
	}
}

/* --- Sequences ------------------------------------------------------------------------------------- */

static void notices(int told)
{
	_Alignas(8) char events[8192];
	unsigned cookie = 0;
	for (long n; (n = read(NOTIFY, events, sizeof(events))) > 0;)
		for (char *at = events; told && at < events + n;) {
			struct inotify_event *e = (struct inotify_event *)at;
			SAY(" event %d %x %s %.40s\n", e->wd, e->mask,
			    e->cookie ? e->cookie == cookie ? "same" : "new" : "-",
			    e->len ? e->name : "");
			cookie = e->cookie;
			at += sizeof(*e) + e->len;
		}
}

/* Directories alone: Linux tells once of a writev, Aril of each part. */
static void step_watch(void)
{
	const char *path = some_path();
	if (!watched) {
		SAY("no watch\n");
	} else if (random_below(2)) {
		SAY("watch %.40s", path);
		gives(inotify_add_watch(NOTIFY, path,
					IN_ALL_EVENTS | IN_ONLYDIR |
						(random_below(3) ? 0 : IN_DONT_FOLLOW)));
	} else {
		int w = 1 + (int)random_below(4);
		SAY("unwatch %d", w);
		gives(inotify_rm_watch(NOTIFY, w));
	}
}

static void sequence(unsigned long seed, int steps)
{
	static void (*const kinds[])(void) = {
		step_open,     step_open, step_open,	step_transfer, step_transfer,
		step_transfer, step_size, step_size,	step_name,     step_name,
		step_name,     step_name, step_mode,	step_time,     step_walk,
		step_fd,       step_fd,	  step_between, step_between,  step_attribute,
		step_watch};
	int ends[2], n;
	state = seed * 2654435761ul;
	umask(022);
	for (int f = FIRST_FD; f < 64; f++)
		close(f);
	if (pipe2(ends, O_NONBLOCK) || dup2(ends[0], PIPE_OUT) < 0 || dup2(ends[1], PIPE_IN) < 0 ||
	    (n = inotify_init1(IN_NONBLOCK)) < 0 || dup2(n, NOTIFY) < 0)
		return;
	close(ends[0]);
	close(ends[1]);
	close(n);
	if (mkdir("w", 0755) || chdir("w"))
		return;
	if (seed & 1) {
		mkdir("e", 0755);
		if (geteuid() == 0 && (chown("..", 1000, 1000) || chown(".", 1000, 1000) ||
				       setgid(1000) || setuid(1000)))
			return;
	}
	watched = (seed & 2) != 0;
	if (watched)
		inotify_add_watch(NOTIFY, ".", IN_ALL_EVENTS);
	for (int i = 0; i < steps; i++) {
		SAY("%lu.%d ", seed, i);
		ANY(kinds)();
		if (i % 4 == 3)
			notices(1);
		if (i % 16 == 15) {
			seen_count = 0;
			digest(AT_FDCWD, home, 0);
			notices(0);
		}
	}
}

int main(int count, char **arguments)
{
	unsigned long first = count > 3 ? strtoul(arguments[1], NULL, 0) : 1;
	int seeds = count > 3 ? atoi(arguments[2]) : 120,
	    steps = count > 3 ? atoi(arguments[3]) : 160;
	setvbuf(stdout, NULL, _IOFBF, 1 << 20);
	memset(long_name, 'x', sizeof(long_name) - 1);
	for (int i = 0; i < seeds; i++) {
		strcpy(home, access("/dev/shm", W_OK) ? "files_random.XXXXXX"
						      : "/dev/shm/files_random.XXXXXX");
		char made[PATH_MAX];
		int status;
		if (!mkdtemp(home) || !realpath(home, made))
			return 1;
		strcpy(home, made);
		fflush(stdout);
		pid_t child = fork();
		if (child == 0) {
			if (chdir(home))
				_exit(1);
			strcat(home,
			       "/n/o"); /* no path leads out of what is its own, by ".." or by a link */
			if (mkdir("n", 0755) == 0 && mkdir("n/o", 0755) == 0 && chdir("n/o") == 0)
				sequence(first + i, steps);
			fflush(stdout);
			_exit(0);
		}
		waitpid(child, &status, 0);
		SAY("seed %lu ended %x\n", first + i, status);
		tree_removed(AT_FDCWD, home);
	}
	return 0;
}

/* SPDX-License-Identifier: MIT
 * Writes a boot archive: newc cpio in which the data of every file starts on a 4096-byte boundary, so
 * that a library OS can use it in place, page by page.
 *
 * The name field is followed by as many NULs as the alignment takes; namesize counts them, so that any
 * reader of newc finds the data. Entries are sorted by path (parents first), those below .aril/ before
 * all others; of two entries with one path the later given stands; missing parents are made.
 *
 * usage: mkcpio [-m MAX] OUT <RECORDS
 * Records are NUL-terminated fields:
 *   f PATH HOSTFILE   a file with its mode, time and bytes (a symbolic link is followed)
 *   d PATH MODE       a directory (octal mode)
 *   l PATH TARGET     a symbolic link
 *   t PATH HOSTDIR    everything below HOSTDIR, on its file system; owners kept; hard links become
 *                     copies; sockets are left out and counted on standard error
 *   T PATH HOSTDIR    the same, all of it root's
 * Status 0; 1 with one line saying why; 3 with `BYTES LARGEST` on standard output, the archive's size
 * and its largest file, when that is more than MAX (nothing is written then). */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#define HEADER 110
#define PAGE 4096

struct entry {
	char *path;   /* without leading slash */
	char *source; /* host file, or link target */
	size_t order; /* as given */
	unsigned mode, uid, gid, mtime, rdev;
	unsigned long long bytes;
};

static struct entry *entries;
static size_t count, room;
static unsigned long left_out;

static void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("mkcpio: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	exit(1);
}

static void *need(void *p)
{
	if (!p)
		die("out of memory");
	return p;
}

/* Canonical archive path: no leading, trailing or doubled slashes, no `.`; refuses `..`. */
static char *clean_path(const char *path)
{
	char *out = need(malloc(strlen(path) + 1)), *to = out;

	while (*path) {
		size_t n = strcspn(path, "/");

		if (n == 2 && !memcmp(path, "..", 2))
			die("%s: '..' in a path of the archive", path);
		if (n && !(n == 1 && *path == '.')) {
			if (to != out)
				*to++ = '/';
			memcpy(to, path, n);
			to += n;
		}
		path += n + (path[n] == '/');
	}
	*to = 0;
	return out;
}

static struct entry *add(const char *path, const char *source, unsigned mode)
{
	struct entry *e;

	if (count == room) {
		room = room ? room * 2 : 1024;
		entries = need(realloc(entries, room * sizeof *entries));
	}
	e = &entries[count];
	*e = (struct entry){.path = clean_path(path), .order = count, .mode = mode};
	e->mtime = (unsigned)time(NULL);
	if (source)
		e->source = need(strdup(source));
	if (strlen(e->path) >= PAGE)
		die("%s: path too long", e->path);
	count++;
	return e;
}

/* Takes over what stat says of the host's file. */
static void describe(struct entry *e, const struct stat *st, int owner)
{
	e->mode = st->st_mode;
	e->mtime = (unsigned)st->st_mtime;
	if (owner) {
		e->uid = st->st_uid;
		e->gid = st->st_gid;
	}
	if (S_ISREG(st->st_mode)) {
		e->bytes = (unsigned long long)st->st_size;
		if (e->bytes > 0xffffffffULL)
			die("%s: larger than 4 GiB, which the archive's format cannot hold",
			    e->source);
	}
	if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode))
		e->rdev = (unsigned)st->st_rdev;
}

static void add_file(const char *path, const char *host)
{
	struct stat st;

	if (stat(host, &st))
		die("%s: %s", host, strerror(errno));
	if (!S_ISREG(st.st_mode))
		die("%s: not a regular file", host);
	describe(add(path, host, 0), &st, 0);
}

static const char *tree_path, *tree_host;
static int tree_owners;

static int add_tree_entry(const char *host, const struct stat *st, int kind, struct FTW *at)
{
	char path[2 * PAGE], target[PAGE];
	struct entry *e;
	ssize_t n;

	(void)at;
	if (kind == FTW_DNR)
		die("%s: cannot be read", host);
	if (kind == FTW_NS)
		die("%s: %s", host, strerror(errno));
	if (S_ISSOCK(st->st_mode)) {
		left_out++;
		return 0;
	}
	snprintf(path, sizeof path, "%s/%s", tree_path, host + strlen(tree_host));
	if (S_ISLNK(st->st_mode)) {
		n = readlink(host, target, sizeof target - 1);
		if (n < 0)
			die("%s: %s", host, strerror(errno));
		target[n] = 0;
		e = add(path, target, 0);
	} else {
		e = add(path, host, 0);
	}
	describe(e, st, tree_owners);
	return 0;
}

static void add_tree(const char *path, const char *host, int owners)
{
	tree_owners = owners;
	tree_path = path;
	tree_host = host;
	if (nftw(host, add_tree_entry, 64, FTW_PHYS | FTW_MOUNT))
		die("%s: %s", host, strerror(errno));
}

static char *field(void)
{
	static size_t size[3];
	static char *line[3];
	static int turn;

	turn = (turn + 1) % 3;
	if (getdelim(&line[turn], &size[turn], 0, stdin) < 0)
		return NULL;
	return line[turn];
}

static void read_records(void)
{
	char *kind, *path, *what, *end;

	while ((kind = field())) {
		path = field();
		what = field();
		if (!path || !what)
			die("record '%s' is cut short", kind);
		if (!strcmp(kind, "f")) {
			add_file(path, what);
		} else if (!strcmp(kind, "d")) {
			unsigned mode = (unsigned)strtoul(what, &end, 8);

			if (*end || !*what || mode > 07777)
				die("%s: bad mode '%s'", path, what);
			add(path, NULL, S_IFDIR | mode);
		} else if (!strcmp(kind, "l")) {
			add(path, what, S_IFLNK | 0777);
		} else if (!strcmp(kind, "t") || !strcmp(kind, "T")) {
			add_tree(path, what, *kind == 't');
		} else {
			die("unknown record '%s'", kind);
		}
	}
}

static int is_own(const char *path)
{
	return !strncmp(path, ".aril", 5) && (!path[5] || path[5] == '/');
}

static int by_path(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int own = is_own(y->path) - is_own(x->path), order = strcmp(x->path, y->path);

	if (own || order)
		return own ? own : order;
	return x->order < y->order ? 1 : -1;
}

/* Sorted, the last given of each path first among its equals: keeps that one. */
static void sort_unique(void)
{
	size_t from, to = 0;

	qsort(entries, count, sizeof *entries, by_path);
	for (from = 0; from < count; from++)
		if (!to || strcmp(entries[to - 1].path, entries[from].path))
			entries[to++] = entries[from];
	count = to;
}

static int present(const char *path, size_t among)
{
	struct entry key = {.path = (char *)path};
	size_t low = 0, high = among;

	while (low < high) {
		size_t mid = (low + high) / 2;
		int own = is_own(entries[mid].path) - is_own(key.path);
		int order = own ? -own : strcmp(entries[mid].path, key.path);

		if (!order)
			return 1;
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return 0;
}

/* Adds the directories that no record names. */
static void add_parents(void)
{
	size_t n = count, i;

	for (i = 0; i < n; i++) {
		char *path = need(strdup(entries[i].path)), *slash;

		while ((slash = strrchr(path, '/'))) {
			*slash = 0;
			if (present(path, n))
				break;
			add(path, NULL, S_IFDIR | 0755);
		}
		free(path);
	}
	sort_unique();
}

/* The name field's length, NULs included, for an entry whose header starts at `at`. */
static unsigned long long name_bytes(const struct entry *e, unsigned long long at)
{
	unsigned long long end = at + HEADER + strlen(e->path) + 1;
	unsigned long long unit = S_ISREG(e->mode) && e->bytes ? PAGE : 4;

	if (unit == 4)
		return strlen(e->path) + 1;
	return (end + unit - 1) / unit * unit - at - HEADER;
}

static unsigned long long data_bytes(const struct entry *e)
{
	return S_ISLNK(e->mode) ? strlen(e->source) : e->bytes;
}

static unsigned long long round4(unsigned long long n)
{
	return (n + 3) & ~3ULL;
}

static unsigned long long total_bytes(const struct entry *trailer)
{
	unsigned long long at = 0;
	size_t i;

	for (i = 0; i <= count; i++) {
		const struct entry *e = i < count ? &entries[i] : trailer;

		at = round4(at + HEADER + name_bytes(e, at));
		at = round4(at + data_bytes(e));
	}
	return at;
}

static const char *largest(void)
{
	const struct entry *best = entries;
	size_t i;

	for (i = 1; i < count; i++)
		if (entries[i].bytes > best->bytes)
			best = &entries[i];
	return best->source ? best->source : best->path;
}

static void copy_data(FILE *out, const struct entry *e)
{
	static char buffer[1 << 18];
	unsigned long long left = e->bytes;
	int fd = open(e->source, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		die("%s: %s", e->source, strerror(errno));
	while (left) {
		ssize_t n = read(fd, buffer, left < sizeof buffer ? left : sizeof buffer);

		if (n <= 0)
			die("%s: %s", e->source, n ? strerror(errno) : "became shorter meanwhile");
		fwrite(buffer, 1, (size_t)n, out);
		left -= (unsigned long long)n;
	}
	close(fd);
}

static void pad(FILE *out, unsigned long long n)
{
	while (n--)
		putc(0, out);
}

static unsigned long long write_entry(FILE *out, const struct entry *e, unsigned ino,
				      unsigned long long at)
{
	unsigned long long name = name_bytes(e, at), data = data_bytes(e), end;

	fprintf(out, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x", ino, e->mode,
		e->uid, e->gid, S_ISDIR(e->mode) ? 2 : 1, e->mtime, (unsigned)data, 0, 0,
		major(e->rdev), minor(e->rdev), (unsigned)name, 0);
	fputs(e->path, out);
	pad(out, name - strlen(e->path));
	end = at + HEADER + name;
	pad(out, round4(end) - end);
	end = round4(end);
	if (S_ISLNK(e->mode))
		fputs(e->source, out);
	else if (data)
		copy_data(out, e);
	pad(out, round4(end + data) - end - data);
	return round4(end + data);
}

int main(int argc, char **argv)
{
	struct entry trailer = {.path = "TRAILER!!!"};
	unsigned long long max = ~0ULL, at = 0, total;
	size_t i;
	FILE *out;

	if (argc == 4 && !strcmp(argv[1], "-m")) {
		max = strtoull(argv[2], NULL, 10);
		argv += 2;
		argc -= 2;
	}
	if (argc != 2 || *argv[1] == '-')
		die("usage: mkcpio [-m MAX] OUT <RECORDS");
	read_records();
	sort_unique();
	add_parents();
	total = total_bytes(&trailer);
	if (total > max) {
		printf("%llu %s\n", total, largest());
		return 3;
	}
	if (left_out)
		fprintf(stderr, "mkcpio: left out %lu sockets\n", left_out);
	out = fopen(argv[1], "we");
	if (!out)
		die("%s: %s", argv[1], strerror(errno));
	setvbuf(out, NULL, _IOFBF, 1 << 20);
	for (i = 0; i < count; i++)
		if (*entries[i].path)
			at = write_entry(out, &entries[i], (unsigned)i + 1, at);
	write_entry(out, &trailer, 0, at);
	if (ferror(out) | fclose(out))
		die("%s: %s", argv[1], strerror(errno));
	return 0;
}

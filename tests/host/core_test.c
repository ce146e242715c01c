/* SPDX-License-Identifier: MIT
 * What libos/core reads from others and prints: cpio archives, ELF images, boot lines, formats, strings.
 * links: libos/core/cpio.c libos/core/elf.c libos/core/print.c programs/init/boot.c */
#include "test.h"

/* The library's own memory functions, beside the host's. */
#define memcpy core_memcpy
#define memmove core_memmove
#define memset core_memset
#define memcmp core_memcmp
#define strlen core_strlen
#define strnlen core_strnlen
#define strcmp core_strcmp
#define strncmp core_strncmp
#define strchr core_strchr
#define strrchr core_strrchr
#include "../../libos/core/string.c"
#undef memcpy
#undef memmove
#undef memset
#undef memcmp
#undef strlen
#undef strnlen
#undef strcmp
#undef strncmp
#undef strchr
#undef strrchr

#include "../../programs/init/init.h"
#include <core/elf.h>
#include <core/print.h>

/* What boot.c asks of the rest of init. */
struct init init;

void fail(const char *format, ...)
{
	printf("fail: %s\n", format);
	exit(TEST_PANIC);
}

int archive_file(const char *path, struct file *file)
{
	(void)path;
	(void)file;
	return 0;
}

static void strings(void)
{
	for (int i = 0; i < 20000; i++) {
		u8 a[64], b[64];
		u32 from = test_below(40), to = test_below(40), n = test_below(24);

		for (u32 j = 0; j < sizeof(a); j++)
			a[j] = b[j] = (u8)test_random();
		if (i & 1) {
			memmove(a + to, a + from, n);
			core_memmove(b + to, b + from, n);
		} else {
			memset(a + to, (int)n, n);
			core_memset(b + to, (int)n, n);
		}
		CHECK(!memcmp(a, b, sizeof(a)));
		b[to] ^= (u8)test_below(2);
		CHECK((core_memcmp(a, b, 64) > 0) == (memcmp(a, b, 64) > 0));
		core_memcpy(a, b, n);
		CHECK(!memcmp(a, b, n));
	}
	SAME(core_strlen("abc"), 3);
	SAME(core_strnlen("abcdef", 4), 4);
	CHECK(core_strcmp("ab", "abc") < 0 && core_strcmp("b", "abc") > 0 && !core_strcmp("", ""));
	CHECK(!core_strncmp("abx", "aby", 2));
	const char *s = "a/b/c";
	CHECK(core_strchr(s, '/') == s + 1 && core_strrchr(s, '/') == s + 3);
	CHECK(core_strchr(s, 0) == s + 5 && !core_strchr(s, 'x') && !core_strrchr(s, 'x'));
	char to[4];
	SAME(core_copy_string(to, "abcdef", sizeof(to)), 6);
	CHECK(!strcmp(to, "abc"));
}

static void formats(void)
{
	static const char *const flags[] = {"", "-", "0", "+", " ", "#", "-+", "0+", "#0", "- "};
	static const char *const widths[] = {"", "1", "7", "20"};
	static const char *const precisions[] = {"", ".0", ".1", ".9", "."};
	static const char *const letters[] = {"d",  "u",  "x",	"X",   "o",  "ld",
					      "lu", "lx", "hd", "hhu", "zu", "c"};
	char format[64], want[128], got[128];

	for (int i = 0; i < 40000; i++) {
		const char *letter = letters[test_below(12)];
		u64 value = test_below(3) ? test_random() >> test_below(64) : test_below(2);

		snprintf(format, sizeof(format), "<%%%s%s%s%s>", flags[test_below(10)],
			 widths[test_below(4)], *letter == 'c' ? "" : precisions[test_below(5)],
			 letter);
		if (*letter == 'c')
			value = 'A' + value % 26;
		int n = snprintf(want, sizeof(want), format, value),
		    m = core_format(got, sizeof(got), format, value);
		if (n != m || strcmp(want, got))
			printf("%s of %#lx: '%s', expected '%s'\n", format, (unsigned long)value,
			       got, want);
		CHECK(n == m && !strcmp(want, got));
	}
	SAME(core_format(got, sizeof(got), "%s|%5s|%-5s|%.2s|%*d|%%", "a", "b", "c", "def", 4, 7),
	     23);
	CHECK(!strcmp(got, "a|    b|c    |de|   7|%"));
	SAME(core_format(got, 5, "%s", "abcdefgh"), 8);
	CHECK(!strcmp(got, "abcd"));
	const char *volatile none = NULL;
	core_format(got, sizeof(got), "%s", none);
	CHECK(!strcmp(got, "(null)"));
}

/* Appends an entry with that much padding of NULs behind the name's own. */
static u32 entry(u8 *to, const char *name, u32 pad, const char *data, u32 bytes)
{
	u32 name_bytes = (u32)strlen(name) + 1 + pad, n;

	n = (u32)sprintf((char *)to, "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X",
			 1, 0100644, 2, 3, 1, 99, bytes, 0, 0, 5, 6, name_bytes, 0);
	memset(to + n, 0, name_bytes);
	memcpy(to + n, name, strlen(name));
	n += name_bytes;
	while (n & 3)
		to[n++] = 0;
	memcpy(to + n, data, bytes);
	n += bytes;
	while (n & 3)
		to[n++] = 0;
	return n;
}

static u32 archive(u8 *to)
{
	u32 n = entry(to, "./a", 0, "hello", 5);

	n += entry(to + n, "/dir/b", 3000, "worlds", 6);
	n += entry(to + n, "empty", 1, "", 0);
	return n + entry(to + n, "TRAILER!!!", 0, "", 0);
}

static void cpio(void)
{
	static u8 bytes[8192];
	struct core_cpio_entry e;
	u32 n = archive(bytes);
	u64 at = 0;

	SAME(core_cpio_next(bytes, n, &at, &e), 1);
	CHECK(!strcmp(e.name, "a") && e.bytes == 5 && !memcmp(bytes + e.offset, "hello", 5));
	CHECK(e.mode == 0100644 && e.uid == 2 && e.gid == 3 && e.mtime == 99 && e.rdev_major == 5 &&
	      e.rdev_minor == 6);
	SAME(core_cpio_next(bytes, n, &at, &e), 1);
	CHECK(!strcmp(e.name, "dir/b") && e.bytes == 6 && !memcmp(bytes + e.offset, "worlds", 6));
	SAME(core_cpio_next(bytes, n, &at, &e), 1);
	CHECK(!strcmp(e.name, "empty") && e.bytes == 0);
	SAME(core_cpio_next(bytes, n, &at, &e), 0);
}

/* Cut at every byte, and with every byte changed: nothing outside is read, what is returned lies inside. */
static void cpio_wild(void)
{
	static u8 whole[8192];
	u32 n = archive(whole);

	for (int i = 0; i < 4000; i++) {
		u32 cut = i < (int)n ? (u32)i : n;
		u8 *bytes = malloc(cut + 1);
		struct core_cpio_entry e;
		u64 at = 0;
		int got = 1;

		memcpy(bytes, whole, cut);
		if (cut && i & 1)
			bytes[test_below(cut < 400 ? cut : 400)] = "0fF7 \377"[test_below(6)];
		for (int turns = 0; got > 0 && turns < 10; turns++) {
			got = core_cpio_next(bytes, cut, &at, &e);
			if (got > 0)
				CHECK(e.offset <= cut && e.bytes <= cut - e.offset &&
				      strlen(e.name) < cut);
		}
		free(bytes);
	}
}

static u32 put_elf(u8 *to, u32 segments)
{
	static const u8 magic[16] = {0x7f, 'E', 'L', 'F', 2, 1, 1};
	u64 header[6] = {0x0000000100000000 | 62ul << 16 | 2,
			 0x400010,
			 64,
			 0,
			 56ul << 48 | 64ul << 32,
			 segments};

	memcpy(to, magic, 16);
	memcpy(to + 16, header, sizeof(header));
	for (u32 i = 0; i < segments; i++) {
		u64 p[7] = {5ul << 32 | 1, i * 4096ul, 0x400000 + i * 8192ul, 0, 4096, 5000, 4096};

		memcpy(to + 64 + 56 * i, p, sizeof(p));
	}
	return segments * 4096;
}

static void elf(void)
{
	static u8 file[16384];
	struct core_elf e;
	u32 n = put_elf(file, 3);
	const char *why = core_elf_read(&e, file, n, n);

	if (why)
		printf("%s\n", why);
	CHECK(!why);
	SAME(e.nsegments, 3);
	SAME(e.low, 0x400000);
	SAME(e.high, 0x400000 + 2 * 8192 + 8192);
	SAME(e.headers_va, 0x400040);
	CHECK(e.segment[1].va == 0x402000 && e.segment[1].offset == 4096 &&
	      e.segment[1].bytes == 5000);
	CHECK(core_elf_read(&e, file, n, n - 1)); /* the last segment is cut */
	CHECK(core_elf_read(&e, file, 63, n));
	CHECK(core_elf_read(&e, file, 100, n)); /* headers beyond the part read */
}

/* Any field changed to anything: what is accepted keeps its promises. */
static void elf_wild(void)
{
	static const u64 wild[] = {
		0,    1,	   4095,      4096,    0x7fffffffffff, 0x800000000000,
		~0ul, ~0ul - 4095, 1ul << 63, 0x401000};

	for (int i = 0; i < 60000; i++) {
		u8 file[12288];
		struct core_elf e;
		u32 n = (memset(file, 0, sizeof(file)), put_elf(file, 3));

		for (u32 changes = 1 + test_below(3); changes; changes--) {
			u32 at = test_below(64 + 3 * 56);

			if (test_below(2))
				file[at] = (u8)test_random();
			else
				memcpy(file + (at & ~7u), &wild[test_below(10)], 8);
		}
		u32 part = test_below(2) ? n : 64 + test_below(300);
		u8 *copy = malloc(part);
		memcpy(copy, file, part);
		if (!core_elf_read(&e, copy, part, n)) {
			u64 last = 0;

			CHECK(e.nsegments && e.nsegments <= CORE_ELF_SEGMENTS && e.entry >= e.low &&
			      e.entry < e.high);
			for (u32 j = 0; j < e.nsegments; j++) {
				struct core_elf_segment *s = &e.segment[j];

				CHECK(s->offset <= n && s->file_bytes <= n - s->offset &&
				      s->file_bytes <= s->bytes);
				CHECK(s->va >= last && s->va >= e.low &&
				      s->va + s->bytes <= e.high);
				CHECK(s->va + s->bytes > s->va &&
				      s->va + s->bytes <= ARIL_USER_TOP);
				last = s->va + s->bytes;
			}
		}
		free(copy);
	}
}

static const char *line(const char *text, struct plan *plan)
{
	return boot_line(text, (u32)strlen(text), 4, plan);
}

static void boot_lines(void)
{
	struct plan p;

	CHECK(!line("domain .aril/exos share=3 console=yes log=yes cpus=all trace=1", &p));
	CHECK(!strcmp(p.image, ".aril/exos") && !strcmp(p.name, "exos") && p.share == 3 &&
	      p.console && p.log && p.trace);
	SAME(p.cpus, 15);
	CHECK(!line("domain x swap=256M", &p) && p.swap == 256);
	CHECK(!line("domain x cpus=0,2-3 -- a  b", &p));
	SAME(p.cpus, 13);
	CHECK(p.args_bytes == 5 && !memcmp(p.args, " a  b", 5) && !p.console && p.share == 1);
	CHECK(!line("\tdomain x cpus=3-15", &p));
	SAME(p.cpus, 8);
	static const char *const bad[] = {"",
					  "domains x",
					  "domain",
					  "domain x share",
					  "domain x share=",
					  "domain x share=0",
					  "domain x swap=4",
					  "domain x swap=0M",
					  "domain x swap=257M",
					  "domain x swap=1Mx",
					  "domain x share=1001",
					  "domain x share=99999999999",
					  "domain x share=1x",
					  "domain x cpus=",
					  "domain x cpus=4",
					  "domain x cpus=2-1",
					  "domain x cpus=1,",
					  "domain x cpus=16",
					  "domain x log=maybe",
					  "domain x colour=red"};
	for (u32 i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (!line(bad[i], &p))
			printf("accepted: %s\n", bad[i]);
		CHECK(line(bad[i], &p));
	}
}

static void boot_wild(void)
{
	static const char some[] = "domain .aril/exos share=1 cpus=0-3,2 log=yes -- a=-,019 \t";

	for (int i = 0; i < 50000; i++) {
		u32 n = test_below(300);
		char *text = malloc(n + 1);
		struct plan p;

		for (u32 j = 0; j < n; j++)
			text[j] = test_below(8) ? some[(j + (u32)(i % 3)) % (sizeof(some) - 1)]
						: (char)test_random();
		if (!boot_line(text, n, 1 + test_below(16), &p))
			CHECK(p.cpus && p.share && p.share <= 1000 && *p.image &&
			      (!p.args || p.args + p.args_bytes == text + n));
		free(text);
	}
}

static const struct test tests[] = {TEST(strings),    TEST(formats),  TEST(cpio),
				    TEST(cpio_wild),  TEST(elf),      TEST(elf_wild),
				    TEST(boot_lines), TEST(boot_wild)};

int main(void)
{
	return test_main(tests, sizeof(tests) / sizeof(tests[0]));
}

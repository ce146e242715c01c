/* SPDX-License-Identifier: MIT
 * Reading a newc cpio archive: a header of 110 bytes (magic and thirteen 8-digit hexadecimal numbers), the
 * name with its NUL, padding to 4, the data, padding to 4. A longer run of NULs after the name counts as
 * part of it: that is how archives align their data. */
#include <core/cpio.h>
#include <core/string.h>

#define HEADER 110
#define FIELDS 13

enum field {
	INO,
	MODE,
	UID,
	GID,
	NLINK,
	MTIME,
	SIZE,
	DEV_MAJOR,
	DEV_MINOR,
	RDEV_MAJOR,
	RDEV_MINOR,
	NAME,
	CHECK
};

/* Eight hexadecimal digits; -1 if they are not. */
static s64 number(const char *text)
{
	s64 value = 0;

	for (int i = 0; i < 8; i++) {
		char c = text[i];
		int digit = c >= '0' && c <= '9'		 ? c - '0'
			    : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10
								 : -1;

		if (digit < 0)
			return -1;
		value = value << 4 | digit;
	}
	return value;
}

int core_cpio_next(const void *archive, u64 bytes, u64 *at, struct core_cpio_entry *entry)
{
	const char *header = (const char *)archive + *at;
	s64 field[FIELDS];

	if (*at > bytes || bytes - *at < HEADER || memcmp(header, "07070", 5) ||
	    (header[5] != '1' && header[5] != '2'))
		return -1;
	for (int i = 0; i < FIELDS; i++)
		if ((field[i] = number(header + 6 + 8 * i)) < 0)
			return -1;
	u64 name_bytes = (u64)field[NAME], left = bytes - *at - HEADER;
	if (!name_bytes || name_bytes > CORE_CPIO_WINDOW - HEADER || name_bytes > left)
		return -1;
	const char *name = header + HEADER;
	if (strnlen(name, name_bytes) == name_bytes)
		return -1;
	if (!strcmp(name, "TRAILER!!!"))
		return 0;
	u64 data = (*at + HEADER + name_bytes + 3) & ~3ul;
	if (data > bytes || (u64)field[SIZE] > bytes - data)
		return -1;
	while (*name == '/' || (name[0] == '.' && name[1] == '/'))
		name += *name == '/' ? 1 : 2;
	*entry = (struct core_cpio_entry){
		.name = name,
		.offset = data,
		.bytes = (u64)field[SIZE],
		.ino = (u32)field[INO],
		.mode = (u32)field[MODE],
		.uid = (u32)field[UID],
		.gid = (u32)field[GID],
		.nlink = (u32)field[NLINK],
		.mtime = (u32)field[MTIME],
		.rdev_major = (u32)field[RDEV_MAJOR],
		.rdev_minor = (u32)field[RDEV_MINOR],
	};
	*at = (data + (u64)field[SIZE] + 3) & ~3ul;
	return 1;
}

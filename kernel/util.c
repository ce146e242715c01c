/* SPDX-License-Identifier: MIT
 * The memory functions that compilers call and the kernel uses. */
#include "util.h"

void *memset(void *to, int byte, usize bytes)
{
	u64 *word = to;
	u64 pattern = (u8)byte * 0x0101010101010101ul;
	usize words = bytes / 8;

	__asm__ volatile("rep stosq" : "+D"(word), "+c"(words) : "a"(pattern) : "memory");
	u8 *tail = (u8 *)word;
	bytes &= 7;
	__asm__ volatile("rep stosb" : "+D"(tail), "+c"(bytes) : "a"(byte) : "memory");
	return to;
}

void *memcpy(void *to, const void *from, usize bytes)
{
	void *at = to;
	usize words = bytes / 8;

	__asm__ volatile("rep movsq" : "+D"(at), "+S"(from), "+c"(words)::"memory");
	bytes &= 7;
	__asm__ volatile("rep movsb" : "+D"(at), "+S"(from), "+c"(bytes)::"memory");
	return to;
}

int memcmp(const void *a, const void *b, usize bytes)
{
	const u8 *x = a, *y = b;

	for (usize i = 0; i < bytes; i++)
		if (x[i] != y[i])
			return x[i] - y[i];
	return 0;
}

void page_clear(void *page)
{
	usize words = 512;

	__asm__ volatile("rep stosq" : "+D"(page), "+c"(words) : "a"(0ul) : "memory");
}

/* The rest of text behind prefix, or NULL. */
static const char *after(const char *text, const char *prefix)
{
	while (*prefix)
		if (*text++ != *prefix++)
			return NULL;
	return text;
}

u64 option_number(const char *line, const char *name, u64 otherwise)
{
	for (const char *at = line; *at; at++) {
		const char *digit = at == line || at[-1] == ' ' ? after(at, name) : NULL;
		u64 value = 0;
		u32 digits = 0;

		if (!digit)
			continue;
		for (; *digit >= '0' && *digit <= '9'; digit++, digits++)
			value = value * 10 + (u64)(*digit - '0');
		if (digits && digits <= 9 && (*digit == ' ' || !*digit))
			return value;
	}
	return otherwise;
}

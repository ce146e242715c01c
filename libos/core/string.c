/* SPDX-License-Identifier: MIT
 * Memory and strings. rep movsb/stosb: one instruction that every CPU we run on does in wide steps. */
#include <core/string.h>

void *memcpy(void *to, const void *from, usize bytes)
{
	void *at = to;
	usize words = bytes >> 3;

	bytes &= 7;
	__asm__ volatile("rep movsq" : "+D"(at), "+S"(from), "+c"(words) : : "memory");
	__asm__ volatile("rep movsb" : "+D"(at), "+S"(from), "+c"(bytes) : : "memory");
	return to;
}

void *memmove(void *to, const void *from, usize bytes)
{
	if ((u64)to - (u64)from >= bytes)
		return memcpy(to, from, bytes);
	/* they overlap and to is above: from the end down */
	u8 *t = to;
	const u8 *f = from;
	while (bytes >= 8) {
		u64 word;

		bytes -= 8;
		__builtin_memcpy(&word, f + bytes, 8);
		__builtin_memcpy(t + bytes, &word, 8);
	}
	while (bytes--)
		((volatile u8 *)t)[bytes] = f[bytes];
	return to;
}

void *memset(void *to, int byte, usize bytes)
{
	void *at = to;
	usize words = bytes >> 3;

	bytes &= 7;
	__asm__ volatile("rep stosq"
			 : "+D"(at), "+c"(words)
			 : "a"((u8)byte * 0x0101010101010101ul)
			 : "memory");
	__asm__ volatile("rep stosb" : "+D"(at), "+c"(bytes) : "a"(byte) : "memory");
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

usize strnlen(const char *s, usize most)
{
	usize n = 0;

	while (n < most && ((const volatile char *)s)[n])
		n++;
	return n;
}

/* Eight bytes at once, from multiples of eight: what lies behind the end is in the same page. */
usize strlen(const char *s)
{
	const u64 ones = 0x0101010101010101ul;
	usize n = 0;

	for (; (u64)(s + n) & 7; n++)
		if (!((const volatile char *)s)[n])
			return n;
	for (;; n += 8) {
		u64 word = *(const volatile u64 *)(s + n);
		u64 ends = (word - ones) & ~word & ones << 7;

		if (ends)
			return n + __builtin_ctzl(ends) / 8;
	}
}

int strncmp(const char *a, const char *b, usize most)
{
	for (usize i = 0; i < most; i++) {
		if (a[i] != b[i])
			return (u8)a[i] - (u8)b[i];
		if (!a[i])
			break;
	}
	return 0;
}

int strcmp(const char *a, const char *b)
{
	return strncmp(a, b, ~(usize)0);
}

char *strchr(const char *s, int c)
{
	for (;; s++) {
		if (*s == (char)c)
			return (char *)s;
		if (!*s)
			return (void *)0;
	}
}

char *strrchr(const char *s, int c)
{
	const char *last = (void *)0;

	for (;; s++) {
		if (*s == (char)c)
			last = s;
		if (!*s)
			return (char *)last;
	}
}

usize core_copy_string(char *to, const char *from, usize bytes)
{
	usize length = strlen(from), n = length < bytes ? length : bytes - 1;

	memcpy(to, from, n);
	to[n] = 0;
	return length;
}

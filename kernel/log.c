/* SPDX-License-Identifier: MIT
 * The kernel's log: formatting, and one writer at a time. */
#include "log.h"
#include "util.h"

#define LINE_BYTES 512

/* The arch's output. */
void console_write(const char *text, usize bytes);

/* A leaf: its holder waits for nobody, so whoever waits for it need not serve others' requests
 * meanwhile. And it must not: a fast call would return to an env that was taken off the CPU. */
static u32 log_busy;
static int lock_broken;

struct sink {
	char *text;
	usize bytes, used;
};

static void put(struct sink *s, char c)
{
	if (s->used + 1 < s->bytes)
		s->text[s->used++] = c;
}

static void put_padded(struct sink *s, const char *text, usize length, u32 width, char pad)
{
	for (u32 i = length; i < width; i++)
		put(s, pad);
	for (usize i = 0; i < length; i++)
		put(s, text[i]);
}

static void put_number(struct sink *s, u64 value, int negative, u32 base, u32 width, char pad)
{
	char digits[24];
	u32 n = sizeof(digits);

	do {
		digits[--n] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	if (negative)
		digits[--n] = '-';
	put_padded(s, digits + n, sizeof(digits) - n, width, pad);
}

static usize text_length(const char *text)
{
	usize n = 0;

	while (text[n])
		n++;
	return n;
}

usize format_text(char *text, usize bytes, const char *f, __builtin_va_list args)
{
	struct sink s = {text, bytes, 0};

	for (; *f; f++) {
		u32 width = 0, wide = 0;
		char pad = ' ', c;

		if (*f != '%') {
			put(&s, *f);
			continue;
		}
		f++;
		if (*f == '0')
			pad = '0';
		for (; *f >= '0' && *f <= '9'; f++)
			width = width * 10 + (*f - '0');
		for (; *f == 'l' || *f == 'z'; f++)
			wide = 1;
		if (*f == 's') {
			const char *t = __builtin_va_arg(args, const char *);

			t = t ? t : "(null)";
			put_padded(&s, t, text_length(t), width, ' ');
		} else if (*f == 'c') {
			c = __builtin_va_arg(args, int);
			put_padded(&s, &c, 1, width, ' ');
		} else if (*f == 'd') {
			s64 v = wide ? __builtin_va_arg(args, s64) : __builtin_va_arg(args, s32);

			put_number(&s, v < 0 ? 0 - (u64)v : (u64)v, v < 0, 10, width, pad);
		} else if (*f == 'u' || *f == 'x') {
			u64 v = wide ? __builtin_va_arg(args, u64) : __builtin_va_arg(args, u32);

			put_number(&s, v, 0, *f == 'x' ? 16 : 10, width, pad);
		} else if (*f == 'p') {
			put_number(&s, (u64) __builtin_va_arg(args, void *), 0, 16, 16, '0');
		} else if (*f == '%') {
			put(&s, '%');
		} else {
			break; /* not a format of ours: the rest cannot be read */
		}
	}
	if (bytes)
		text[s.used] = 0;
	return s.used;
}

void log_break_lock(void)
{
	write_once(lock_broken, 1);
}

void kprint_bytes(const char *text, usize bytes)
{
	int locked = !read_once(lock_broken);

	if (locked)
		while (__atomic_exchange_n(&log_busy, 1, __ATOMIC_ACQUIRE))
			__builtin_ia32_pause();
	console_write(text, bytes);
	if (locked)
		__atomic_store_n(&log_busy, 0, __ATOMIC_RELEASE);
}

void kprint(const char *format, ...)
{
	char line[LINE_BYTES];
	__builtin_va_list args;

	__builtin_va_start(args, format);
	usize n = format_text(line, sizeof(line), format, args);
	__builtin_va_end(args);
	kprint_bytes(line, n);
}

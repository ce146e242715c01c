/* SPDX-License-Identifier: MIT
 * A small printf. */
#include <aril_stubs.h>
#include <core/print.h>
#include <core/string.h>

struct sink {
	char *to;
	usize room; /* of to, its end included */
	usize n;    /* characters so far, those without room included */
};

struct spec {
	int left, zero, plus, space, alternate;
	int width;
	int precision; /* -1: none given */
	int bytes;     /* of the integer argument */
};

static void put(struct sink *s, char c)
{
	if (s->n + 1 < s->room)
		s->to[s->n] = c;
	s->n++;
}

static void put_many(struct sink *s, char c, int n)
{
	while (n-- > 0)
		put(s, c);
}

static void put_text(struct sink *s, const struct spec *spec, const char *text)
{
	int n;

	if (!text)
		text = "(null)";
	n = (int)strnlen(text, spec->precision >= 0 ? (usize)spec->precision : 0x7fffffff);
	if (!spec->left)
		put_many(s, ' ', spec->width - n);
	for (int i = 0; i < n; i++)
		put(s, text[i]);
	if (spec->left)
		put_many(s, ' ', spec->width - n);
}

static void put_number(struct sink *s, const struct spec *spec, u64 value, const char *sign,
		       u32 base, const char *digits)
{
	char text[24];
	int n = 0, length, zeros;

	if (value || spec->precision)
		do
			text[n++] = digits[value % base];
		while (value /= base);
	zeros = spec->precision > n ? spec->precision - n : 0;
	if (base == 8 && spec->alternate && !zeros && (!n || text[n - 1] != '0'))
		zeros = 1;
	length = n + zeros + (int)strlen(sign);
	if (spec->zero && !spec->left && spec->precision < 0 && spec->width > length) {
		zeros += spec->width - length;
		length = spec->width;
	}
	if (!spec->left)
		put_many(s, ' ', spec->width - length);
	while (*sign)
		put(s, *sign++);
	put_many(s, '0', zeros);
	while (n)
		put(s, text[--n]);
	if (spec->left)
		put_many(s, ' ', spec->width - length);
}

static u64 take_unsigned(const struct spec *spec, __builtin_va_list *args)
{
	switch (spec->bytes) {
	case 1:
		return (u8) __builtin_va_arg(*args, u32);
	case 2:
		return (u16) __builtin_va_arg(*args, u32);
	case 8:
		return __builtin_va_arg(*args, u64);
	}
	return __builtin_va_arg(*args, u32);
}

static s64 take_signed(const struct spec *spec, __builtin_va_list *args)
{
	u64 value = take_unsigned(spec, args);
	int unused = 64 - 8 * spec->bytes;

	return (s64)(value << unused) >> unused;
}

static int take_int(const char **format, __builtin_va_list *args)
{
	int n = 0;

	if (**format == '*') {
		(*format)++;
		return __builtin_va_arg(*args, int);
	}
	while (**format >= '0' && **format <= '9')
		n = n * 10 + *(*format)++ - '0';
	return n;
}

/* Reads what stands between % and the conversion's letter. */
static void take_spec(struct spec *spec, const char **format, __builtin_va_list *args)
{
	*spec = (struct spec){.precision = -1, .bytes = 4};
	for (;; (*format)++) {
		if (**format == '-')
			spec->left = 1;
		else if (**format == '0')
			spec->zero = 1;
		else if (**format == '+')
			spec->plus = 1;
		else if (**format == ' ')
			spec->space = 1;
		else if (**format == '#')
			spec->alternate = 1;
		else
			break;
	}
	spec->width = take_int(format, args);
	if (spec->width < 0) {
		spec->left = 1;
		spec->width = -spec->width;
	}
	if (**format == '.') {
		(*format)++;
		spec->precision = take_int(format, args);
	}
	for (;; (*format)++) {
		if (**format == 'l' || **format == 'z')
			spec->bytes = 8;
		else if (**format == 'h')
			spec->bytes = spec->bytes == 2 ? 1 : 2;
		else
			break;
	}
}

static void convert(struct sink *s, struct spec *spec, char letter, __builtin_va_list *args)
{
	const char *small = "0123456789abcdef";
	char one[2] = {0, 0};
	s64 number;
	u64 value;

	switch (letter) {
	case 'd':
	case 'i':
		number = take_signed(spec, args);
		put_number(s, spec, number < 0 ? -(u64)number : (u64)number,
			   number < 0	 ? "-"
			   : spec->plus	 ? "+"
			   : spec->space ? " "
					 : "",
			   10, small);
		break;
	case 'u':
		put_number(s, spec, take_unsigned(spec, args), "", 10, small);
		break;
	case 'o':
		put_number(s, spec, take_unsigned(spec, args), "", 8, small);
		break;
	case 'x':
	case 'X':
		value = take_unsigned(spec, args);
		put_number(s, spec, value,
			   !spec->alternate || !value ? ""
			   : letter == 'x'	      ? "0x"
						      : "0X",
			   16, letter == 'x' ? small : "0123456789ABCDEF");
		break;
	case 'p':
		put_number(s, spec, __builtin_va_arg(*args, u64), "0x", 16, small);
		break;
	case 'c':
		one[0] = (char)__builtin_va_arg(*args, int);
		spec->precision = -1;
		if (one[0])
			put_text(s, spec, one);
		else
			put(s, 0);
		break;
	case 's':
		put_text(s, spec, __builtin_va_arg(*args, const char *));
		break;
	default: /* % itself, or a letter it does not know: shown as it stands */
		put(s, letter);
	}
}

int core_vformat(char *to, usize bytes, const char *format, __builtin_va_list given)
{
	struct sink s = {.to = to, .room = bytes};
	__builtin_va_list args;

	__builtin_va_copy(args, given);
	while (*format) {
		struct spec spec;

		if (*format != '%') {
			put(&s, *format++);
			continue;
		}
		format++;
		take_spec(&spec, &format, &args);
		if (!*format)
			break;
		convert(&s, &spec, *format++, &args);
	}
	__builtin_va_end(args);
	to[s.n < bytes ? s.n : bytes - 1] = 0;
	return (int)s.n;
}

int core_format(char *to, usize bytes, const char *format, ...)
{
	__builtin_va_list args;

	__builtin_va_start(args, format);
	int n = core_vformat(to, bytes, format, args);
	__builtin_va_end(args);
	return n;
}

void core_log(const char *format, ...)
{
	char line[257];
	__builtin_va_list args;

	__builtin_va_start(args, format);
	int n = core_vformat(line, sizeof(line), format, args);
	__builtin_va_end(args);
	aril_log(line, n < 256 ? (u64)n : 256);
}

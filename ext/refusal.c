/* SPDX-License-Identifier: MIT
 * Refusals as text. */
#include <refusal.h>

static const char *const names[EXT_WHYS] = {
	[EXT_OK] = "none",
	[EXT_WHY_MEMORY] = "memory",
	[EXT_WHY_STEPS] = "steps",
	[EXT_WHY_OBJECT] = "object",
	[EXT_WHY_BTF] = "btf",
	[EXT_WHY_SECTION] = "section",
	[EXT_WHY_MAP] = "map",
	[EXT_WHY_LINK] = "link",
	[EXT_WHY_CODE] = "code",
	[EXT_WHY_FLOW] = "flow",
	[EXT_WHY_UNSET] = "unset",
	[EXT_WHY_TYPE] = "type",
	[EXT_WHY_BOUNDS] = "bounds",
	[EXT_WHY_ALIGN] = "align",
	[EXT_WHY_NULL] = "null",
	[EXT_WHY_READONLY] = "readonly",
	[EXT_WHY_LEAK] = "leak",
	[EXT_WHY_LOOP] = "loop",
	[EXT_WHY_STACK] = "stack",
	[EXT_WHY_CALL] = "call",
	[EXT_WHY_REFERENCE] = "reference",
	[EXT_WHY_CLASS] = "class",
	[EXT_WHY_LENGTH] = "length",
};

const char *ext_why_name(enum ext_why why)
{
	return (u32)why < EXT_WHYS ? names[why] : "?";
}

/* Room that is written to its end and counts on. */
struct text {
	char *out;
	u64 size, used;
};

static void text_byte(struct text *t, char c)
{
	if (t->used + 1 < t->size)
		t->out[t->used] = c >= ' ' && c <= '~' ? c : '?';
	t->used++;
}

static void text_string(struct text *t, const char *s)
{
	for (s = s ? s : "?"; *s; s++)
		text_byte(t, *s);
}

static void text_number(struct text *t, u64 n, u32 base)
{
	char digit[24];
	u32 count = 0;

	do
		digit[count++] = "0123456789abcdef"[n % base];
	while (n /= base);
	while (count)
		text_byte(t, digit[--count]);
}

static void text_signed(struct text *t, s64 n)
{
	if (n < 0)
		text_byte(t, '-');
	text_number(t, n < 0 ? -(u64)n : (u64)n, 10);
}

u64 ext_format_list(char *out, u64 size, const char *format, va_list list)
{
	struct text t = {.out = out, .size = size};

	for (const char *f = format; *f; f++) {
		if (*f != '%') {
			text_byte(&t, *f);
			continue;
		}
		switch (*++f) {
		case 's':
			text_string(&t, va_arg(list, const char *));
			break;
		case 'u':
			text_number(&t, va_arg(list, u64), 10);
			break;
		case 'd':
			text_signed(&t, va_arg(list, s64));
			break;
		case 'x':
			text_string(&t, "0x");
			text_number(&t, va_arg(list, u64), 16);
			break;
		default:
			text_byte(&t, '%');
			break;
		}
	}
	if (size)
		out[t.used < size ? t.used : size - 1] = 0;
	return t.used;
}

u64 ext_format(char *out, u64 size, const char *format, ...)
{
	va_list list;
	u64 used;

	va_start(list, format);
	used = ext_format_list(out, size, format, list);
	va_end(list);
	return used;
}

void ext_refusal_clear(struct ext_refusal *r)
{
	r->why = EXT_OK;
	r->offset = 0;
	r->insn = 0;
	r->line = 0;
	r->reg = -1;
	r->file[0] = r->function[0] = r->text[0] = r->known[0] = r->needed[0] = 0;
}

int ext_refuse(struct ext_refusal *r, enum ext_why why, u64 offset, const char *format, ...)
{
	va_list list;

	ext_refusal_clear(r);
	r->why = why;
	r->offset = offset;
	va_start(list, format);
	ext_format_list(r->text, sizeof(r->text), format, list);
	va_end(list);
	return why;
}

int ext_refuse_memory(struct ext_refusal *r)
{
	return ext_refuse(r, EXT_WHY_MEMORY, 0, "the memory given is spent");
}

/* Whether the refusal is about a byte of the object (the loader's) and not about an instruction. */
static int refusal_of_object(const struct ext_refusal *r)
{
	return r->why >= EXT_WHY_OBJECT && r->why <= EXT_WHY_LINK;
}

static u64 rest(u64 used, u64 size)
{
	return used < size ? size - used : 0;
}

u64 ext_refusal_print(const struct ext_refusal *r, char *out, u64 size)
{
	u64 n = 0;

#define ADD(...) (n += ext_format(rest(n, size) ? out + n : 0, rest(n, size), __VA_ARGS__))
	if (r->file[0] && r->line)
		ADD("%s:%u: ", r->file, (u64)r->line);
	else if (r->line)
		ADD("line %u: ", (u64)r->line);
	if (r->function[0])
		ADD("%s: ", r->function);
	ADD("%s: %s", ext_why_name(r->why), r->text);
	if (refusal_of_object(r) && r->offset)
		ADD(" (at byte %x)", r->offset);
	if (!refusal_of_object(r) && r->why >= EXT_WHY_CODE)
		ADD(" (instruction %u)", (u64)r->insn);
	if (r->known[0])
		ADD("; known: %s", r->known);
	if (r->needed[0])
		ADD("; needed: %s", r->needed);
#undef ADD
	return n;
}

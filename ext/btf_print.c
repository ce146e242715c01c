/* SPDX-License-Identifier: MIT
 * Types as C writes them. Nesting is shown to a depth; what is deeper is "...". */
#include <btf.h>
#include <refusal.h>

#define DEPTH 5
#define PARAMETERS 8

struct text {
	char *out;
	u64 size, used;
	char last;
};

static void add(struct text *t, const char *s)
{
	u64 room = t->used < t->size ? t->size - t->used : 0;

	t->used += ext_format(room ? t->out + t->used : 0, room, "%s", s);
	while (*s)
		t->last = *s++;
}

static void add_number(struct text *t, u64 n)
{
	char digits[24];

	ext_format(digits, sizeof(digits), "%u", n);
	add(t, digits);
}

static void type_print(struct text *t, const struct ext_btf *b, u32 id, u32 depth);

/* "RETURN " or "RETURN (*)", then "(PARAMETER, ...)". */
static void proto_print(struct text *t, const struct ext_btf *b, const struct ext_btf_type *proto,
			const char *middle, u32 depth)
{
	type_print(t, b, proto->type, depth + 1);
	add(t, " ");
	add(t, middle);
	add(t, "(");
	for (u32 i = 0; i < proto->count && i < PARAMETERS; i++) {
		u32 type = ext_btf_part(b, proto, i)->type;

		add(t, i ? ", " : "");
		if (type)
			type_print(t, b, type, depth + 1);
		else
			add(t, "...");
	}
	if (!proto->count)
		add(t, "void");
	if (proto->count > PARAMETERS)
		add(t, ", ...");
	add(t, ")");
}

static void named_print(struct text *t, const char *word, const char *name)
{
	add(t, word);
	add(t, name[0] ? name : "{...}");
}

static void pointer_print(struct text *t, const struct ext_btf *b, u32 to, u32 depth)
{
	const struct ext_btf_type *target = ext_btf_type(b, to);

	if (target->kind == EXT_BTF_FUNC_PROTO) {
		proto_print(t, b, target, "(*)", depth);
		return;
	}
	type_print(t, b, to, depth + 1);
	add(t, t->last == '*' ? "*" : " *");
}

static void qualified_print(struct text *t, const struct ext_btf *b, u32 to, const char *word,
			    u32 depth)
{
	int behind = ext_btf_bare(b, to)->kind == EXT_BTF_PTR;

	if (!behind) {
		add(t, word);
		add(t, " ");
	}
	type_print(t, b, to, depth + 1);
	if (behind) {
		add(t, " ");
		add(t, word);
	}
}

static void type_print(struct text *t, const struct ext_btf *b, u32 id, u32 depth)
{
	const struct ext_btf_type *type = ext_btf_type(b, id);

	if (depth > DEPTH) {
		add(t, "...");
		return;
	}
	switch (type->kind) {
	case EXT_BTF_VOID:
		add(t, "void");
		break;
	case EXT_BTF_PTR:
		pointer_print(t, b, type->type, depth);
		break;
	case EXT_BTF_ARRAY:
		type_print(t, b, type->type, depth + 1);
		add(t, "[");
		add_number(t, type->count);
		add(t, "]");
		break;
	case EXT_BTF_STRUCT:
		named_print(t, "struct ", type->name);
		break;
	case EXT_BTF_UNION:
		named_print(t, "union ", type->name);
		break;
	case EXT_BTF_FWD:
		named_print(t, type->flag ? "union " : "struct ", type->name);
		break;
	case EXT_BTF_ENUM:
	case EXT_BTF_ENUM64:
		named_print(t, "enum ", type->name);
		break;
	case EXT_BTF_CONST:
		qualified_print(t, b, type->type, "const", depth);
		break;
	case EXT_BTF_VOLATILE:
		qualified_print(t, b, type->type, "volatile", depth);
		break;
	case EXT_BTF_RESTRICT:
	case EXT_BTF_TYPE_TAG:
	case EXT_BTF_FUNC:
		type_print(t, b, type->type, depth + 1);
		break;
	case EXT_BTF_FUNC_PROTO:
		proto_print(t, b, type, "", depth);
		break;
	default:
		add(t, type->name);
		break;
	}
}

u64 ext_btf_print(const struct ext_btf *b, u32 id, char *out, u64 size)
{
	struct text t = {.out = out, .size = size};

	type_print(&t, b, id, 0);
	return t.used;
}

/* SPDX-License-Identifier: MIT
 * What the loader's fuzz targets share: memory of which every piece is an allocation of its own, so that the sanitizer
 * sees each byte read or written beside one; files read. */
#ifndef FUZZ_LOADER_H
#define FUZZ_LOADER_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <btf.h>
#include <refusal.h>

int LLVMFuzzerTestOneInput(const u8 *data, usize bytes);

#define MUST(x)                                                     \
	do {                                                        \
		if (!(x)) {                                         \
			fprintf(stderr, "does not hold: %s\n", #x); \
			abort();                                    \
		}                                                   \
	} while (0)

#define PIECES 4096
static void *piece[PIECES];
static u32 pieces;

/* In place of ext/arena.c's. */
void *ext_alloc(struct ext_arena *a, u64 bytes)
{
	if (bytes > a->size - a->used || pieces == PIECES)
		return 0;
	a->used += bytes;
	return piece[pieces++] = calloc(1, bytes ? bytes : 1);
}

static void pieces_free(u32 keep)
{
	while (pieces > keep)
		free(piece[--pieces]);
}

/* A file's bytes, kept; 0 if it is not there. */
static inline u8 *file_read(const char *name, u64 *bytes)
{
	FILE *f = fopen(name, "rb");
	u8 *data = malloc(1 << 16);

	if (!f)
		return 0;
	*bytes = fread(data, 1, 1 << 16, f);
	fclose(f);
	return data;
}

/* A refusal of the loader's: whole, and of a place in the object. */
static inline void refusal_check(const struct ext_refusal *why, int got, u64 bytes)
{
	char line[1024];

	MUST(why->why == (enum ext_why)got);
	MUST(got == EXT_WHY_MEMORY || got == EXT_WHY_LENGTH ||
	     (got >= EXT_WHY_OBJECT && got <= EXT_WHY_LINK));
	MUST(why->text[0]);
	MUST(why->reg == -1);
	MUST(why->offset <= bytes);
	MUST(memchr(why->text, 0, sizeof(why->text)) &&
	     memchr(why->function, 0, sizeof(why->function)));
	MUST(memchr(why->file, 0, sizeof(why->file)) && memchr(why->known, 0, sizeof(why->known)));
	MUST(ext_refusal_print(why, line, sizeof(line)) < sizeof(line));
	MUST(!strchr(line, '\n'));
}

/* All that can be asked of types. */
static inline void types_walk(const struct ext_btf *b)
{
	char text[64];
	struct ext_btf_place place;

	for (u32 id = 0; id < b->types; id++) {
		const struct ext_btf_type *t = ext_btf_type(b, id);

		MUST(strlen(t->name) < 256);
		MUST(ext_btf_bare(b, id)->bare == ext_btf_skip(b, id));
		ext_btf_print(b, id, text, sizeof(text));
		for (u32 at = 0; at < 70; at += 1 + at / 2)
			if (ext_btf_at(b, id, at, 1 + at % 8, &place))
				MUST(at + 1 + at % 8 <= t->bytes);
		if (t->name[0] && t->kind != EXT_BTF_DECL_TAG)
			MUST(ext_btf_find(b, t->kind, t->name) != 0);
		if (t->kind == EXT_BTF_DECL_TAG)
			MUST(ext_btf_tagged(b, t->type, t->component, t->name));
		for (u32 i = 0; t->kind == EXT_BTF_STRUCT && i < t->count; i++)
			MUST(ext_btf_part(b, t, i)->bit / 8 +
					     ext_btf_bare(b, ext_btf_part(b, t, i)->type)->bytes <=
				     t->bytes ||
			     ext_btf_part(b, t, i)->bits);
	}
}

#endif

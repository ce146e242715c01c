/* SPDX-License-Identifier: MIT
 * Types of an object or an interface (BTF), read once into tables and checked as a whole, so that whoever walks them
 * afterwards checks nothing: every type id is within the table, every kind stands where it may, everything has a size
 * that fits 32 bits (nothing contains itself by value), members lie inside their struct and ascend, names are
 * terminated.
 * Source of the format: Linux, Documentation/bpf/btf.rst. */
#ifndef EXT_BTF_H
#define EXT_BTF_H

#include <ext.h>

enum ext_btf_kind {
	EXT_BTF_VOID, /* type 0 alone */
	EXT_BTF_INT,
	EXT_BTF_PTR,
	EXT_BTF_ARRAY,
	EXT_BTF_STRUCT,
	EXT_BTF_UNION,
	EXT_BTF_ENUM,
	EXT_BTF_FWD, /* a struct (union: flag) that is declared only */
	EXT_BTF_TYPEDEF,
	EXT_BTF_VOLATILE,
	EXT_BTF_CONST,
	EXT_BTF_RESTRICT,
	EXT_BTF_FUNC,
	EXT_BTF_FUNC_PROTO,
	EXT_BTF_VAR,
	EXT_BTF_DATASEC,
	EXT_BTF_FLOAT,
	EXT_BTF_DECL_TAG,
	EXT_BTF_TYPE_TAG,
	EXT_BTF_ENUM64,
	EXT_BTF_KINDS
};

#define EXT_BTF_SIGNED 1u /* encoding of an INT */
#define EXT_BTF_CHAR 2u
#define EXT_BTF_BOOL 4u

#define EXT_BTF_STATIC 0u /* linkage of a FUNC or VAR */
#define EXT_BTF_GLOBAL 1u
#define EXT_BTF_EXTERN 2u

struct ext_btf_type {
	const char *name; /* "" when it has none */
	u8 kind;
	u8 flag;     /* ENUM: values are signed; FWD: a union */
	u8 encoding; /* INT */
	u8 linkage;  /* FUNC, VAR */
	u32 bytes; /* of a value of it, every kind: a typedef's as its target's; void, FUNC, FUNC_PROTO, FWD, tags: 0 */
	u32 type; /* what it refers to: PTR, TYPEDEF, VOLATILE, CONST, RESTRICT, TYPE_TAG; VAR: its type; FUNC: its
		      * FUNC_PROTO; FUNC_PROTO: what it returns (0: void); ARRAY: the element; DECL_TAG: the tagged */
	u32 first; /* STRUCT, UNION, ENUM, ENUM64, FUNC_PROTO, DATASEC: parts part[first .. first + count - 1] */
	u32 count;     /* parts; ARRAY: elements */
	s32 component; /* DECL_TAG: member or parameter that is tagged; -1: the type itself */
	u32 bare;      /* the type without typedefs, qualifiers and type tags */
	u8 is_const;   /* a const was among what `bare` leaves out */
	u64 offset;    /* in the object: for refusals */
};

/* A member, an enumerator, a parameter, or a variable of a data section. */
struct ext_btf_part {
	const char *name; /* "" for unnamed ones */
	u32 type;	  /* member, parameter (0: "..."), variable (its VAR) */
	u32 bit;	  /* member: where it begins, in bits; variable: in bytes */
	u32 bits;	  /* member: width, if a bit-field; else 0. variable: bytes */
	u64 value;	  /* enumerator, sign-extended */
};

struct ext_btf {
	struct ext_btf_type *type; /* type[0] is void */
	u32 types;
	struct ext_btf_part *part;
	u32 parts;
	u32 *tag; /* the DECL_TAGs, ordered by type, component, id */
	u32 tags;
	u32 *named; /* the named types, ordered by name, kind, id */
	u32 names;
	const char *string; /* all names: string_bytes, the last of them 0 */
	u32 string_bytes;
};

/* Reads and checks the section's bytes; base: where it lies in the object (for refusals). Keeps pointers into it (the
 * names). Time and memory: n log n. EXT_WHY_BTF, EXT_WHY_MEMORY. */
int ext_btf_read(struct ext_arena *a, const u8 *section, u64 bytes, u64 base, struct ext_btf *out,
		 struct ext_refusal *why);
/* Its later passes: sizes and what needs them; the orders by name and tag. */
int ext_btf_resolve(struct ext_arena *a, struct ext_btf *b, struct ext_refusal *why);
int ext_btf_index(struct ext_arena *a, struct ext_btf *b, struct ext_refusal *why);

/* Without typedefs, const, volatile, restrict and type tags. */
static inline u32 ext_btf_skip(const struct ext_btf *b, u32 id)
{
	return b->type[id].bare;
}
static inline int ext_btf_is_const(const struct ext_btf *b, u32 id)
{
	return b->type[id].is_const;
}
static inline const struct ext_btf_type *ext_btf_type(const struct ext_btf *b, u32 id)
{
	return &b->type[id];
}
/* The type without typedefs and qualifiers, and its kind. */
static inline const struct ext_btf_type *ext_btf_bare(const struct ext_btf *b, u32 id)
{
	return &b->type[b->type[id].bare];
}
static inline const struct ext_btf_part *ext_btf_part(const struct ext_btf *b,
						      const struct ext_btf_type *t, u32 n)
{
	return &b->part[t->first + n];
}
/* Whether a variable can be of that kind (of a bare type): it has a size. */
static inline int ext_btf_has_value(enum ext_btf_kind kind)
{
	return kind == EXT_BTF_INT || kind == EXT_BTF_PTR || kind == EXT_BTF_ARRAY ||
	       kind == EXT_BTF_STRUCT || kind == EXT_BTF_UNION || kind == EXT_BTF_ENUM ||
	       kind == EXT_BTF_FLOAT || kind == EXT_BTF_ENUM64;
}
/* The first type of that kind and name; 0: none. log n. */
u32 ext_btf_find(const struct ext_btf *b, enum ext_btf_kind kind, const char *name);
/* The member of a STRUCT or UNION by its name: its number, or -1. Unnamed members are not looked into. */
s32 ext_btf_member(const struct ext_btf *b, u32 id, const char *name);

/* What lies at a byte of a struct, array or union, down to the scalar or pointer: the innermost member that contains
 * bytes [offset, offset + bytes) whole. Unions: the first member whose bytes contain it. Returns 1, or 0 when there is none (padding, more
 * than one member, outside). */
struct ext_btf_place {
	u32 type; /* of the value found, typedefs and qualifiers left out: INT, PTR, ENUM, ENUM64, FLOAT */
	u32 offset; /* of the access inside the value: 0 when it is whole */
	u32 owner; /* the innermost STRUCT or UNION; its member `member` it is, or an element of that array */
	u32 member;
	u32 element; /* if the member is an array: bytes from the member's begin to the value */
	u32 base;    /* bytes from the outermost begin to the owner's */
	u32 outer; /* member of the outermost struct by which it was reached: tags on it hold for all inside */
	u32 bits;	/* of a bit-field; else 0 */
	u32 const_seen; /* a const qualifier was on the way */
};
int ext_btf_at(const struct ext_btf *b, u32 id, u32 offset, u32 bytes, struct ext_btf_place *out);

/* Declaration tags of a type's component (member, parameter; -1: of itself). log n. */
int ext_btf_tagged(const struct ext_btf *b, u32 id, s32 component, const char *tag);
/* What follows "key=" in a tag that begins so; 0: there is none. */
const char *ext_btf_tag_value(const struct ext_btf *b, u32 id, s32 component, const char *key);

/* Structural equality of a type of a and one of b: kinds, names, sizes, signedness (an integer's name is the compiler's:
 * it does not count), members' names, offsets and types, enumerators; functions' parameters' types (not names) and what
 * they return. Typedefs and qualifiers are left out, but for the const of what a pointer points to: with `loose`, a may
 * have one where b has none. A struct that is only declared equals one of the same name. A cycle is followed once.
 * Pairs found equal are remembered for the next question as long as no answer was "not equal". The work of all questions
 * together is bounded: 4 pairs for each type. EXT_OK, EXT_WHY_LINK (left and right: the innermost types that differ)
 * or EXT_WHY_MEMORY (more pairs). */
struct ext_btf_pairs {
	const struct ext_btf *a, *b;
	u64 *pair; /* in the order met; the first `done` of `count` were compared */
	u32 *hash; /* of `slots`, a power of two: index in pair[], + 1 */
	u32 most, count, done, slots;
	u32 left, right;
	const u8 *by_name; /* of a's structs, if not 0: those that equal any of their name */
};
int ext_btf_pairs_make(struct ext_arena *arena, const struct ext_btf *a, const struct ext_btf *b,
		       struct ext_btf_pairs *out);
int ext_btf_equal(struct ext_btf_pairs *p, u32 x, u32 y, int loose);

/* The type as C has it: "struct foo *", "int (u64, const void *)"; returns bytes as snprintf. */
u64 ext_btf_print(const struct ext_btf *b, u32 id, char *out, u64 size);

#endif

/* SPDX-License-Identifier: MIT
 * Names in paths, eight bytes at a time. A text that is looked at here has a zero and seven readable bytes behind it. */
#ifndef EXOS_NAME_H
#define EXOS_NAME_H

#include "inode.h"

#define NAME_ONES 0x0101010101010101ul

static inline u64 name_word(const char *at)
{
	u64 word;
	__builtin_memcpy(&word, at, sizeof(word));
	return word;
}

/* Not 0 where a byte of the word is zero: bit 7 of the first such byte is the lowest one set. */
static inline u64 word_zeros(u64 word)
{
	return (word - NAME_ONES) & ~word & NAME_ONES << 7;
}

/* The first n bytes of a word, n < 8. */
static inline u64 word_cut(u64 word, u32 n)
{
	return word & ((1ul << 8 * n) - 1);
}

/* A name's hash: each whole word of it, then what is left, be it nothing. */
static inline u64 name_mix(u64 hash, u64 word)
{
	hash = (hash ^ word) * 0x9e3779b97f4a7c15ul;
	return hash ^ hash >> 32;
}

/* The length of the name that begins at `at` and ends before a slash or a zero, and its hash. */
static inline u32 name_scan(const char *at, u64 seed, u64 *hash)
{
	u32 n = 0;
	for (;; n += 8) {
		u64 word = name_word(at + n);
		u64 end = word_zeros(word) | word_zeros(word ^ NAME_ONES * '/');
		if (end) {
			u32 rest = (u32)__builtin_ctzl(end) / 8;
			*hash = name_mix(seed, word_cut(word, rest));
			return n + rest;
		}
		seed = name_mix(seed, word);
	}
}

/* The path's next component, behind slashes, is w->last; its hash. Where the path goes on, behind the slashes that follow. */
static inline __attribute__((always_inline)) char *walk_component(struct walk *w, char *p, u64 seed,
								  u64 *hash)
{
	while (*p == '/')
		p++;
	w->last = p;
	w->last_length = name_scan(p, seed, hash);
	p += w->last_length;
	w->slash = *p == '/';
	while (*p == '/')
		p++;
	return p;
}

#endif

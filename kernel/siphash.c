/* SPDX-License-Identifier: MIT
 * SipHash-2-4 with 128 bits of output, after the paper's description (Aumasson and Bernstein 2012) and its
 * extension to two output words. Little-endian machines. */
#include "cap.h"
#include "util.h"

struct sip {
	u64 v0, v1, v2, v3;
};

static inline u64 rotate(u64 x, int bits)
{
	return x << bits | x >> (64 - bits);
}

static inline void sip_rounds(struct sip *s, int n)
{
	while (n--) {
		s->v0 += s->v1;
		s->v2 += s->v3;
		s->v1 = rotate(s->v1, 13) ^ s->v0;
		s->v3 = rotate(s->v3, 16) ^ s->v2;
		s->v0 = rotate(s->v0, 32) + s->v3;
		s->v2 += s->v1;
		s->v1 = rotate(s->v1, 17) ^ s->v2;
		s->v3 = rotate(s->v3, 21) ^ s->v0;
		s->v2 = rotate(s->v2, 32);
	}
}

static inline void sip_word(struct sip *s, u64 word)
{
	s->v3 ^= word;
	sip_rounds(s, 2);
	s->v0 ^= word;
}

void siphash128(const u64 key[2], const void *data, usize bytes, u64 out[2])
{
	struct sip s = {key[0] ^ 0x736f6d6570736575, key[1] ^ 0x646f72616e646f6d ^ 0xee,
			key[0] ^ 0x6c7967656e657261, key[1] ^ 0x7465646279746573};
	const u8 *at = data;
	u64 word;

	for (usize left = bytes / 8; left; left--, at += 8) {
		memcpy(&word, at, 8);
		sip_word(&s, word);
	}
	word = 0;
	memcpy(&word, at, bytes % 8);
	sip_word(&s, word | (u64)bytes << 56);
	s.v2 ^= 0xee;
	sip_rounds(&s, 4);
	out[0] = s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
	s.v1 ^= 0xdd;
	sip_rounds(&s, 4);
	out[1] = s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

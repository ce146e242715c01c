/* SPDX-License-Identifier: MIT
 * The framed channel's parser: the same events however the bytes arrive, and nothing believed.
 * links: libos/core/channel.c */
#include "test.h"

#include <core/channel.h>

static u32 add(u8 *to, u32 kind, const void *payload, u32 n)
{
	struct channel_header h;

	channel_header(&h, kind, n);
	memcpy(to, &h, sizeof(h));
	memcpy(to + sizeof(h), payload, n);
	return (u32)sizeof(h) + n;
}

struct seen {
	u8 input[4096];
	u32 input_bytes, eofs, windows, others, broken;
	u8 window[4];
};

/* Feeds bytes in parts of the given size (0: of random sizes) and notes what came out. Each part is copied
 * to memory of its own, so that a read beyond it is found. */
static void feed(struct seen *s, const u8 *bytes, u32 total, u32 size)
{
	struct channel_reader r = {.state = 0};
	struct channel_event e;

	memset(s, 0, sizeof(*s));
	while (total) {
		u32 part = size ? size : 1 + test_below(40);
		part = part < total ? part : total;
		u8 *copy = malloc(part);
		memcpy(copy, bytes, part);
		const u8 *at = copy;
		u32 n = part;
		int got;
		while ((got = channel_next(&r, &at, &n, &e)) > 0) {
			if (e.kind == CHANNEL_INPUT) {
				CHECK(e.bytes > 0);
				memcpy(s->input + s->input_bytes, e.data, e.bytes);
				s->input_bytes += e.bytes;
			} else if (e.kind == CHANNEL_EOF) {
				s->eofs++;
			} else if (e.kind == CHANNEL_WINDOW && e.bytes == 4) {
				memcpy(s->window, e.data, 4);
				s->windows++;
			} else {
				s->others++;
			}
		}
		if (got < 0)
			s->broken = 1;
		else
			CHECK(n == 0);
		free(copy);
		bytes += part;
		total -= part;
	}
}

static void parts(void)
{
	static u8 stream[8192];
	u8 text[1000], big[200] = {0};
	u32 n = 0;
	struct seen s;

	for (u32 i = 0; i < sizeof(text); i++)
		text[i] = (u8)(i * 7);
	n += add(stream + n, CHANNEL_WINDOW, "abcd", 4);
	n += add(stream + n, CHANNEL_INPUT, text, 600);
	n += add(stream + n, CHANNEL_INPUT, text, 0);
	n += add(stream + n, 99, big, sizeof(big)); /* longer than the reader keeps */
	n += add(stream + n, CHANNEL_INPUT, text + 600, 400);
	n += add(stream + n, CHANNEL_EOF, text, 0);
	for (u32 size = 0; size < 64; size++) {
		feed(&s, stream, n, size);
		CHECK(s.input_bytes == 1000 && !memcmp(s.input, text, 1000));
		CHECK(s.windows == 1 && !memcmp(s.window, "abcd", 4));
		CHECK(s.eofs == 1 && s.others == 1 && !s.broken);
	}
}

static void malformed(void)
{
	static const u8 bad[][8] = {
		{0, 0, 0, 0, 1, 0, 0, 0},	      /* no such kind */
		{CHANNEL_INPUT, 1, 0, 0, 1, 0, 0, 0}, /* padding not zero */
		{CHANNEL_INPUT, 0, 0, 1, 1, 0, 0, 0},
		{CHANNEL_INPUT, 0, 0, 0, 1, 0, 1, 0}, /* too long */
		{CHANNEL_INPUT, 0, 0, 0, 0, 0, 0, 0x80},
	};
	struct seen s;

	for (u32 i = 0; i < sizeof(bad) / 8; i++) {
		u8 stream[32];

		memcpy(stream, bad[i], 8);
		u32 n = 8 + add(stream + 8, CHANNEL_EOF, "", 0);
		for (u32 size = 1; size <= n; size++) {
			feed(&s, stream, n, size);
			CHECK(s.broken && !s.eofs && !s.input_bytes);
		}
	}
}

static void noise(void)
{
	u8 noise[512];
	struct seen s;

	for (u32 round = 0; round < 20000; round++) {
		for (u32 i = 0; i < sizeof(noise); i++)
			noise[i] = (u8)(test_below(4) ? 0 : test_below(24));
		feed(&s, noise, sizeof(noise), 0);
	}
}

static const struct test tests[] = {TEST(parts), TEST(malformed), TEST(noise)};

int main(void)
{
	return test_main(tests, sizeof(tests) / sizeof(tests[0]));
}

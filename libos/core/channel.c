/* SPDX-License-Identifier: MIT
 * The framed channel's parser: works on bytes as they come, keeps at most one small payload. */
#include <core/channel.h>

enum reader_state { IN_HEADER = 0, IN_PAYLOAD, BROKEN };

void channel_header(struct channel_header *h, u32 kind, u32 bytes)
{
	*h = (struct channel_header){.kind = (u8)kind, .bytes = bytes};
}

static int is_stream(u32 kind)
{
	return kind == CHANNEL_INPUT || kind == CHANNEL_OUTPUT || kind == CHANNEL_ERROR ||
	       kind == CHANNEL_TRACE;
}

static u32 kind_of(const struct channel_reader *r)
{
	return r->head[0];
}

/* A byte of the header. Returns -1 when the header is complete and malformed, 1 when it is
 * complete. */
static int header_byte(struct channel_reader *r, u8 byte)
{
	r->head[r->have++] = byte;
	if (r->have < sizeof(r->head))
		return 0;
	r->have = 0;
	r->left = r->head[4] | (u32)r->head[5] << 8 | (u32)r->head[6] << 16 | (u32)r->head[7] << 24;
	if (!r->head[0] || r->head[1] || r->head[2] || r->head[3] || r->left > CHANNEL_MAX) {
		r->state = BROKEN;
		return -1;
	}
	r->state = IN_PAYLOAD;
	return 1;
}

/* A stream's payload: whatever is there, as it is. */
static int stream_piece(struct channel_reader *r, const u8 **at, u32 *n, struct channel_event *e)
{
	u32 part = *n < r->left ? *n : r->left;

	*e = (struct channel_event){.kind = kind_of(r), .bytes = part, .data = *at};
	*at += part;
	*n -= part;
	r->left -= part;
	if (!r->left)
		r->state = IN_HEADER;
	return part != 0;
}

int channel_next(struct channel_reader *r, const u8 **at, u32 *n, struct channel_event *e)
{
	for (;;) {
		if (r->state == BROKEN)
			return -1;
		if (r->state == IN_HEADER) {
			if (!*n)
				return 0;
			int done = header_byte(r, **at);
			++*at, --*n;
			if (done < 0)
				return -1;
			continue;
		}
		if (is_stream(kind_of(r))) {
			if (stream_piece(r, at, n, e))
				return 1;
			if (r->state == IN_PAYLOAD)
				return 0;
			continue;
		}
		for (; r->left && *n; r->left--, ++*at, --*n)
			if (r->have < CHANNEL_SMALL)
				r->payload[r->have++] = **at;
		if (r->left)
			return 0;
		*e = (struct channel_event){
			.kind = kind_of(r), .bytes = r->have, .data = r->payload};
		r->have = 0;
		r->state = IN_HEADER;
		return 1;
	}
}

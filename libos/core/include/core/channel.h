/* SPDX-License-Identifier: MIT
 * The framed channel between a domain and the host's front door, over a virtio console's byte
 * stream. It says what a serial line cannot: end of input, which stream, an exit status. */
#ifndef CORE_CHANNEL_H
#define CORE_CHANNEL_H

#include <aril/types.h>

/* A frame: this header (little endian), then `bytes` bytes of payload, at most CHANNEL_MAX. */
struct channel_header {
	u8 kind; /* enum channel_kind */
	u8 zero[3];
	u32 bytes;
};
ARIL_ASSERT_SIZE(struct channel_header, 8);
#define CHANNEL_MAX 65536

enum channel_kind {
	/* both ways: the first frame each side sends; payload struct channel_hello */
	CHANNEL_HELLO = 1,
	/* host to guest */
	CHANNEL_INPUT = 2, /* bytes of standard input */
	CHANNEL_EOF = 3,   /* end of standard input; no payload */
	CHANNEL_WINDOW =
		4, /* payload u16 rows, u16 columns: the terminal's size, now and when it changes */
	CHANNEL_HANGUP = 5, /* the host's side of the output is closed: writes should raise EPIPE */
	/* guest to host */
	CHANNEL_OUTPUT = 16, /* bytes for standard output */
	CHANNEL_ERROR = 17,  /* bytes for standard error */
	CHANNEL_TRACE = 18,  /* a line of trace or diagnostics, for standard error */
	CHANNEL_STATUS =
		19, /* payload u32: the program's exit status, 128 + signal where one ended it */
	CHANNEL_CREDIT =
		20, /* payload u32: bytes of INPUT payload the host may send beyond what it sent */
	CHANNEL_STARTED =
		21, /* payload u64 ns since the kernel's first instruction: program's first instruction */
	/* payload u64: an offset in the core file, and its bytes from there; none: the file ends there. What is never sent
	 * of it is zeros. Ahead of the status. */
	CHANNEL_CORE = 22,
};

#define CHANNEL_VERSION 1
#define CHANNEL_TTY_IN 1u /* the host's standard input is a terminal */
#define CHANNEL_TTY_OUT 2u
#define CHANNEL_TTY_ERR 4u
struct channel_hello {
	u32 version;
	u32 flags; /* host to guest: CHANNEL_TTY_* */
	u16 rows, columns;
	u32 zero;
	u64 realtime_ns; /* host to guest: nanoseconds since 1970 (UTC) at sending */
};
ARIL_ASSERT_SIZE(struct channel_hello, 24);

/* Fills a header; bytes <= CHANNEL_MAX. */
void channel_header(struct channel_header *h, u32 kind, u32 bytes);

/* Takes frames out of a byte stream. Zero it to start. */
#define CHANNEL_SMALL 64
struct channel_reader {
	u8 head[8];
	u8 payload[CHANNEL_SMALL];
	u32 have;  /* bytes of header or small payload so far */
	u32 left;  /* payload bytes to come */
	u32 state; /* 0: in a header, 1: in a payload, 2: the stream is broken */
};
struct channel_event {
	u32 kind;
	u32 bytes;
	const u8 *data; /* valid until the next call */
};
/* Consumes from *at, *n bytes. 1: *e is an event. A stream's payload (INPUT, OUTPUT, ERROR,
 * TRACE) comes in pieces as it arrives, none of them empty; any other frame comes whole, its
 * payload cut to CHANNEL_SMALL. 0: everything is consumed. -1: the stream is not ours (header
 * malformed), for good. */
int channel_next(struct channel_reader *r, const u8 **at, u32 *n, struct channel_event *e);

#endif

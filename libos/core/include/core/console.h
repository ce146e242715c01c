/* SPDX-License-Identifier: MIT
 * The console as two streams of bytes, over a virtio console's rings or a UART. Nothing here
 * waits: who must wait does it for EVENT upcalls or on the ring pages' heads, and calls
 * console_pump. The caller serialises. */
#ifndef CORE_CONSOLE_H
#define CORE_CONSOLE_H

#include <aril/ops.h>
#include <core/uart.h>

#define CONSOLE_BUFFERS 32 /* frames each way */

enum console_kind { CONSOLE_NONE = 0, CONSOLE_RINGS, CONSOLE_UART };

struct console_rings {
	u32 rx_ring, tx_ring; /* from ring_open */
	struct aril_ring_page *rx_page, *tx_page;
	u32 auth;	 /* opens the buffers for READ and WRITE */
	u32 first_frame; /* 2 * CONSOLE_BUFFERS consecutive frames: input, then output */
	u8 *memory;	 /* where they are bound, in order */
};

struct core_console {
	u32 kind;   /* enum console_kind */
	u32 broken; /* the device has failed: 1 */
	struct console_rings r;
	/* received buffers in order, the first partly read */
	u8 in_queue[CONSOLE_BUFFERS];
	u16 in_bytes[CONSOLE_BUFFERS];
	u32 in_head, in_tail;
	u32 in_offset;
	u32 in_owed;  /* read buffers that the ring would not take back yet: a bit each */
	u32 out_free; /* a bit each */
	struct core_uart uart;
};

/* Posts all input buffers. Takes over the rings and the frames. 0 or -ARIL_E_*. */
int console_open_rings(struct core_console *c, const struct console_rings *r);
/* As uart_open. */
int console_open_uart(struct core_console *c, u16 port, u32 grant);
/* Takes what has completed, gives back what is free. Returns 1 while input is ready to be
 * received. */
int console_pump(struct core_console *c);
/* Copies at most n bytes for output; returns how many were taken, all of which will be sent
 * in order. */
u32 console_send(struct core_console *c, const void *from, u32 n);
/* Sends one channel frame (core/channel.h): header and as much of the n payload bytes as
 * there is room for; returns the payload bytes taken. All or nothing where n <= 64: 1 in
 * *whole says that a frame was sent. */
u32 console_send_frame(struct core_console *c, u32 kind, const void *payload, u32 n, int *whole);
/* Copies at most n received bytes. */
u32 console_receive(struct core_console *c, void *to, u32 n);
/* Bytes that console_send would take now. */
u32 console_room(const struct core_console *c);
/* Whether all output has reached the device. */
int console_idle(const struct core_console *c);

#endif

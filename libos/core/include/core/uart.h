/* SPDX-License-Identifier: MIT
 * A 16550 UART over granted ports and a granted interrupt line: the console where there is no
 * virtio. */
#ifndef CORE_UART_H
#define CORE_UART_H

#include <aril/types.h>

#define UART_BUFFER 4096 /* bytes each way; a power of two */
#define UART_COM1 0x3f8
#define UART_COM1_LINE 4 /* ISA, edge */
#define UART_PORTS 8

struct core_uart {
	u16 port;
	u32 grant;
	u32 in_head, in_tail; /* bytes ever put, taken */
	u32 out_head, out_tail;
	u8 in[UART_BUFFER];
	u8 out[UART_BUFFER];
	u32 lost; /* received bytes for which there was no room */
};

/* Sets 115200 8N1, FIFOs, receive interrupts. ports port..port+7 and the line (grant number)
 * are granted to the caller. 0, or -ARIL_E_DEVICE where no UART answers. */
int uart_open(struct core_uart *u, u16 port, u32 grant);
/* Moves bytes both ways as far as the device goes, and lets its next interrupt through. Call
 * it on every EVENT of its line and after uart_send. */
void uart_pump(struct core_uart *u);
/* Takes at most n bytes for output; returns how many. Never waits. */
u32 uart_send(struct core_uart *u, const void *from, u32 n);
/* Gives at most n received bytes; returns how many. Never waits. */
u32 uart_receive(struct core_uart *u, void *to, u32 n);
/* Bytes that uart_send would take now. */
u32 uart_room(const struct core_uart *u);
/* Whether all output has left the buffer. */
int uart_idle(const struct core_uart *u);

#endif

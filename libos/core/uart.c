/* SPDX-License-Identifier: MIT
 * A 16550 UART. Output goes out by interrupt, a FIFO's load at a time; nothing here spins. */
#include <aril/error.h>
#include <aril_stubs.h>
#include <core/port.h>
#include <core/uart.h>

enum uart_register {
	UART_DATA = 0,	     /* divisor latch low with DLAB */
	UART_INTERRUPTS = 1, /* divisor latch high with DLAB */
	UART_FIFO = 2,
	UART_IDENTITY = 2,
	UART_LINE = 3,
	UART_MODEM = 4,
	UART_STATUS = 5,
	UART_SCRATCH = 7,
};
#define INTERRUPT_RECEIVED 1
#define INTERRUPT_SENT 2
#define LINE_8N1 3
#define LINE_DLAB 0x80
#define FIFO_ON 0xc7  /* enabled, both cleared, receive interrupt at 14 bytes or by timeout */
#define MODEM_ON 0x0b /* DTR, RTS, and OUT2, which lets the interrupt out on a PC */
#define STATUS_RECEIVED 1
#define STATUS_SENT 0x20
#define FIFO_BYTES 16
#define DIVISOR_115200 1

static void put(const struct core_uart *u, u32 reg, u8 value)
{
	port_write8((u16)(u->port + reg), value);
}

static u8 get(const struct core_uart *u, u32 reg)
{
	return port_read8((u16)(u->port + reg));
}

static void pump_in(struct core_uart *u)
{
	while (get(u, UART_STATUS) & STATUS_RECEIVED) {
		u8 byte = get(u, UART_DATA);

		if (u->in_head - u->in_tail == UART_BUFFER)
			u->lost++;
		else
			u->in[u->in_head++ % UART_BUFFER] = byte;
	}
}

int uart_open(struct core_uart *u, u16 port, u32 grant)
{
	u->port = port;
	u->grant = grant;
	u->in_head = u->in_tail = u->out_head = u->out_tail = u->lost = 0;
	put(u, UART_SCRATCH, 0x5a);
	if (get(u, UART_SCRATCH) != 0x5a)
		return -ARIL_E_DEVICE;
	put(u, UART_INTERRUPTS, 0);
	put(u, UART_LINE, LINE_DLAB);
	put(u, UART_DATA, DIVISOR_115200);
	put(u, UART_INTERRUPTS, 0);
	put(u, UART_LINE, LINE_8N1);
	pump_in(u); /* turning the FIFOs on empties them */
	put(u, UART_FIFO, FIFO_ON);
	put(u, UART_MODEM, MODEM_ON);
	put(u, UART_INTERRUPTS, INTERRUPT_RECEIVED);
	aril_line_unmask(grant);
	return 0;
}

static void pump_out(struct core_uart *u)
{
	while (u->out_head != u->out_tail && get(u, UART_STATUS) & STATUS_SENT)
		for (u32 i = 0; i < FIFO_BYTES && u->out_head != u->out_tail; i++)
			put(u, UART_DATA, u->out[u->out_tail++ % UART_BUFFER]);
	put(u, UART_INTERRUPTS,
	    u->out_head != u->out_tail ? INTERRUPT_RECEIVED | INTERRUPT_SENT : INTERRUPT_RECEIVED);
}

void uart_pump(struct core_uart *u)
{
	aril_line_unmask(u->grant);
	/* The line is an edge: it rises again only when every cause was gone meanwhile.
	 * Turning the causes off makes it fall, so that what is still or newly true
	 * afterwards raises it. */
	put(u, UART_INTERRUPTS, 0);
	(void)get(u, UART_IDENTITY);
	pump_in(u);
	pump_out(u);
}

u32 uart_send(struct core_uart *u, const void *from, u32 n)
{
	const u8 *bytes = from;
	u32 room = uart_room(u);

	n = n < room ? n : room;
	for (u32 i = 0; i < n; i++)
		u->out[u->out_head++ % UART_BUFFER] = bytes[i];
	uart_pump(u);
	return n;
}

u32 uart_receive(struct core_uart *u, void *to, u32 n)
{
	u32 have = u->in_head - u->in_tail;

	n = n < have ? n : have;
	for (u32 i = 0; i < n; i++)
		((u8 *)to)[i] = u->in[u->in_tail++ % UART_BUFFER];
	return n;
}

u32 uart_room(const struct core_uart *u)
{
	return UART_BUFFER - (u->out_head - u->out_tail);
}

int uart_idle(const struct core_uart *u)
{
	return u->out_head == u->out_tail;
}

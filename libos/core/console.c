/* SPDX-License-Identifier: MIT
 * The console over rings: buffers of one frame each; a buffer is free, in the device's hands,
 * or (input) waiting to be read. */
#include <aril/error.h>
#include <aril_stubs.h>
#include <core/channel.h>
#include <core/console.h>

#define BUFFER 4096
#define WHOLE_MAX 64 /* payloads to here are sent whole or not at all */
#define ALL_BUFFERS 0xffffffffu
_Static_assert(CONSOLE_BUFFERS == 32, "a bit of a u32 for each buffer");

static void copy(u8 *to, const u8 *from, u32 n)
{
	__builtin_memcpy(to, from, n);
}

static u32 count_bits(u32 bits)
{
	u32 n = 0;

	for (; bits; bits &= bits - 1)
		n++;
	return n;
}

static struct aril_ring_request request(const struct core_console *c, u32 buffer, u32 bytes,
					int input)
{
	u32 frame = c->r.first_frame + buffer + (input ? 0 : CONSOLE_BUFFERS);

	return (struct aril_ring_request){.frame = frame,
					  .bytes = bytes,
					  .write = (u32)input,
					  .auth = c->r.auth,
					  .cookie = buffer};
}

/* Posts the input buffers that are owed to the device. */
static s64 post_input(struct core_console *c)
{
	struct aril_ring_request batch[CONSOLE_BUFFERS];
	u32 n = 0;

	for (u32 i = 0; i < CONSOLE_BUFFERS; i++)
		if (c->in_owed >> i & 1)
			batch[n++] = request(c, i, BUFFER, 1);
	if (!n)
		return 0;
	s64 taken = aril_ring_submit(c->r.rx_ring, batch, n);
	for (s64 i = 0; i < taken; i++)
		c->in_owed &= ~(1u << batch[i].cookie);
	if (taken == -ARIL_E_DEVICE)
		c->broken = 1;
	return taken < 0 && taken != -ARIL_E_FULL ? taken : 0;
}

int console_open_rings(struct core_console *c, const struct console_rings *r)
{
	c->kind = CONSOLE_RINGS;
	c->broken = 0;
	c->r = *r;
	c->in_head = c->in_tail = c->in_offset = 0;
	c->in_owed = ALL_BUFFERS;
	c->out_free = ALL_BUFFERS;
	return (int)post_input(c);
}

int console_open_uart(struct core_console *c, u16 port, u32 grant)
{
	c->kind = CONSOLE_UART;
	c->broken = 0;
	return uart_open(&c->uart, port, grant);
}

static void take_input(struct core_console *c)
{
	struct aril_ring_page *page = c->r.rx_page;
	u32 head = __atomic_load_n(&page->head, __ATOMIC_ACQUIRE);
	u32 tail = page->tail;

	for (; tail != head; tail++) {
		const struct aril_completion *done = &page->entry[tail % ARIL_RING_ENTRIES];
		u32 buffer = done->cookie % CONSOLE_BUFFERS;

		if (done->status)
			c->broken = 1;
		if (!done->bytes || done->status) {
			c->in_owed |= 1u << buffer;
			continue;
		}
		c->in_queue[c->in_head % CONSOLE_BUFFERS] = (u8)buffer;
		c->in_bytes[c->in_head % CONSOLE_BUFFERS] = (u16)done->bytes;
		c->in_head++;
	}
	__atomic_store_n(&page->tail, tail, __ATOMIC_RELEASE);
}

static void take_output(struct core_console *c)
{
	struct aril_ring_page *page = c->r.tx_page;
	u32 head = __atomic_load_n(&page->head, __ATOMIC_ACQUIRE);
	u32 tail = page->tail;

	for (; tail != head; tail++) {
		const struct aril_completion *done = &page->entry[tail % ARIL_RING_ENTRIES];

		if (done->status)
			c->broken = 1;
		c->out_free |= 1u << done->cookie % CONSOLE_BUFFERS;
	}
	__atomic_store_n(&page->tail, tail, __ATOMIC_RELEASE);
}

int console_pump(struct core_console *c)
{
	switch (c->kind) {
	case CONSOLE_RINGS:
		take_input(c);
		take_output(c);
		if (!c->broken)
			post_input(c);
		return c->in_head != c->in_tail;
	case CONSOLE_UART:
		uart_pump(&c->uart);
		return c->uart.in_head != c->uart.in_tail;
	}
	return 0;
}

u32 console_room(const struct core_console *c)
{
	switch (c->kind) {
	case CONSOLE_RINGS:
		return c->broken ? 0 : count_bits(c->out_free) * BUFFER;
	case CONSOLE_UART:
		return uart_room(&c->uart);
	}
	return 0;
}

/* Sends a then b, an + bn <= console_room, packed into as few buffers as they need. Returns
 * bytes taken. */
static u32 send_rings(struct core_console *c, const u8 *a, u32 an, const u8 *b, u32 bn)
{
	struct aril_ring_request batch[CONSOLE_BUFFERS];
	u32 n = 0, sent = 0, left = c->out_free;

	while (an || bn) {
		u32 buffer = (u32)__builtin_ctz(left);
		u8 *memory = c->r.memory + (u64)(CONSOLE_BUFFERS + buffer) * BUFFER;
		u32 na = an < BUFFER ? an : BUFFER;
		u32 nb = bn < BUFFER - na ? bn : BUFFER - na;

		copy(memory, a, na);
		copy(memory + na, b, nb);
		a += na, an -= na;
		b += nb, bn -= nb;
		left &= left - 1;
		batch[n++] = request(c, buffer, na + nb, 0);
	}
	if (!n)
		return 0;
	s64 taken = aril_ring_submit(c->r.tx_ring, batch, n);
	if (taken == -ARIL_E_DEVICE)
		c->broken = 1;
	for (s64 i = 0; i < taken; i++) {
		c->out_free &= ~(1u << batch[i].cookie);
		sent += batch[i].bytes;
	}
	return sent;
}

u32 console_send(struct core_console *c, const void *from, u32 n)
{
	u32 room;

	if (c->kind == CONSOLE_UART)
		return uart_send(&c->uart, from, n);
	if (c->kind != CONSOLE_RINGS)
		return 0;
	take_output(c);
	room = console_room(c);
	return send_rings(c, from, n < room ? n : room, from, 0);
}

u32 console_send_frame(struct core_console *c, u32 kind, const void *payload, u32 n, int *whole)
{
	struct channel_header header;
	u32 room;

	*whole = 0;
	if (c->kind == CONSOLE_RINGS)
		take_output(c);
	room = console_room(c);
	if (room < sizeof(header) + (n < WHOLE_MAX ? n : WHOLE_MAX))
		return 0;
	room -= sizeof(header);
	n = n < room ? n : room;
	n = n < CHANNEL_MAX ? n : CHANNEL_MAX;
	channel_header(&header, kind, n);
	if (c->kind == CONSOLE_UART) {
		uart_send(&c->uart, &header, sizeof(header));
		*whole = 1;
		return uart_send(&c->uart, payload, n);
	}
	/* The ring has as many places as there are buffers, and all are ours: taken whole, or
	 * broken. */
	if (send_rings(c, (const u8 *)&header, sizeof(header), payload, n) < sizeof(header) + n) {
		c->broken = 1;
		return 0;
	}
	*whole = 1;
	return n;
}

static u32 receive_rings(struct core_console *c, u8 *to, u32 n)
{
	u32 got = 0;

	while (got < n && c->in_tail != c->in_head) {
		u32 at = c->in_tail % CONSOLE_BUFFERS;
		u32 left = c->in_bytes[at] - c->in_offset;
		u32 part = n - got < left ? n - got : left;

		copy(to + got, c->r.memory + (u64)c->in_queue[at] * BUFFER + c->in_offset, part);
		got += part;
		c->in_offset += part;
		if (c->in_offset == c->in_bytes[at]) {
			c->in_owed |= 1u << c->in_queue[at];
			c->in_offset = 0;
			c->in_tail++;
		}
	}
	if (c->in_owed && !c->broken)
		post_input(c);
	return got;
}

u32 console_receive(struct core_console *c, void *to, u32 n)
{
	switch (c->kind) {
	case CONSOLE_RINGS:
		take_input(c);
		return receive_rings(c, to, n);
	case CONSOLE_UART:
		return uart_receive(&c->uart, to, n);
	}
	return 0;
}

int console_idle(const struct core_console *c)
{
	switch (c->kind) {
	case CONSOLE_RINGS:
		return c->out_free == ALL_BUFFERS;
	case CONSOLE_UART:
		return uart_idle(&c->uart);
	}
	return 1;
}

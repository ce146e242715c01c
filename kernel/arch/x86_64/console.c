/* SPDX-License-Identifier: MIT
 * Where the kernel's log goes: QEMU's debug console, else the first UART while no library has it. */
#include "x86.h"
#include "grant.h"
#include "util.h"

#define DEBUGCON 0xe9
#define UART 0x3f8
#define UART_SPIN 100000

enum target { UNKNOWN, TO_DEBUGCON, TO_UART, TO_NOTHING };
static enum target target;

/* 115200 baud, 8 data bits; the scratch register tells whether there is one. */
static int uart_init(void)
{
	outb(UART + 7, 0x5a);
	if (inb(UART + 7) != 0x5a)
		return 0;
	outb(UART + 1, 0);
	outb(UART + 3, 0x80);
	outb(UART + 0, 1);
	outb(UART + 1, 0);
	outb(UART + 3, 3);
	outb(UART + 2, 7);
	outb(UART + 4, 3);
	return 1;
}

static void uart_put(u8 byte)
{
	for (u32 i = 0; i < UART_SPIN && !(inb(UART + 5) & 0x20); i++)
		__builtin_ia32_pause();
	outb(UART, byte);
}

/* Writes bytes where the log goes. The caller holds the log lock, or panics. */
void console_write(const char *text, usize bytes)
{
	if (target == UNKNOWN) {
		if (inb(DEBUGCON) == DEBUGCON)
			target = TO_DEBUGCON;
		else
			target = uart_init() ? TO_UART : TO_NOTHING;
	}
	if (target == TO_DEBUGCON) {
		__asm__ volatile("rep outsb" : "+S"(text), "+c"(bytes) : "d"(DEBUGCON) : "memory");
		return;
	}
	if (target != TO_UART || grant_uart_taken())
		return;
	for (usize i = 0; i < bytes; i++) {
		if (text[i] == '\n')
			uart_put('\r');
		uart_put(text[i]);
	}
}

/* SPDX-License-Identifier: MIT
 * Which ports and which device memory reach the whole machine, and so are the root's alone. The list is of what a
 * PC has at fixed places and of what the firmware's tables name; a device that masters the bus by registers
 * elsewhere is known to whoever grants it, not to the kernel. */
#include "x86.h"

struct range {
	u32 first, count;
};

static const struct range ports[] = {
	{0x00, 0x20}, /* transfers to memory, first controller */
	{0x20, 2},    /* interrupt controller */
	{0x22, 2},    /* its routing on old boards (IMCR) */
	{0x64, 1},    /* keyboard controller's commands: reset, address line 20 */
	{0x80, 0x10}, /* pages of the transfers */
	{0x92, 1},    /* reset, address line 20 */
	{0xa0, 2},    /* second interrupt controller */
	{0xb2, 2},    /* system management mode */
	{0xc0, 0x20}, /* transfers, second controller */
	{0xf4, 4},    /* the emulator's exit */
	{0x4d0, 2},   /* edges and levels of the interrupt controllers */
	{0x510, 12},  /* the emulator's configuration: it transfers to memory */
	{0xcf8, 8},   /* configuration of PCI; 0xcf9 is reset */
};

static int overlap(u32 a, u32 an, u32 b, u32 bn)
{
	return a < b ? b - a < an : a - b < bn;
}

int arch_ports_whole(u32 first, u32 count)
{
	for (u32 i = 0; i < sizeof(ports) / sizeof(ports[0]); i++)
		if (overlap(first, count, ports[i].first, ports[i].count))
			return 1;
	for (u32 i = 0; i < acpi.nports; i++)
		if (overlap(first, count, acpi.port[i].first, acpi.port[i].count))
			return 1;
	return 0;
}

int arch_memory_whole(u32 first, u32 count)
{
	/* local interrupt controllers: a write there interrupts a CPU (Intel SDM vol. 3, message signalled) */
	if (overlap(first, count, 0xfee00, 0x100))
		return 1;
	if (overlap(first, count, (u32)(acpi.lapic >> ARIL_PAGE_SHIFT), 1))
		return 1;
	for (u32 i = 0; i < acpi.nioapics; i++)
		if (overlap(first, count, acpi.ioapic[i].address >> ARIL_PAGE_SHIFT, 1))
			return 1;
	for (u32 i = 0; i < acpi.nwindows; i++)
		if (overlap(first, count, acpi.window[i].first, acpi.window[i].count))
			return 1;
	return 0;
}

/* SPDX-License-Identifier: MIT
 * Finding the virtio console. PCI first (virtio 1.2, section 4.1.4: the structures are found
 * through vendor capabilities), then the transports that the command line names, then a
 * microvm's fixed places. */
#include <aril/info.h>
#include <aril_stubs.h>
#include <core/port.h>
#include <core/virtio_find.h>

#define TYPE_CONSOLE 3
#define CONFIG_ADDRESS 0xcf8
#define CONFIG_DATA 0xcfc
#define PCI_VENDOR 0x1af4
#define PCI_CONSOLE 0x1043	  /* modern only */
#define PCI_CONSOLE_COMPAT 0x1003 /* transitional: modern structures too */
#define PCI_MEMORY 0x1110	  /* QEMU's ivshmem: the region is its third address */
#define MEMORY_BAR 2

enum pci_config {
	PCI_ID = 0x00,
	PCI_COMMAND = 0x04, /* status in the high half */
	PCI_HEADER = 0x0c,
	PCI_BAR = 0x10,
	PCI_BUSES = 0x18, /* of a bridge: primary, secondary, last below */
	PCI_CAPABILITIES = 0x34,
	PCI_INTERRUPT = 0x3c,
};
#define COMMAND_MEMORY 2u
#define COMMAND_MASTER 4u
#define COMMAND_INTX_OFF 0x400u
#define STATUS_CAPABILITIES 0x100000u
#define CAPABILITY_VENDOR 9
#define CAPABILITIES_MAX 48 /* what 256 bytes can hold: bounds a list that loops */

enum virtio_structure {
	STRUCTURE_COMMON = 1,
	STRUCTURE_NOTIFY = 2,
	STRUCTURE_ISR = 3,
	STRUCTURE_DEVICE = 4,
};

/* A microvm's transports, 512 bytes apart; their lines begin at the second I/O controller's,
 * or at 16 where there is one controller and ACPI, or at 5 without ACPI. */
#define MICROVM_BASE 0xfeb00000ul
#define MICROVM_STEP 512
#define MICROVM_PLACES 24
static const u32 microvm_line[] = {24, 16, 5};

static u32 config_read(u32 function, u32 at)
{
	port_write32(CONFIG_ADDRESS, 0x80000000u | function << 8 | at);
	return port_read32(CONFIG_DATA);
}

static void config_write(u32 function, u32 at, u32 value)
{
	port_write32(CONFIG_ADDRESS, 0x80000000u | function << 8 | at);
	port_write32(CONFIG_DATA, value);
}

/* The memory address in a base address register, or 0: none, or ports. */
static u64 bar_address(u32 function, u32 bar)
{
	if (bar > 5)
		return 0;
	u32 low = config_read(function, PCI_BAR + 4 * bar);
	if (low & 1)
		return 0;
	u64 address = low & ~15u;
	if ((low & 6) == 4 && bar < 5)
		address |= (u64)config_read(function, PCI_BAR + 4 * bar + 4) << 32;
	return address;
}

/* Notes one virtio structure, described by the capability at `at`. */
static void structure_note(u32 function, u32 at, struct aril_device_desc *out)
{
	u32 kind = config_read(function, at) >> 24;
	u64 base = bar_address(function, config_read(function, at + 4) & 0xff);
	u64 address = base + config_read(function, at + 8);

	if (!base)
		return;
	if (kind == STRUCTURE_COMMON && !out->regs)
		out->regs = address;
	if (kind == STRUCTURE_ISR && !out->isr)
		out->isr = address;
	if (kind == STRUCTURE_DEVICE && !out->config)
		out->config = address;
	if (kind == STRUCTURE_NOTIFY && !out->notify) {
		out->notify = address;
		out->notify_step = config_read(function, at + 16);
	}
}

/* Describes a PCI console; 0 where the firmware left it without addresses or a line. */
static int pci_describe(u32 function, struct aril_device_desc *out)
{
	u32 command = config_read(function, PCI_COMMAND);
	u32 line = config_read(function, PCI_INTERRUPT) & 0xff;

	if (!(command & STATUS_CAPABILITIES) || line > 15)
		return 0;
	*out = (struct aril_device_desc){
		.transport = ARIL_VIRTIO_PCI,
		.type = TYPE_CONSOLE,
		.line = line,
		.line_flags = ARIL_LINE_ISA | ARIL_LINE_LEVEL,
		.nqueues = 2,
	};
	u32 at = config_read(function, PCI_CAPABILITIES) & 0xfc;
	for (u32 i = 0; at >= 0x40 && i < CAPABILITIES_MAX; i++) {
		u32 head = config_read(function, at);

		if ((head & 0xff) == CAPABILITY_VENDOR && at <= 0xf0)
			structure_note(function, at, out);
		at = head >> 8 & 0xfc;
	}
	if (!out->regs || !out->isr || !out->notify)
		return 0;
	command = (command & 0xffff & ~COMMAND_INTX_OFF) | COMMAND_MEMORY | COMMAND_MASTER;
	config_write(function, PCI_COMMAND, command);
	return 1;
}

/* Walks the buses until found says that this is it. */
static int pci_walk(int (*found)(u32 function, u32 id, void *self), void *self)
{
	u32 last_bus = 0; /* that some bridge leads to */

	for (u32 function = 0; function >> 8 <= last_bus; function++) {
		u32 id = config_read(function, PCI_ID);

		if ((id & 0xffff) == 0xffff) {
			if (!(function & 7))
				function += 7; /* no function 0: no device */
			continue;
		}
		if (found(function, id, self))
			return 1;
		u32 header = config_read(function, PCI_HEADER) >> 16;
		if ((header & 0x7f) == 1) {
			u32 subordinate = config_read(function, PCI_BUSES) >> 16 & 0xff;
			last_bus = subordinate > last_bus ? subordinate : last_bus;
		}
		if (!(function & 7) && !(header & 0x80))
			function += 7; /* one function only */
	}
	return 0;
}

static int pci_find(u32 root_auth, u32 env, int (*test)(u32 function, u32 id, void *self),
		    void *self)
{
	struct aril_grant_desc ports = {
		.kind = ARIL_GRANT_PORTS, .env = env, .first = CONFIG_ADDRESS, .count = 8};
	s64 grant = aril_grant_create(root_auth, &ports);

	if (grant < 0)
		return 0;
	int found = 0;
	port_write32(CONFIG_ADDRESS, 0x80000000u);
	if (port_read32(CONFIG_ADDRESS) == 0x80000000u) /* there is such a bus */
		found = pci_walk(test, self);
	aril_grant_destroy(root_auth, (u32)grant);
	return found;
}

struct console_search {
	u32 *index; /* counted down for each */
	struct aril_device_desc *out;
};

static int console_here(u32 function, u32 id, void *self)
{
	const struct console_search *s = self;

	if (id != (PCI_CONSOLE << 16 | PCI_VENDOR) && id != (PCI_CONSOLE_COMPAT << 16 | PCI_VENDOR))
		return 0;
	return pci_describe(function, s->out) && (*s->index)-- == 0;
}

/* Shared memory: its second region. How long it is, the address register says when all ones are written to it. */
static int memory_here(u32 function, u32 id, void *self)
{
	struct core_memory *out = self;
	u32 low = PCI_BAR + 4 * MEMORY_BAR, command = config_read(function, PCI_COMMAND) & 0xffff;
	u64 address = bar_address(function, MEMORY_BAR), mask;

	if (id != (PCI_MEMORY << 16 | PCI_VENDOR) || !address)
		return 0;
	u32 was = config_read(function, low), was_high = config_read(function, low + 4);
	config_write(function, PCI_COMMAND, command & ~COMMAND_MEMORY);
	config_write(function, low, ~0u);
	config_write(function, low + 4, ~0u);
	mask = config_read(function, low) & ~15u;
	mask |= (was & 6) == 4 ? (u64)config_read(function, low + 4) << 32 : 0xfffffffful << 32;
	config_write(function, low, was);
	config_write(function, low + 4, was_high);
	config_write(function, PCI_COMMAND, command | COMMAND_MEMORY);
	*out = (struct core_memory){.address = address, .bytes = ~mask + 1};
	return 1;
}

int core_find_memory(u32 root_auth, u32 env, struct core_memory *out)
{
	return pci_find(root_auth, env, memory_here, out);
}

static void mmio_describe(u64 regs, u32 line, struct aril_device_desc *out)
{
	*out = (struct aril_device_desc){
		.transport = ARIL_VIRTIO_MMIO,
		.type = TYPE_CONSOLE,
		.regs = regs,
		.line = line,
		.line_flags = ARIL_LINE_LEVEL,
		.nqueues = 2,
	};
}

static const char *number(const char *at, u64 *value)
{
	u32 base = 10;

	if (at[0] == '0' && at[1] == 'x') {
		base = 16;
		at += 2;
	}
	for (*value = 0;; at++) {
		u32 digit = *at >= '0' && *at <= '9'   ? (u32)(*at - '0')
			    : *at >= 'a' && *at <= 'f' ? (u32)(*at - 'a') + 10
						       : 16;

		if (digit >= base)
			return at;
		*value = *value * base + digit;
	}
}

/* `virtio_mmio.device=512@0xfeb00000:5`, as QEMU and other monitors append it. */
static int cmdline_find(u32 *index, struct aril_device_desc *out)
{
	static const char word[] = "virtio_mmio.device=";
	const char *at = (const char *)ARIL_INFO->cmdline;

	for (; *at; at++) {
		u64 bytes, regs, line;
		u32 i = 0;

		while (word[i] && at[i] == word[i])
			i++;
		if (word[i])
			continue;
		const char *end = at + i;
		end = number(end, &bytes);
		while (*end == 'K' || *end == 'M')
			end++;
		if (*end != '@')
			continue;
		end = number(end + 1, &regs);
		if (*end != ':')
			continue;
		number(end + 1, &line);
		if ((*index)-- == 0) {
			mmio_describe(regs, (u32)line, out);
			return 1;
		}
	}
	return 0;
}

int core_find_console(u32 root_auth, u32 env, u32 index, struct aril_device_desc *out)
{
	struct console_search search = {&index, out};

	if (pci_find(root_auth, env, console_here, &search))
		return 1;
	if (cmdline_find(&index, out))
		return 1;
	if (index >= MICROVM_PLACES * (sizeof(microvm_line) / sizeof(microvm_line[0])))
		return 0;
	u32 place = MICROVM_PLACES - 1 - index % MICROVM_PLACES; /* QEMU fills them from the last */
	u32 line = microvm_line[index / MICROVM_PLACES] + place;
	mmio_describe(MICROVM_BASE + place * MICROVM_STEP, line, out);
	return 1;
}

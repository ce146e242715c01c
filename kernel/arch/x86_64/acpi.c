/* SPDX-License-Identifier: MIT
 * The firmware's tables, as far as the kernel needs them: CPUs, interrupt controllers, a timer.
 * Read once, through the first page tables; everything is bounds-checked against the tables' own
 * lengths. */
#include "x86.h"
#include <aril/ops.h>
#include "util.h"

#define REACHABLE 0x100000000ul
#define TABLE_MAX 0x100000
#define DEFAULT_LAPIC 0xfee00000
#define DEFAULT_IOAPIC 0xfec00000

struct acpi_machine acpi;

struct rsdp {
	char signature[8];
	u8 checksum, oem[6], revision;
	u32 rsdt;
	u32 length;
	u64 xsdt;
} __attribute__((packed));

struct table {
	char signature[4];
	u32 length;
	u8 rest[28];
};

static u16 get16(const u8 *p)
{
	return p[0] | p[1] << 8;
}

static u32 get32(const u8 *p)
{
	return get16(p) | (u32)get16(p + 2) << 16;
}

static u64 get64(const u8 *p)
{
	return get32(p) | (u64)get32(p + 4) << 32;
}

static u8 sum(const void *data, usize bytes)
{
	const u8 *p = data;
	u8 total = 0;

	while (bytes--)
		total += *p++;
	return total;
}

static const struct rsdp *rsdp_at(u64 address)
{
	const struct rsdp *r = phys(address);

	return !memcmp(r->signature, "RSD PTR ", 8) && !sum(r, 20) ? r : NULL;
}

u64 acpi_scan(void)
{
	u64 ebda = (u64)get16(phys(0x40e)) << 4;

	if (ebda >= 0x80000 && ebda < 0xa0000)
		for (u64 at = ebda; at < ebda + 1024; at += 16)
			if (rsdp_at(at))
				return at;
	for (u64 at = 0xe0000; at < 0x100000; at += 16)
		if (rsdp_at(at))
			return at;
	return 0;
}

/* A table that is whole, reachable and has a right sum, or NULL. */
static const u8 *table_at(u64 address)
{
	if (!address || address + sizeof(struct table) > REACHABLE)
		return NULL;
	const struct table *t = phys(address);
	if (t->length < sizeof(*t) || t->length > TABLE_MAX || address + t->length > REACHABLE)
		return NULL;
	return sum(t, t->length) ? NULL : (const u8 *)t;
}

static void add_cpu(u32 apic, u32 flags)
{
	if (!(flags & 1) || apic == boot.apic[0] || apic > 254)
		return;
	if (boot.ncpus == ARIL_MAX_CPUS) {
		kprint("aril: more than %u CPUs: APIC %u is not used\n", ARIL_MAX_CPUS, apic);
		return;
	}
	boot.apic[boot.ncpus++] = apic;
}

/* Flags of an interrupt source, as in the MADT, for an ISA line. */
static u32 line_flags(u32 inti)
{
	u32 flags = 0;

	if ((inti & 3) == 3)
		flags |= ARIL_LINE_LOW;
	if ((inti >> 2 & 3) == 3)
		flags |= ARIL_LINE_LEVEL;
	return flags;
}

static void read_entry(const u8 *e)
{
	u32 type = e[0], bytes = e[1];

	if (type == 0 && bytes >= 8) {
		add_cpu(e[3], get32(e + 4));
	} else if (type == 1 && bytes >= 12) {
		if (acpi.nioapics < ACPI_IOAPICS) {
			acpi.ioapic[acpi.nioapics].address = get32(e + 4);
			acpi.ioapic[acpi.nioapics++].gsi = get32(e + 8);
		}
	} else if (type == 2 && bytes >= 10) {
		if (e[3] < ACPI_ISA_LINES) {
			acpi.isa[e[3]].gsi = get32(e + 4);
			acpi.isa[e[3]].flags = line_flags(get16(e + 8));
		}
	} else if (type == 5 && bytes >= 12) {
		acpi.lapic = get64(e + 4);
	} else if (type == 9 && bytes >= 16) {
		add_cpu(get32(e + 4), get32(e + 8));
	}
}

static void read_madt(const u8 *madt)
{
	const u8 *end = madt + get32(madt + 4);

	acpi.lapic = get32(madt + 36);
	for (const u8 *e = madt + 44; e + 2 <= end && e[1] >= 2 && e + e[1] <= end; e += e[1])
		read_entry(e);
}

static void add_ports(u32 first, u32 count)
{
	if (!first || first > 0xffff || !count || acpi.nports == ACPI_PORTS)
		return;
	acpi.port[acpi.nports].first = first;
	acpi.port[acpi.nports++].count = count;
}

/* The ports of power management: where each block's address and its length stand in the table. */
static void read_power(const u8 *fadt)
{
	static const u8 block[][2] = {{56, 88}, {60, 88}, {64, 89}, {68, 89},
				      {72, 90}, {80, 92}, {84, 93}};

	for (u32 i = 0; i < array_count(block); i++)
		add_ports(get32(fadt + block[i][0]), fadt[block[i][1]]);
	add_ports(get32(fadt + 48), 1); /* commands to system management mode */
}

static void read_fadt(const u8 *fadt)
{
	u32 bytes = get32(fadt + 4);

	if (bytes >= 94)
		read_power(fadt);
	if (bytes >= 129 && fadt[116] == 1) /* the reset register is a port */
		add_ports(get32(fadt + 120), 1);
	if (bytes >= 116 && !(get32(fadt + 112) >> 20 & 1) && fadt[91] == 4)
		acpi.pm_timer = get32(fadt + 76);
}

/* PCI configuration spaces that are seen in memory. */
static void read_mcfg(const u8 *mcfg)
{
	for (u32 at = 44; at + 16 <= get32(mcfg + 4) && acpi.nwindows < ACPI_WINDOWS; at += 16) {
		u32 first = (u32)(get64(mcfg + at) >> ARIL_PAGE_SHIFT);

		acpi.window[acpi.nwindows].first = first + mcfg[at + 10] * 256u;
		acpi.window[acpi.nwindows++].count = (mcfg[at + 11] - mcfg[at + 10] + 1) * 256u;
	}
}

static void defaults(void)
{
	boot.apic[0] = cpuid(1, 0).b >> 24;
	boot.ncpus = 1;
	acpi.lapic = DEFAULT_LAPIC;
	for (u32 i = 0; i < ACPI_ISA_LINES; i++)
		acpi.isa[i].gsi = i;
}

void acpi_read(u64 address)
{
	defaults();
	const struct rsdp *rsdp = address && address < REACHABLE ? rsdp_at(address) : NULL;
	const u8 *root = NULL;
	u32 step = 4;
	if (rsdp && rsdp->revision >= 2 && rsdp->xsdt) {
		root = table_at(rsdp->xsdt);
		step = 8;
	}
	if (rsdp && !root) {
		root = table_at(rsdp->rsdt);
		step = 4;
	}
	for (u32 at = 36; root && at + step <= get32(root + 4); at += step) {
		const u8 *t = table_at(step == 8 ? get64(root + at) : get32(root + at));

		if (t && !memcmp(t, "APIC", 4))
			read_madt(t);
		else if (t && !memcmp(t, "FACP", 4))
			read_fadt(t);
		else if (t && !memcmp(t, "MCFG", 4))
			read_mcfg(t);
	}
	if (!acpi.nioapics)
		acpi.ioapic[acpi.nioapics++].address = DEFAULT_IOAPIC;
	if (!root)
		kprint("aril: no ACPI tables: one CPU, default interrupt controllers\n");
}

/* SPDX-License-Identifier: MIT
 * Interrupt controllers: each CPU's local APIC and the machine's I/O APICs. The legacy PICs are
 * masked. */
#include "x86.h"
#include <aril/ops.h>
#include "util.h"

#define APIC_BASE_ENABLE 0x800ul
#define APIC_BASE_X2 0x400ul

enum lapic_register {
	LAPIC_ID = 0x20,
	LAPIC_TPR = 0x80,
	LAPIC_EOI = 0xb0,
	LAPIC_SVR = 0xf0,
	LAPIC_ICR_LOW = 0x300,
	LAPIC_ICR_HIGH = 0x310,
	LAPIC_LVT_TIMER = 0x320,
	LAPIC_LVT_LINT0 = 0x350,
	LAPIC_LVT_LINT1 = 0x360,
	LAPIC_LVT_ERROR = 0x370,
	LAPIC_COUNT = 0x380,
	LAPIC_LEFT = 0x390,
	LAPIC_DIVIDE = 0x3e0,
};
#define LVT_MASKED 0x10000u
#define LVT_NMI 0x400u
#define DIVIDE_BY_1 0xbu
#define ICR_PENDING 0x1000u

#define IOAPIC_VERSION 1
#define IOAPIC_LINE 0x10
#define LINE_MASKED 0x10000u
#define LINE_LOW 0x2000u
#define LINE_LEVEL 0x8000u
#define LINES_MAX 240

static volatile u32 *lapic;
static struct {
	volatile u32 *regs;
	u32 gsi, lines;
} ioapic[ACPI_IOAPICS];
/* Register index and data are two accesses. A leaf: nothing is called or waited for inside. */
static u32 ioapic_busy;

static u32 lapic_read(enum lapic_register r)
{
	return lapic[r / 4];
}

static void lapic_write(enum lapic_register r, u32 value)
{
	lapic[r / 4] = value;
}

void lapic_map(void)
{
	lapic = arch_map_device(acpi.lapic, ARIL_PAGE_SIZE);
	if (!lapic)
		panic("no room for the local APIC's registers");
}

void lapic_setup(void)
{
	u64 base = rdmsr(MSR_APIC_BASE);

	if (base &
	    APIC_BASE_X2) /* the only way from x2APIC mode to registers in memory is through off */
		wrmsr(MSR_APIC_BASE, base & ~(APIC_BASE_X2 | APIC_BASE_ENABLE));
	wrmsr(MSR_APIC_BASE, (base & ~APIC_BASE_X2) | APIC_BASE_ENABLE);
	lapic_write(LAPIC_TPR, 0);
	lapic_write(LAPIC_LVT_TIMER, LVT_MASKED);
	lapic_write(LAPIC_LVT_LINT0, LVT_MASKED);
	lapic_write(LAPIC_LVT_LINT1, LVT_NMI);
	lapic_write(LAPIC_LVT_ERROR, LVT_MASKED);
	lapic_write(LAPIC_SVR, 0x100 | VECTOR_SPURIOUS);
	lapic_write(LAPIC_DIVIDE, DIVIDE_BY_1);
	lapic_write(LAPIC_COUNT, 0);
	lapic_write(LAPIC_LVT_TIMER, VECTOR_TIMER);
	lapic_eoi();
}

void lapic_eoi(void)
{
	lapic_write(LAPIC_EOI, 0);
}

u32 lapic_id(void)
{
	return lapic_read(LAPIC_ID) >> 24;
}

void lapic_timer(u32 count)
{
	lapic_write(LAPIC_COUNT, count);
}

u32 lapic_timer_left(void)
{
	return lapic_read(LAPIC_LEFT);
}

void lapic_send(u32 apic, u32 icr)
{
	for (u32 i = 0; i < 1000000 && lapic_read(LAPIC_ICR_LOW) & ICR_PENDING; i++)
		__builtin_ia32_pause();
	lapic_write(LAPIC_ICR_HIGH, apic << 24);
	lapic_write(LAPIC_ICR_LOW, icr);
}

static void ioapic_lock(void)
{
	while (__atomic_exchange_n(&ioapic_busy, 1, __ATOMIC_ACQUIRE))
		__builtin_ia32_pause();
}

static void ioapic_unlock(void)
{
	__atomic_store_n(&ioapic_busy, 0, __ATOMIC_RELEASE);
}

static u32 ioapic_read(u32 i, u32 reg)
{
	ioapic[i].regs[0] = reg;
	return ioapic[i].regs[4];
}

static void ioapic_write(u32 i, u32 reg, u32 value)
{
	ioapic[i].regs[0] = reg;
	ioapic[i].regs[4] = value;
}

void ioapic_init(void)
{
	outb(0x21,
	     0xff); /* both PICs: every line masked; first moved off the exceptions' vectors */
	outb(0xa1, 0xff);
	outb(0x20, 0x11);
	outb(0xa0, 0x11);
	outb(0x21, 0x20);
	outb(0xa1, 0x28);
	outb(0x21, 4);
	outb(0xa1, 2);
	outb(0x21, 1);
	outb(0xa1, 1);
	outb(0x21, 0xff);
	outb(0xa1, 0xff);
	for (u32 i = 0; i < acpi.nioapics; i++) {
		ioapic[i].regs = arch_map_device(acpi.ioapic[i].address, ARIL_PAGE_SIZE);
		if (!ioapic[i].regs)
			panic("no room for an I/O APIC's registers");
		ioapic[i].gsi = acpi.ioapic[i].gsi;
		ioapic[i].lines = min((ioapic_read(i, IOAPIC_VERSION) >> 16 & 0xff) + 1, LINES_MAX);
		for (u32 line = 0; line < ioapic[i].lines; line++)
			ioapic_write(i, IOAPIC_LINE + line * 2, LINE_MASKED);
	}
}

/* The I/O APIC that has this line, or -1. */
static int ioapic_of(u32 gsi)
{
	for (u32 i = 0; i < acpi.nioapics; i++)
		if (gsi >= ioapic[i].gsi && gsi - ioapic[i].gsi < ioapic[i].lines)
			return i;
	return -1;
}

u32 arch_isa_line(u32 isa, u32 *flags)
{
	if (isa >= ACPI_ISA_LINES) {
		*flags = 0;
		return isa;
	}
	*flags = acpi.isa[isa].flags;
	return acpi.isa[isa].gsi;
}

int arch_line_route(u32 gsi, u32 vector, u32 cpu, u32 flags)
{
	int i = ioapic_of(gsi);
	u32 low = vector | LINE_MASKED;

	if (i < 0 || cpu >= ncpus)
		return -1;
	if (flags & ARIL_LINE_LEVEL)
		low |= LINE_LEVEL;
	if (flags & ARIL_LINE_LOW)
		low |= LINE_LOW;
	u32 reg = IOAPIC_LINE + (gsi - ioapic[i].gsi) * 2;
	ioapic_lock();
	ioapic_write(i, reg, low);
	ioapic_write(i, reg + 1, cpus[cpu]->apic << 24);
	ioapic_unlock();
	return 0;
}

void arch_line_mask(u32 gsi, int masked)
{
	int i = ioapic_of(gsi);

	if (i < 0)
		return;
	u32 reg = IOAPIC_LINE + (gsi - ioapic[i].gsi) * 2;
	ioapic_lock();
	u32 low = ioapic_read(i, reg) & ~LINE_MASKED;
	ioapic_write(i, reg, masked ? low | LINE_MASKED : low);
	ioapic_unlock();
}

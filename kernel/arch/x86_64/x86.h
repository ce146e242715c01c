/* SPDX-License-Identifier: MIT
 * The processor as only this port sees it: selectors, control registers, and what the port's files
 * offer each other. */
#ifndef KERNEL_X86_H
#define KERNEL_X86_H

#include <aril/layout.h>

#define KERNEL_CS 0x08
#define KERNEL_SS 0x10
#define USER_SS 0x23
#define USER_CS 0x2b
#define TSS_SELECTOR 0x30

/* IST numbers: stacks for what may arrive when the current stack or GS cannot be trusted. */
#define IST_DF 1
#define IST_NMI 2
#define IST_MC 3
#define IST_DB 4

/* Interrupt vectors above those of lines and devices (arch.h). 0x20..0x2f: the masked legacy
 * PICs'. */
#define VECTOR_TIMER 0xe0
#define VECTOR_IPI 0xf0
#define VECTOR_SPURIOUS 0xff

/* Kernel stacks: one slot of address space per CPU, each stack above an unmapped page. */
#define STACKS_VA 0xffffffffc0000000
#define STACK_SLOT 0x20000
#define STACK_BYTES 0x4000
#define IST_BYTES 0x2000

#define RFLAGS_USER 0x240dd5 /* what user code may set: CF PF AF ZF SF TF DF OF AC ID */

#ifndef __ASSEMBLER__
#include "arch.h"
#include "boot.h"

#define MSR_APIC_BASE 0x1b
#define MSR_EFER 0xc0000080
#define MSR_STAR 0xc0000081
#define MSR_LSTAR 0xc0000082
#define MSR_SFMASK 0xc0000084
#define MSR_GS_BASE 0xc0000101
#define MSR_KERNEL_GS_BASE 0xc0000102

struct tss {
	u32 zero0;
	u64 rsp[3];
	u64 zero1;
	u64 ist[7];
	u64 zero2;
	u16 zero3;
	u16 bitmap_at;
} __attribute__((packed));

#define TSS_BITMAP_BYTES 8192

/* What each CPU owns. The bitmap must follow the tss; its last byte is the all-ones the CPU asks
 * for. */
struct cpu_area {
	struct cpu cpu;
	u64 gdt[8];
	u32 port_first[8]; /* ranges open in the bitmap */
	u32 port_count[8];
	u32 nports;
	u32 zero;
	struct tss tss;
	u8 bitmap[TSS_BITMAP_BYTES + 1];
};

static inline void outb(u16 port, u8 value)
{
	__asm__ volatile("outb %0, %1" ::"a"(value), "Nd"(port));
}

static inline u8 inb(u16 port)
{
	u8 value;
	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline void outl(u16 port, u32 value)
{
	__asm__ volatile("outl %0, %1" ::"a"(value), "Nd"(port));
}

static inline u32 inl(u16 port)
{
	u32 value;
	__asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline u64 rdmsr(u32 msr)
{
	u32 low, high;
	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
	return (u64)high << 32 | low;
}

static inline void wrmsr(u32 msr, u64 value)
{
	__asm__ volatile("wrmsr" ::"c"(msr), "a"((u32)value), "d"((u32)(value >> 32)) : "memory");
}

static inline u32 read_pkru(void)
{
	u32 value;
	__asm__ volatile("rdpkru" : "=a"(value) : "c"(0) : "rdx");
	return value;
}

static inline void write_pkru(u32 value)
{
	__asm__ volatile("wrpkru" ::"a"(value), "c"(0), "d"(0) : "memory");
}

static inline u64 rdtsc(void)
{
	u32 low, high;
	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high)::"memory");
	return (u64)high << 32 | low;
}

static inline u64 read_cr2(void)
{
	u64 value;
	__asm__ volatile("movq %%cr2, %0" : "=r"(value));
	return value;
}

static inline u64 read_cr3(void)
{
	u64 value;
	__asm__ volatile("movq %%cr3, %0" : "=r"(value));
	return value;
}

static inline void write_cr3(u64 value)
{
	__asm__ volatile("movq %0, %%cr3" ::"r"(value) : "memory");
}

struct cpuid {
	u32 a, b, c, d;
};

static inline struct cpuid cpuid(u32 leaf, u32 sub)
{
	struct cpuid r;
	__asm__ volatile("cpuid"
			 : "=a"(r.a), "=b"(r.b), "=c"(r.c), "=d"(r.d)
			 : "a"(leaf), "c"(sub));
	return r;
}

/* cpu.c */
extern u64 cpu_xcr0;
extern u32 cpu_xsave_bytes;
extern int cpu_pcid; /* address-context ids are used */
extern int cpu_keys; /* protection keys are */
/* Turns them on if the command line says so and the CPU has them. Boot CPU, behind boot_read, before the text is read-only. */
void cpu_keys_init(void);
/* Refuses, by ending the machine, a CPU that lacks what the kernel needs; removes SMAP
 * instructions from the text where there is no SMAP. Boot CPU, before the text is read-only. */
void cpu_check(void);
/* Forgets every translation, those of the kernel's own half too. */
void cpu_flush_global(void);
/* Control registers, descriptor tables, MSRs of the CPU that runs this; its area is filled. */
void cpu_setup(struct cpu_area *area, u32 id, u32 apic);

/* Turns SMAP off on this CPU and on those that start later. */
void cpu_smap_off(void);
int cpu_smap(void); /* whether it is on */

/* probe.c: whether IRETQ from user mode to user mode works as things are. Boot CPU, before boot
 * ends. */
int probe_user_iret(void);

/* boot_info.c, acpi.c */
/* Fills boot from the loader's structures and the firmware's tables; nothing of theirs is used
 * after. */
void boot_read(u32 protocol, u64 address);
void acpi_read(u64 rsdp);
/* Physical address of the firmware's RSDP in the BIOS areas, or 0. */
u64 acpi_scan(void);

#define ACPI_IOAPICS 8
#define ACPI_ISA_LINES 16
#define ACPI_PORTS 9
#define ACPI_WINDOWS 8
struct acpi_machine {
	u32 nports, nwindows;
	struct {
		u32 first, count;
	} port[ACPI_PORTS],	      /* of power management and reset */
		window[ACPI_WINDOWS]; /* frames of PCI's configuration in memory */
	u64 lapic;
	u32 nioapics;
	u32 pm_timer; /* port of the power-management timer; 0: none */
	struct {
		u32 address, gsi;
	} ioapic[ACPI_IOAPICS];
	struct {
		u32 gsi, flags; /* ARIL_LINE_* */
	} isa[ACPI_ISA_LINES];
};
extern struct acpi_machine acpi;

/* memory.c */
/* Builds the kernel's address space and moves to it. */
void memory_init(void);
/* Physical address of the page, below 1 MiB, where other CPUs start; 0: there is none. */
u64 memory_trampoline(void);
struct cpu_area *memory_cpu_area(u32 id);
/* Flushes what this CPU knows of the space it is on. */
void memory_flush(void);

/* trap.c */
void trap_init(void); /* fills the IDT: once */
void trap_load(void); /* loads it: each CPU */
/* The short ways are those that see to PKRU: before the text is read-only. */
void trap_keys(void);
/* Sends a vector to another handler until the next trap_init. */
void trap_set(u32 vector, void (*handler)(void));
void trap_dispatch(struct trap_frame *frame);
void trap_upcall(struct trap_frame *frame);
/* The fixup for a kernel instruction that faulted, or 0. */
u64 extable_find(u64 rip);

/* apic.c */
void lapic_map(void);
void lapic_setup(void); /* this CPU's */
void lapic_eoi(void);
u32 lapic_id(void);
/* Timer: count ticks from now, 0 stops it. */
void lapic_timer(u32 count);
u32 lapic_timer_left(void);
/* icr: delivery mode and vector; to one APIC. */
void lapic_send(u32 apic, u32 icr);
#define ICR_FIXED 0x4000u
#define ICR_NMI 0x4400u
#define ICR_INIT 0x4500u
#define ICR_STARTUP 0x4600u
void ioapic_init(void);

/* time.c */
/* Spins for about this long, by the TSC, once the clock is calibrated. */
void time_spin(u64 ns);

/* panic.c */
/* Panics over an exception in the kernel. */
_Noreturn void panic_frame(const struct trap_frame *frame);
/* Whether some CPU panics: others stop where they notice. */
int panic_running(void);

/* console.c */
void console_write(const char *text, usize bytes);
#endif

#endif

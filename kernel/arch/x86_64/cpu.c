/* SPDX-License-Identifier: MIT
 * What the kernel asks of a CPU, and setting one up. */
#include "x86.h"
#include "code.h"
#include "code_functions.h"
#include "util.h"

#define CR0_VALUE 0x80010033ul /* PG WP NE ET MP PE */
#define CR4_PAE 0x20ul
#define CR4_MCE 0x40ul
#define CR4_PGE 0x80ul
#define CR4_OSFXSR 0x200ul
#define CR4_OSXMMEXCPT 0x400ul
#define CR4_UMIP 0x800ul
#define CR4_FSGSBASE 0x10000ul
#define CR4_PCIDE 0x20000ul
#define CR4_OSXSAVE 0x40000ul
#define CR4_SMEP 0x100000ul
#define CR4_SMAP 0x200000ul
#define CR4_PKE 0x400000ul
#define EFER_VALUE 0xd01ul /* SCE LME LMA NXE */
/* Cleared by `syscall`: TF IF DF NT RF AC */
#define SFMASK_VALUE 0x54700ul
#define XCR0_WANTED 7u /* x87, SSE, AVX */

struct cpu *cpus[ARIL_MAX_CPUS];
u32 ncpus = 1;
u64 cpu_xcr0;
u32 cpu_xsave_bytes;
int cpu_pcid, cpu_keys;
static u64 cr4_value;
static int has_rdrand, has_rdseed, has_smap;

extern const u64 smap_sites_start[], smap_sites_end[];
void syscall_entry(void);
void syscall_entry_keyed(void);

enum { REG_A, REG_B, REG_C, REG_D };
static const struct {
	u32 leaf;
	u8 reg, bit;
	const char *name;
} needed[] = {
	{1, REG_D, 5, "MSR (model-specific registers)"},
	{1, REG_D, 9, "APIC (local interrupt controller)"},
	{1, REG_D, 13, "PGE (global pages)"},
	{1, REG_D, 24, "FXSR"},
	{1, REG_D, 26, "SSE2"},
	{1, REG_C, 26, "XSAVE"},
	{7, REG_B, 0, "FSGSBASE"},
	{0x80000001, REG_D, 11, "SYSCALL"},
	{0x80000001, REG_D, 20, "NX (no-execute pages)"},
};

static _Noreturn void refuse(const char *name)
{
	kprint("aril: this CPU lacks %s; it is needed\n", name);
	arch_end(0x7d);
}

/* Without SMAP its two instructions do not exist: no-ops in their place. */
static void smap_remove(void)
{
	static const u8 nop[3] = {0x0f, 0x1f, 0x00};

	for (const u64 *site = smap_sites_start; site < smap_sites_end; site++)
		memcpy((void *)*site, nop, sizeof(nop));
}

static u32 register_of(u32 leaf, u32 reg)
{
	u32 limit = cpuid(leaf & 0x80000000, 0).a;
	struct cpuid r = {0};

	if (leaf <= limit)
		r = cpuid(leaf, 0);
	return reg == REG_A ? r.a : reg == REG_B ? r.b : reg == REG_C ? r.c : r.d;
}

void cpu_check(void)
{
	for (u32 i = 0; i < array_count(needed); i++)
		if (!(register_of(needed[i].leaf, needed[i].reg) >> needed[i].bit & 1))
			refuse(needed[i].name);
	has_rdrand = register_of(1, REG_C) >> 30 & 1;
	has_rdseed = register_of(7, REG_B) >> 18 & 1;
	if (!has_rdrand && !has_rdseed)
		refuse("RDRAND or RDSEED (a source of randomness)");
	has_smap = register_of(7, REG_B) >> 20 & 1;
	cr4_value = CR4_PAE | CR4_PGE | CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_OSXSAVE | CR4_FSGSBASE;
	if (register_of(1, REG_D) >> 7 & 1)
		cr4_value |= CR4_MCE;
	if (register_of(7, REG_B) >> 7 & 1)
		cr4_value |= CR4_SMEP;
	if (has_smap)
		cr4_value |= CR4_SMAP;
	else
		smap_remove();
	if (register_of(7, REG_C) >> 2 & 1)
		cr4_value |= CR4_UMIP;
	cpu_pcid = register_of(1, REG_C) >> 17 & 1;
	if (cpu_pcid)
		cr4_value |= CR4_PCIDE;
	cpu_xcr0 = cpuid(0xd, 0).a & XCR0_WANTED;
	if ((cpu_xcr0 & 3) != 3)
		refuse("XSAVE of x87 and SSE state");
	cpu_xsave_bytes = cpu_xcr0 & 4 ? 832 : 576;
	if (cpu_xcr0 & 4 && cpuid(0xd, 2).b != 576)
		refuse("AVX state at its standard place"); /* no such CPU is known: layouts are fixed */
	wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_VALUE);
}

/* PKRU is a register that each change of env and each upcall has to see to: who does not want keys does not pay. It is in no
 * XSAVE area: XCR0 does not name it. */
void cpu_keys_init(void)
{
	if (!option_number(boot.cmdline, "aril.keys=", 0) || !(register_of(7, REG_C) >> 3 & 1))
		return;
	cpu_keys = 1;
	cr4_value |= CR4_PKE;
	trap_keys();
}

int cpu_smap(void)
{
	return (cr4_value & CR4_SMAP) != 0;
}

void cpu_smap_off(void)
{
	cr4_value &= ~CR4_SMAP;
	__asm__ volatile("movq %0, %%cr4" ::"r"(cr4_value));
}

void cpu_flush_global(void)
{
	__asm__ volatile("movq %0, %%cr4\n\tmovq %1, %%cr4" ::"r"(cr4_value & ~CR4_PGE),
			 "r"(cr4_value)
			 : "memory");
}

static void descriptors_load(struct cpu_area *area)
{
	u64 tss = (u64)&area->tss;
	u64 limit = sizeof(area->tss) + sizeof(area->bitmap) - 1;
	struct __attribute__((packed)) {
		u16 limit;
		u64 base;
	} pointer = {sizeof(area->gdt) - 1, (u64)area->gdt};

	/* After reset the CPU takes address 0 for a local descriptor table: user memory. */
	__asm__ volatile("lldt %w0" ::"r"(0));
	area->gdt[KERNEL_CS / 8] = 0x00af9b000000ffff;
	area->gdt[KERNEL_SS / 8] = 0x00cf93000000ffff;
	area->gdt[USER_SS / 8] = 0x00cff3000000ffff;
	area->gdt[USER_CS / 8] = 0x00affb000000ffff;
	area->gdt[TSS_SELECTOR / 8] =
		limit | (tss & 0xffffff) << 16 | 0x89ul << 40 | (tss >> 24 & 0xff) << 56;
	area->gdt[TSS_SELECTOR / 8 + 1] = tss >> 32;
	__asm__ volatile("lgdt %0\n\t"
			 "pushq %1\n\t"
			 "leaq 1f(%%rip), %%rax\n\t"
			 "pushq %%rax\n\t"
			 "lretq\n"
			 "1:\tmovl %2, %%ss\n\t"
			 "ltr %w3"
			 :
			 : "m"(pointer), "i"(KERNEL_CS), "r"(KERNEL_SS), "r"(TSS_SELECTOR)
			 : "rax", "memory");
}

/* Stacks as memory.c mapped them: the main one, then one per IST number, each over a hole. */
static void stacks_set(struct cpu_area *area, u32 id)
{
	u64 at = STACKS_VA + (u64)id * STACK_SLOT + ARIL_PAGE_SIZE + STACK_BYTES;

	area->cpu.kernel_rsp = at;
	area->tss.rsp[0] = at;
	for (u32 ist = IST_DF; ist <= IST_DB; ist++) {
		at += ARIL_PAGE_SIZE + IST_BYTES;
		*(struct cpu **)(at - 16) = &area->cpu; /* where entry_paranoid finds it */
		area->tss.ist[ist - 1] = at - 16;
	}
}

void cpu_setup(struct cpu_area *area, u32 id, u32 apic)
{
	struct cpu *cpu = &area->cpu;

	cpu->self = cpu;
	cpu->id = id;
	cpu->apic = apic;
	cpu->run = &code_runs[id];
	cpu->run->run.cpu = id;
	cpu->counts = __builtin_offsetof(struct aril_code, cpu[id]);
	cpu->cr3 = read_cr3();
	memset(area->bitmap, 0xff, sizeof(area->bitmap));
	area->tss.bitmap_at = 0xffff;
	stacks_set(area, id);
	__asm__ volatile("movq %0, %%cr0" ::"r"(CR0_VALUE));
	__asm__ volatile("movq %0, %%cr4" ::"r"(cr4_value));
	if (cpu_keys)
		write_pkru(0);
	__asm__ volatile("xsetbv" ::"c"(0), "a"((u32)cpu_xcr0), "d"(0));
	wrmsr(MSR_EFER, (rdmsr(MSR_EFER) & 0x400) | (EFER_VALUE & ~0x400ul));
	descriptors_load(area);
	trap_load();
	wrmsr(MSR_GS_BASE, (u64)cpu);
	wrmsr(MSR_KERNEL_GS_BASE, 0);
	wrmsr(MSR_STAR, (u64)(USER_SS - 8) << 48 | (u64)KERNEL_CS << 32);
	wrmsr(MSR_LSTAR, (u64)(cpu_keys ? syscall_entry_keyed : syscall_entry));
	wrmsr(MSR_SFMASK, SFMASK_VALUE);
	__asm__ volatile("movq %0, %%dr7" ::"r"(0x400ul));
	cpus[id] = cpu;
}

u64 arch_random(int *ok)
{
	u64 value = 0;
	u8 got = 0;

	for (u32 i = 0; i < 1000 && has_rdseed && !got; i++) {
		__asm__ volatile("rdseed %0; setc %1" : "=r"(value), "=qm"(got)::"cc");
		__builtin_ia32_pause();
	}
	for (u32 i = 0; i < 1000 && has_rdrand && !got; i++)
		__asm__ volatile("rdrand %0; setc %1" : "=r"(value), "=qm"(got)::"cc");
	*ok = got;
	return value;
}

/* SPDX-License-Identifier: MIT
 * Registers beyond the trap frame: vector state, segment bases, I/O bitmap; clearing, saving,
 * loading them. */
#include "x86.h"
#include "env.h"
#include "space.h"
#include "util.h"

#define CANONICAL(a) ((u64)((s64)((a) << 16) >> 16) == (a))
#define MXCSR_INITIAL 0x1f80

int vector_load(const void *area, u64 mask);
int user_copy(void *to, const void *from, u64 bytes);
void boot_main(u32 protocol, u64 address);
extern const struct registers_initial registers_initial; /* entry.S too */

extern u64 boot_start_tsc;

/* XRSTOR of an area whose header names no component loads the initial state, and MXCSR from here. */
const struct registers_initial {
	u8 legacy0[24];
	u32 mxcsr;
	u8 rest[804];
} __attribute__((aligned(64))) registers_initial = {.mxcsr = MXCSR_INITIAL};

static void selectors_clear(void)
{
	u32 ds, es, fs, gs;

	__asm__("movl %%ds, %0; movl %%es, %1; movl %%fs, %2; movl %%gs, %3"
		: "=r"(ds), "=r"(es), "=r"(fs), "=r"(gs));
	if (likely(!(ds | es | fs | gs)))
		return;
	u64 base;
	__asm__ volatile("rdgsbase %0\n\t"
			 "movl %1, %%ds; movl %1, %%es; movl %1, %%fs; movl %1, %%gs\n\t"
			 "wrgsbase %0"
			 : "=&r"(base)
			 : "r"(0));
}

static void user_gs_set(u64 base)
{
	__asm__ volatile("swapgs; wrgsbase %0; swapgs" ::"r"(base) : "memory");
}

static u64 user_gs_get(void)
{
	u64 base;

	__asm__ volatile("swapgs; rdgsbase %0; swapgs" : "=r"(base)::"memory");
	return base;
}

void arch_clear_registers(void)
{
	vector_load(&registers_initial, cpu_xcr0);
	selectors_clear();
	__asm__ volatile("wrfsbase %0" ::"r"(0ul));
	user_gs_set(0);
	if (cpu_keys)
		write_pkru(0);
}

u64 arch_keys_open(void)
{
	u64 keys = cpu_keys ? read_pkru() : 0;

	if (keys)
		write_pkru(0);
	return keys;
}

void arch_save_forced(struct aril_forced *to, const struct trap_frame *f)
{
	u64 fs;

	to->rax = f->rax, to->rbx = f->rbx, to->rcx = f->rcx, to->rdx = f->rdx;
	to->rsi = f->rsi, to->rdi = f->rdi, to->rbp = f->rbp, to->r8 = f->r8;
	to->r9 = f->r9, to->r10 = f->r10, to->r11 = f->r11, to->r12 = f->r12;
	to->r13 = f->r13, to->r14 = f->r14, to->r15 = f->r15;
	to->rip = f->rip, to->rflags = f->rflags, to->rsp = f->rsp;
	__asm__ volatile("rdfsbase %0" : "=r"(fs));
	to->fs_base = fs;
	to->gs_base = user_gs_get();
	to->keys = cpu_keys ? read_pkru() : 0;
	memset(to->xsave + 512, 0, 64); /* the header: XSAVE writes its first word only */
	__asm__ volatile("xsave64 %0" : "+m"(to->xsave) : "a"((u32)cpu_xcr0), "d"(0) : "memory");
}

void arch_pass_registers(struct aril_forced *to, const struct trap_frame *f)
{
	*to = (struct aril_forced){
		.rbx = f->rbx,
		.rdx = f->rdx,
		.rsi = f->rsi,
		.rdi = f->rdi,
		.rbp = f->rbp,
		.r8 = f->r8,
		.r9 = f->r9,
		.r10 = f->r10,
		.r12 = f->r12,
		.r13 = f->r13,
		.r14 = f->r14,
		.r15 = f->r15,
		.rflags = 0x202,
	};
	*(u32 *)(to->xsave + 24) =
		MXCSR_INITIAL; /* XRSTOR loads it though the header names no component */
}

int arch_load_forced(const struct aril_forced *from, struct trap_frame *f)
{
	u64 fs = read_once(from->fs_base), gs = read_once(from->gs_base);

	*f = (struct trap_frame){
		.rax = from->rax,
		.rbx = from->rbx,
		.rcx = from->rcx,
		.rdx = from->rdx,
		.rsi = from->rsi,
		.rdi = from->rdi,
		.rbp = from->rbp,
		.r8 = from->r8,
		.r9 = from->r9,
		.r10 = from->r10,
		.r11 = from->r11,
		.r12 = from->r12,
		.r13 = from->r13,
		.r14 = from->r14,
		.r15 = from->r15,
		.rip = read_once(from->rip),
		.rsp = read_once(from->rsp),
		.rflags = (read_once(from->rflags) & RFLAGS_USER) | 0x202,
		.cs = USER_CS,
		.ss = USER_SS,
	};
	/* the stack may lie anywhere: IRETQ does not look */
	if (f->rip >= ARIL_USER_TOP || !CANONICAL(fs) || !CANONICAL(gs))
		return -1;
	/* The area is memory that the library can write at any time: the CPU checks it as it
	 * loads. */
	if (vector_load(from->xsave, cpu_xcr0))
		return -1;
	__asm__ volatile("wrfsbase %0" ::"r"(fs));
	user_gs_set(gs);
	if (cpu_keys) /* any value is one */
		write_pkru((u32)read_once(from->keys));
	return 0;
}

static void ports_fill(struct cpu_area *area, int closed)
{
	for (u32 i = 0; i < area->nports; i++) {
		for (u32 p = area->port_first[i]; p < area->port_first[i] + area->port_count[i];
		     p++) {
			u8 bit = 1u << (p & 7);

			if (p > 0xffff)
				break;
			if (closed)
				area->bitmap[p >> 3] |= bit;
			else
				area->bitmap[p >> 3] &= ~bit;
		}
	}
}

void arch_load_ports(const struct env *env)
{
	struct cpu_area *area = (struct cpu_area *)this_cpu();

	ports_fill(area, 1);
	area->nports = 0;
	area->cpu.ports_of = 0;
	area->tss.bitmap_at = 0xffff; /* beyond the segment: every port faults */
	if (!env->nports)
		return;
	area->nports = array_count(area->port_first);
	for (u32 i = 0; i < area->nports; i++) {
		area->port_first[i] = env->port_first[i];
		area->port_count[i] = env->port_count[i];
	}
	ports_fill(area, 0);
	area->cpu.ports_of = env->id;
	area->tss.bitmap_at = sizeof(area->tss);
}

static int user_range(const void *p, u64 bytes)
{
	u64 at = (u64)p;

	return at < ARIL_USER_TOP && bytes <= ARIL_USER_TOP - at;
}

int copy_from_user(void *to, const void *from, u64 bytes)
{
	return user_range(from, bytes) ? user_copy(to, from, bytes) : -1;
}

int copy_to_user(void *to, const void *from, u64 bytes)
{
	return user_range(to, bytes) ? user_copy(to, from, bytes) : -1;
}

void arch_interrupts_init(void)
{
	lapic_map();
	lapic_setup();
	ioapic_init();
	this_cpu()->book = &info->cpu[0];
	info->xcr0 = cpu_xcr0;
	info->xsave_bytes = cpu_xsave_bytes;
	info->keys = space_keys = cpu_keys ? ARIL_KEYS : 0;
}

/* From boot.S, on the boot stack and the first page tables. */
void boot_main(u32 protocol, u64 address)
{
	trap_init();
	trap_load();
	cpu_check();
	boot.start_tsc = boot_start_tsc;
	boot_read(protocol, address);
	cpu_keys_init();
	memory_init();
	cpu_setup(memory_cpu_area(0), 0, boot.apic[0]);
	if (cpu_smap() && !probe_user_iret()) {
		cpu_smap_off();
		kprint("aril: SMAP stays off: user IRETQ faults under it (QEMU before 9.1)\n");
	}
	arch_on_kernel_stack(kernel_main);
}

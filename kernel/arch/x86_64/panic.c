/* SPDX-License-Identifier: MIT
 * The end: saying what happened and where, and ending the machine with a status that says it was
 * this. */
#include "x86.h"
#include "code.h"
#include "log.h"
#include "util.h"

#define STATUS_PANIC 0x7e
#define TRACE_MAX 24
#define DEBUG_EXIT 0xf4
#define BOCHS_SHUTDOWN 0x8900

struct symbol {
	u64 address;
	u32 name, zero;
};
extern const u64 kernel_symbol_count;
extern const struct symbol kernel_symbols[];
extern const char kernel_symbol_names[];
extern const u8 kernel_start[], kernel_text_end[];

static u32 panics;

int panic_running(void)
{
	return read_once(panics) != 0;
}

/* Prints where address is, by the nearest symbol at or below it. */
static void print_place(u64 address)
{
	u64 low = 0, high = kernel_symbol_count;

	while (low < high) {
		u64 middle = (low + high) / 2;

		if (kernel_symbols[middle].address <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (low && address < (u64)kernel_text_end)
		kprint("  %016lx %s+%lx\n", address,
		       kernel_symbol_names + kernel_symbols[low - 1].name,
		       address - kernel_symbols[low - 1].address);
	else
		kprint("  %016lx\n", address);
}

/* Whether a frame pointer can be one: aligned, on this stack, above the last. */
static int is_frame(u64 at, u64 last)
{
	return !(at & 7) && at > last && at - last < 0x10000 && at >= ARIL_PHYS_VA;
}

static void print_trace(u64 rip, u64 rbp)
{
	u64 last = 0;

	kprint("backtrace:\n");
	if (rip)
		print_place(rip);
	for (u32 i = 0; i < TRACE_MAX && rbp >= (u64)kernel_start; i++) {
		if (last && !is_frame(rbp, last))
			break;
		u64 *frame = (u64 *)rbp;

		if (!frame[1])
			break;
		print_place(frame[1] - 1);
		last = rbp;
		rbp = frame[0];
	}
}

static void stop_others(void)
{
	u32 self = ncpus > 1 ? lapic_id() : 0;

	for (u32 i = 0; i < ncpus; i++)
		if (ncpus > 1 && cpus[i]->apic != self)
			lapic_send(cpus[i]->apic, ICR_NMI);
}

/* The first CPU here goes on alone; a panic inside a panic ends at once. */
static void panic_begin(void)
{
	static u32 owner;
	u32 none = 0, me;

	__asm__ volatile("cli");
	me = (cpuid(1, 0).b >> 24) + 1;
	if (!__atomic_compare_exchange_n(&owner, &none, me, 0, __ATOMIC_SEQ_CST,
					 __ATOMIC_SEQ_CST)) {
		if (none == me)
			arch_end(STATUS_PANIC);
		for (;;)
			__asm__ volatile("cli; hlt");
	}
	write_once(panics, 1);
	log_break_lock();
	stop_others();
}

_Noreturn void panic_at(const char *file, int line, const char *format, ...)
{
	char text[256];
	u64 rsp, rflags, kept[5]; /* as they are here: an argument may be in one already */
	__builtin_va_list args;

	__asm__ volatile("movq %%rbx, 0(%0); movq %%r12, 8(%0); movq %%r13, 16(%0); "
			 "movq %%r14, 24(%0); movq %%r15, 32(%0)" ::"r"(kept)
			 : "memory");

	panic_begin();
	__builtin_va_start(args, format);
	format_text(text, sizeof(text), format, args);
	__builtin_va_end(args);
	__asm__ volatile("movq %%rsp, %0; pushfq; popq %1" : "=r"(rsp), "=r"(rflags));
	kprint("\naril: PANIC at %s:%d: %s\n", file, line, text);
	kprint("  rsp %016lx rflags %lx cr3 %lx cr2 %lx\n", rsp, rflags, read_cr3(), read_cr2());
	kprint("  rbx %016lx rbp %016lx r12 %016lx\n", kept[0], *(u64 *)__builtin_frame_address(0),
	       kept[1]);
	kprint("  r13 %016lx r14 %016lx r15 %016lx\n", kept[2], kept[3], kept[4]);
	print_trace(0, (u64)__builtin_frame_address(0));
	arch_end(STATUS_PANIC);
}

_Noreturn void panic_frame(const struct trap_frame *f)
{
	panic_begin();
	kprint("\naril: PANIC: exception %lu, error %lx in the kernel, address %lx\n", f->vector,
	       f->error, read_cr2());
	kprint("  rip %016lx rsp %016lx rflags %lx cs %lx cr3 %lx\n", f->rip, f->rsp, f->rflags,
	       f->cs, read_cr3());
	kprint("  rax %016lx rbx %016lx rcx %016lx rdx %016lx\n", f->rax, f->rbx, f->rcx, f->rdx);
	kprint("  rsi %016lx rdi %016lx rbp %016lx r8  %016lx\n", f->rsi, f->rdi, f->rbp, f->r8);
	kprint("  r9  %016lx r10 %016lx r11 %016lx r12 %016lx\n", f->r9, f->r10, f->r11, f->r12);
	kprint("  r13 %016lx r14 %016lx r15 %016lx\n", f->r13, f->r14, f->r15);
	u64 hole = (f->rsp - STACKS_VA) % STACK_SLOT;
	if (f->vector == 8 && f->rsp - 8 >= STACKS_VA - STACK_SLOT &&
	    (hole < ARIL_PAGE_SIZE || hole > STACK_BYTES))
		kprint("  the kernel stack overflowed\n");
	const char *code = code_name_at(f->rip);
	if (code)
		kprint("  in downloaded code \"%s\"\n", code);
	print_trace(f->rip, f->rbp);
	arch_end(STATUS_PANIC);
}

/* QEMU's debug-exit device first; where there is none, the ways to reset a PC, then a triple
 * fault. */
/* tools/coverage/dump.c, where it is linked. */
void coverage_dump(void) __attribute__((weak));

_Noreturn void arch_end(u32 status)
{
	struct __attribute__((packed)) {
		u16 limit;
		u64 base;
	} none = {0, 0};

	__asm__ volatile("cli");
	if (coverage_dump)
		coverage_dump();
	outl(DEBUG_EXIT, status);
	for (const char *c = "Shutdown"; *c; c++) /* Bochs ends; elsewhere nothing answers there */
		outb(BOCHS_SHUTDOWN, *c);
	outb(0xcf9, 2);
	outb(0xcf9, 6);
	outb(0x64, 0xfe);
	for (volatile u32 i = 0; i < 1000000; i++)
		__builtin_ia32_pause();
	__asm__ volatile("lidt %0; ud2" ::"m"(none));
	__builtin_unreachable();
}

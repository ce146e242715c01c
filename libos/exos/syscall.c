/* SPDX-License-Identifier: MIT
 * The system call table and the one way through it. */
#include "linux.h"
#include "caps.h"
#include "file_calls.h"
#include "ipc_calls.h"
#include "mlock.h"
#include "mm.h"
#include "nice.h"
#include "pidfd.h"
#include "proc.h"
#include "proc_calls.h"
#include "rewrite.h"
#include "sched.h"
#include "small.h"
#include "splice.h"
#include "syscalls.h"
#include "time.h"
#include "trace.h"

typedef s64 (*syscall_handler)(u64, u64, u64, u64, u64, u64);

/* The ABI passes arguments beyond a handler's own in registers that it ignores. */
#define HANDLER(number, name, args, flags) \
	[number] = {(syscall_handler)(void (*)(void))sys_##name, flags},
extern const struct syscall_entry { /* entry.S knows the size, and that `call` is first */
	syscall_handler call;	    /* NULL: ExOS does not have it */
	u64 flags;
} syscall_handlers[SYSCALL_MAX];
ARIL_ASSERT_SIZE(struct syscall_entry, 16);
const struct syscall_entry syscall_handlers[SYSCALL_MAX] = {EXOS_SYSCALLS(HANDLER)};

#define DESC(number, name, args, flags) [number] = {#name, args, flags},
const struct syscall_desc syscall_descs[SYSCALL_MAX] = {EXOS_SYSCALLS(DESC)};

/* Calls that ExOS does not have, by number; the last entry counts numbers beyond the table. */
static u64 absent_calls[SYSCALL_MAX + 1];

static s64 syscall_absent(u64 number)
{
	u64 slot = number < SYSCALL_MAX ? number : SYSCALL_MAX;
	if (absent_calls[slot]++ == 0)
		exos_log("exos: system call %lu is not there (ENOSYS), first by %s",
			 (unsigned long)number, current()->proc->comm);
	return -ENOSYS;
}

static s64 syscall_call(syscall_handler handler, const struct user_regs *regs)
{
	return handler(regs->rdi, regs->rsi, regs->rdx, regs->r10, regs->r8, regs->r9);
}

/* The ways that are not short: a call that is traced, or that ExOS does not have. */
static __attribute__((noinline)) void syscall_long(struct user_regs *regs, int rewritten)
{
	u32 number = (u32)regs->orig_rax;
	syscall_handler handler = number < SYSCALL_MAX ? syscall_handlers[number].call : NULL;
	struct trace trace;

	family_lock();
	if (family.trace) {
		if (rewritten)
			rewrite_counts.rewritten++;
		if (family.trace == TRACE_SUMMARY)
			trace_count(number, rewritten);
		else
			trace_begin(&trace, number, regs);
	}
	s64 result = handler ? syscall_call(handler, regs) : syscall_absent(number);
	if (family.trace == TRACE_SUMMARY)
		trace_count_result(number, result);
	else if (family.trace)
		trace_end(&trace, result);
	regs->rax = (u64)result;
	family_unlock();
}

/* One system call of the current thread, whose number is in regs->rax. Takes the family lock where the table
 * asks for it and drops it again. The result is in regs->rax; what is left to signal_deliver, too. */
static inline void syscall_one(struct user_regs *regs, int rewritten)
{
	u32 number = (u32)regs->rax;

	regs->orig_rax = regs->rax;
	if (family.trace || number >= SYSCALL_MAX || !syscall_handlers[number].call) {
		syscall_long(regs, rewritten);
		return;
	}
	if (syscall_handlers[number].flags & CALL_NOLOCK) {
		regs->rax = (u64)syscall_call(syscall_handlers[number].call, regs);
		return;
	}
	family_lock();
	regs->rax = (u64)syscall_call(syscall_handlers[number].call, regs);
	family_unlock();
}

/* A system call by the kernel's reflection. */
void exos_reflected(struct user_regs *regs)
{
	rewrite_site(regs);
	syscall_one(regs, 0);
}

/* A system call by a stub. */
void exos_stub_call(struct user_regs *regs)
{
	syscall_one(regs, 1);
}

/* Ends a trace: how often each absent call was asked for. Family lock. */
void syscall_summary(void)
{
	const struct {
		const char *text;
		u64 number;
	} part[] = {
		{"exos: system calls: ", rewrite_counts.rewritten},
		{" by a jump, ", rewrite_counts.reflected},
		{" by the kernel; sites rewritten: ", rewrite_counts.sites},
		{", calls at sites that stay: ", rewrite_counts.kept},
	};
	struct trace t = {.length = 0};

	if (family.trace == TRACE_SUMMARY)
		trace_sums();
	for (u32 i = 0; i < array_count(part); i++) {
		trace_text(&t, part[i].text);
		trace_number(&t, part[i].number, 10, 0);
	}
	trace_send(&t);
	for (u32 i = 0; i <= SYSCALL_MAX; i++) {
		struct trace t = {.length = 0};
		if (!absent_calls[i])
			continue;
		trace_text(&t, i < SYSCALL_MAX ? "exos: not there: system call "
					       : "exos: not there: calls from ");
		trace_number(&t, i, 10, 0);
		trace_text(&t, ", asked for ");
		trace_number(&t, absent_calls[i], 10, 0);
		trace_text(&t, absent_calls[i] == 1 ? " time" : " times");
		trace_send(&t);
	}
}

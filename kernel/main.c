/* SPDX-License-Identifier: MIT
 * The kernel's start, in order. */
#include "account.h"
#include "arch.h"
#include "books.h"
#include "boot.h"
#include "cap.h"
#include "first.h"
#include "slice.h"
#include "util.h"

_Noreturn void kernel_main(void)
{
	cap_init();		     /* the boot key: no entropy source, no boot */
	books_alloc();		     /* info page, frame, env and slice tables, exposed */
	arch_interrupts_init();	     /* exceptions, local and I/O interrupt controllers */
	arch_time_init();	     /* the clock and this CPU's timer */
	arch_smp_init();	     /* the other CPUs: they idle until their vectors have owners */
	u32 usable = books_frames(); /* from here on every frame is in the table */
	account_init(usable);	     /* the root account, with all that the machine has */
	first_env(); /* init, from the image inside ours, with the root capability */
	kprint("aril: %u CPUs, %u MiB, booted by %s\n", ncpus, info->nframes >> 8, boot.protocol);
	slice_next();
}

void cpu_started(void)
{
	info->cpu[this_cpu()->id].apic = this_cpu()->apic;
	info->cpu[this_cpu()->id].online = 1;
}

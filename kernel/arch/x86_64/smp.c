/* SPDX-License-Identifier: MIT
 * Starting the other CPUs, and the two things all must agree on: that no old translation is in use
 * (flush), and that nobody holds an old reference (quiesce).
 *
 * Both count generations: a request adds one; a CPU that acknowledges writes down the generation
 * it saw before it acted. A requester waits until each CPU's is not older than its own, and serves
 * others' requests meanwhile, so two requesters cannot wait for each other. A halted CPU
 * (arch_idle) holds no reference, runs on the kernel's space, and flushes when it loads one that is stale:
 * nobody waits for it. */
#include "account.h"
#include "x86.h"
#include "lock.h"
#include "slice.h"
#include "util.h"

#define START_NS 100000000ul

u64 smp_start_cr3, smp_start_rsp; /* for start_other */
static u32 smp_start_id;
static u64 flush_generation, quiesce_generation;
static u64 kernel_generation; /* changes of the kernel's half; each is followed by a flush */

extern const u8 trampoline_start[], trampoline_end[], trampoline_gdt_at[], trampoline_far_at[];
_Noreturn void smp_other_main(void);

/* What an acknowledgement brings up to date: whether this CPU may run its env any longer, on which
 * space, with which ports. A CPU between two envs must leave the last one's space too: the root may
 * be gone when the requester goes on. */
static void env_recheck(struct cpu *cpu)
{
	if (cpu->env && read_once(cpu->env->info->state) == ARIL_ENV_ALIVE) {
		arch_load_space(read_once(cpu->env->cr3));
		if (cpu->ports_of || cpu->env->nports)
			arch_load_ports(cpu->env); /* the list may have changed: grant.c */
		return;
	}
	context_keep();
	cpu->ctx = NULL;
	cpu->env = NULL;
	arch_load_space(arch_kernel_cr3());
}

static void flush_poll(struct cpu *cpu)
{
	u64 flush = __atomic_load_n(&flush_generation, __ATOMIC_ACQUIRE);
	u64 kernel = __atomic_load_n(&kernel_generation, __ATOMIC_ACQUIRE);

	if (cpu->flush_seen == flush)
		return;
	memory_flush();
	if (cpu->kernel_seen != kernel)
		cpu_flush_global();
	cpu->kernel_seen = kernel;
	info->cpu[cpu->id].shootdowns++;
	__atomic_store_n(&cpu->flush_seen, flush, __ATOMIC_RELEASE);
}

void smp_poll(void)
{
	struct cpu *cpu = this_cpu();
	u64 quiesce = __atomic_load_n(&quiesce_generation, __ATOMIC_ACQUIRE);

	flush_poll(cpu);
	if (cpu->quiesce_seen != quiesce) {
		env_recheck(cpu);
		__atomic_store_n(&cpu->quiesce_seen, quiesce, __ATOMIC_RELEASE);
	}
}

int smp_lock_try(struct lock *l)
{
	struct cpu *cpu = this_cpu();

	for (u32 spins = 1; __atomic_load_n(&l->taken, __ATOMIC_RELAXED) || !lock_try(l); spins++) {
		flush_poll(cpu);
		if (cpu->quiesce_seen != __atomic_load_n(&quiesce_generation, __ATOMIC_ACQUIRE))
			return 0;
		if (spins % 64 == 0) /* as in lock_take */
			__builtin_ia32_pause();
	}
	return 1;
}

/* Whether a CPU has not seen the generation yet, and must before anyone goes on: it is another, awake,
 * and, where cr3 is not 0, on that space. which: offset of the seen counter in struct cpu. */
static int to_wait_for(const struct cpu *cpu, usize which, u64 generation, u64 cr3)
{
	const u64 *seen = (const u64 *)((const u8 *)cpu + which);

	return cpu != this_cpu() && __atomic_load_n(seen, __ATOMIC_ACQUIRE) < generation &&
	       !__atomic_load_n(&cpu->halted, __ATOMIC_SEQ_CST) &&
	       (!cr3 || __atomic_load_n(&cpu->cr3, __ATOMIC_SEQ_CST) == cr3);
}

/* Interrupts those, and waits for them. Who they are is decided once: a CPU that wakes or enters the space
 * later starts from what is true now, and nothing would tell it to acknowledge. */
static void wait_for_all(usize which, u64 generation, u64 cr3)
{
	u32 asked = 0;

	if (ncpus == 1)
		return;
	for (u32 i = 0; i < ncpus; i++)
		if (to_wait_for(cpus[i], which, generation, cr3)) {
			asked |= 1u << i;
			lapic_send(cpus[i]->apic, ICR_FIXED | VECTOR_IPI);
		}
	if (asked)
		account_flushed();
	for (u32 i = 0; i < ncpus; i++)
		while (asked >> i & 1 && to_wait_for(cpus[i], which, generation, cr3)) {
			smp_poll();
			__builtin_ia32_pause();
		}
}

void smp_flush_all(void)
{
	pcid_stale_all();
	u64 generation = __atomic_add_fetch(&flush_generation, 1, __ATOMIC_SEQ_CST);

	smp_poll();
	wait_for_all(__builtin_offsetof(struct cpu, flush_seen), generation, 0);
}

/* A halted CPU polls when it wakes, before it uses memory that is not its own. */
void smp_flush_kernel(void)
{
	__atomic_add_fetch(&kernel_generation, 1, __ATOMIC_SEQ_CST);
	smp_flush_all();
}

/* A CPU names the space in cpu->cr3 before it loads it (arch_load_space), and the entries were changed before
 * this looks: so one that is not seen here will walk the new entries, as loading a space flushes, or finds that it must
 * (pcid.h). */
void smp_flush_space(u32 root)
{
	u64 cr3 = (u64)root << ARIL_PAGE_SHIFT;

	pcid_stale(cr3);
	if (this_cpu()->cr3 == cr3)
		memory_flush();
	u64 generation = __atomic_add_fetch(&flush_generation, 1, __ATOMIC_SEQ_CST);
	wait_for_all(__builtin_offsetof(struct cpu, flush_seen), generation, cr3);
}

void smp_space_new(u32 root)
{
	pcid_stale((u64)root << ARIL_PAGE_SHIFT);
}

void smp_quiesce(void)
{
	u64 generation = __atomic_add_fetch(&quiesce_generation, 1, __ATOMIC_SEQ_CST);

	smp_poll();
	wait_for_all(__builtin_offsetof(struct cpu, quiesce_seen), generation, 0);
}

void smp_kick(u32 id)
{
	write_once(cpus[id]->kicked, 1);
	if (id != this_cpu()->id)
		lapic_send(cpus[id]->apic, ICR_FIXED | VECTOR_IPI);
}

/* Another CPU's first C, on its own stack and the kernel's space. */
_Noreturn void smp_other_main(void)
{
	u32 id = smp_start_id;

	cpu_setup(memory_cpu_area(id), id, boot.apic[id]);
	this_cpu()->book = &info->cpu[id];
	lapic_setup();
	this_cpu()->flush_seen = __atomic_load_n(&flush_generation, __ATOMIC_ACQUIRE);
	this_cpu()->quiesce_seen = __atomic_load_n(&quiesce_generation, __ATOMIC_ACQUIRE);
	this_cpu()->kernel_seen = __atomic_load_n(&kernel_generation, __ATOMIC_ACQUIRE);
	__atomic_store_n(&info->cpu[id].online, 1, __ATOMIC_RELEASE);
	cpu_started();
	slice_next();
}

static int started(u32 id, u64 ns)
{
	u64 end = time_now() + ns;

	while (!__atomic_load_n(&info->cpu[id].online, __ATOMIC_ACQUIRE)) {
		if (time_now() >= end)
			return 0;
		__builtin_ia32_pause();
	}
	return 1;
}

/* The linear addresses in the trampoline's copy count from its page. */
static void trampoline_copy(u64 page)
{
	u8 *to = phys(page);

	memcpy(to, trampoline_start, trampoline_end - trampoline_start);
	*(u32 *)(to + (trampoline_gdt_at - trampoline_start)) += page;
	*(u32 *)(to + (trampoline_far_at - trampoline_start)) += page;
}

static int start(u32 id, u64 page)
{
	u32 apic = boot.apic[id];

	smp_start_id = id;
	smp_start_rsp = STACKS_VA + (u64)id * STACK_SLOT + ARIL_PAGE_SIZE + STACK_BYTES;
	info->cpu[id].apic = apic;
	info->cpu[id].online = 0;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	lapic_send(apic, ICR_INIT);
	time_spin(20000);
	lapic_send(apic, ICR_STARTUP | page >> 12);
	if (started(id, START_NS / 10))
		return 1;
	lapic_send(apic, ICR_STARTUP | page >> 12);
	return started(id, START_NS);
}

void arch_smp_init(void)
{
	u64 page = memory_trampoline();

	info->cpu[0].apic = boot.apic[0];
	info->cpu[0].online = 1;
	for (u32 i = 0; cpu_pcid && i < ARIL_MAX_CPUS; i++)
		info->cpu[i].context_ids = PCID_SLOTS;
	if (boot.ncpus > 1 && !page) {
		kprint("aril: no usable memory below 1 MiB: only one CPU\n");
		boot.ncpus = 1;
	}
	if (boot.ncpus > 1)
		trampoline_copy(page);
	smp_start_cr3 = arch_kernel_cr3();
	u32 id = 1;
	while (id < boot.ncpus) {
		if (start(id, page)) {
			id++;
			ncpus = id;
			continue;
		}
		/* It must stay down: what it would use, the next one gets. */
		kprint("aril: CPU with APIC %u does not start\n", boot.apic[id]);
		lapic_send(boot.apic[id], ICR_INIT);
		boot.ncpus--;
		for (u32 i = id; i < boot.ncpus; i++)
			boot.apic[i] = boot.apic[i + 1];
	}
	if (page)
		page_clear(phys(page));
}

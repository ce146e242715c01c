/* SPDX-License-Identifier: MIT
 * What is asked back besides memory (pressure.c). Family lock.
 *
 * Positions: always one of the processor that has most of those asked for. The last one of a processor is given by that
 * processor itself, when it has nothing half done: from then on it is not there, as one that Linux takes offline, and threads
 * that wanted no other run anywhere. The last one of the first processor, which hears of the console and of requests, stays.
 * Grants: swap space that nothing lies in. The console's stay: the family would not know how to speak.
 * Gates: the one that the code authority answers through, once no answer is due.
 * What stays is said, once for each request; the kernel takes it at the deadline. Another request may come at any moment, also in
 * place of the one that is being answered: what is found to stay is refused to the request whose serial was read before all else. */
#include "revoked.h"
#include "idle.h"
#include "linux.h"
#include "swap.h"
#include "switch.h"
#include <aril/info.h>
#include <aril_stubs.h>
#include <core/domain.h>

/* Serials of requests of which all that is not given stays. */
static u32 refused[ARIL_REVOKE_KINDS];

static u32 account(void)
{
	return family.domain->account & 0xffff;
}

/* *serial: of the request, read before the rest of it. */
static int is_open(const volatile struct aril_repossession *page, u32 kind, u32 *serial)
{
	*serial = page->request[kind].serial;
	return page->request[kind].wanted && refused[kind] != *serial;
}

int revoked_open(const volatile struct aril_repossession *page)
{
	u32 serial;

	return is_open(page, ARIL_REVOKE_SLICES, &serial) ||
	       is_open(page, ARIL_REVOKE_GRANTS, &serial) ||
	       is_open(page, ARIL_REVOKE_GATES, &serial);
}

/* What is left of that request stays. */
static void stays(const volatile struct aril_repossession *page, u32 kind, u32 serial,
		  const char *what)
{
	u32 wanted = page->request[kind].wanted;

	if (!wanted || page->request[kind].serial != serial)
		return; /* it is over; who comes by next looks at the one in its place */
	refused[kind] = serial;
	exos_log("exos: %u asked back: %s stays", wanted, what);
}

/* --- positions */

static int position_is_ours(u32 cpu, u32 position)
{
	const volatile struct aril_slice *slices =
		(const volatile struct aril_slice *)ARIL_INFO->slices_va;

	return slices[cpu * ARIL_SLICES + position].account == account();
}

/* How many a processor has; *asked: the last of them that is in the request's range, or ARIL_SLICES. */
static u32 positions_count(const volatile struct aril_request *r, u32 cpu, u32 *asked)
{
	u32 n = 0;

	*asked = ARIL_SLICES;
	for (u32 i = 0; i < ARIL_SLICES; i++) {
		u32 at = cpu * ARIL_SLICES + i;

		if (!position_is_ours(cpu, i))
			continue;
		n++;
		if (at >= r->first && at <= r->last)
			*asked = i;
	}
	return n;
}

static void position_give(u32 cpu, u32 position)
{
	s64 error = aril_slice_free(family.auth, cpu, position);

	if (error)
		exos_panic("exos: giving position %u of CPU %u back: error %ld", position, cpu,
			   (long)-error);
}

/* Gives one that is not its processor's last. 0: there is none. */
static int position_spare(const volatile struct aril_request *r)
{
	u32 most = 1, from = 0, position = 0;

	for (u32 cpu = 0; cpu < family.ncpus; cpu++) {
		u32 asked, n = positions_count(r, cpu, &asked);

		if (asked == ARIL_SLICES || n <= most)
			continue;
		most = n;
		from = cpu;
		position = asked;
	}
	if (most > 1)
		position_give(from, position);
	return most > 1;
}

static void processor_wake(struct cpu *c)
{
	__atomic_add_fetch(&c->word, 1, __ATOMIC_SEQ_CST);
	aril_wake(family.auth, page_frame(cpus), (u64)&c->word & (PAGE - 1), 1);
}

/* All processors' last ones. */
static void positions_last(const volatile struct aril_repossession *page, u32 serial, struct cpu *c)
{
	const volatile struct aril_request *r = &page->request[ARIL_REVOKE_SLICES];
	u32 here = (u32)(c - cpus), first = (u32)__builtin_ctzl(family.domain->cpus), waits = 0;

	for (u32 cpu = 0; cpu < family.ncpus && r->wanted; cpu++) {
		u32 asked;

		if (cpu == first || !positions_count(r, cpu, &asked) || asked == ARIL_SLICES)
			continue;
		if (cpu == here && !idle_loads(cpu)) {
			family.online &= ~(1ul << cpu);
			position_give(cpu, asked);
			exos_log("exos: CPU %u is given back", cpu);
			continue;
		}
		processor_wake(&cpus[cpu]);
		waits = 1;
	}
	if (!waits)
		stays(page, ARIL_REVOKE_SLICES, serial, "the first processor's last position");
}

static void positions_answer(const volatile struct aril_repossession *page, u32 serial,
			     struct cpu *c)
{
	while (page->request[ARIL_REVOKE_SLICES].wanted)
		if (!position_spare(&page->request[ARIL_REVOKE_SLICES])) {
			positions_last(page, serial, c);
			return;
		}
}

/* --- grants */

static void grants_answer(const volatile struct aril_repossession *page, u32 serial)
{
	swap_give();
	stays(page, ARIL_REVOKE_GRANTS, serial,
	      "a grant in use, of the console or of swap space with pages in it,");
}

/* --- gates */

static void gates_answer(const volatile struct aril_repossession *page, u32 serial)
{
	u32 env = page->request[ARIL_REVOKE_GATES].first;

	if (env != family.domain->env)
		stays(page, ARIL_REVOKE_GATES, serial, "a gate that is not the family's");
	else if (idle_gate_close())
		exos_log("exos: the gate is closed");
}

void revoked_answer(const volatile struct aril_repossession *page, struct cpu *c)
{
	u32 serial;

	if (is_open(page, ARIL_REVOKE_SLICES, &serial))
		positions_answer(page, serial, c);
	if (is_open(page, ARIL_REVOKE_GRANTS, &serial))
		grants_answer(page, serial);
	if (is_open(page, ARIL_REVOKE_GATES, &serial))
		gates_answer(page, serial);
}

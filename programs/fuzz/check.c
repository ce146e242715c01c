/* SPDX-License-Identifier: MIT
 * What the supervisor looks at again and again: see docs/52-fuzzing.md. */
#include "fuzz.h"

#define CANARY_VA 0x500040000000ul
#define PROBE_VA 0x5000c0000000ul

u32 canary_first, audits, audited;
static u32 probe_first, guarded;
static volatile u64 probe_round;

void audit(void)
{
	struct aril_check found;

	for (u32 noun = 1; noun < ARIL_NOUNS; noun++) {
		s64 next = 0;

		do {
			next = aril_check(root, noun, (u64)next, &found);
			if (next < 0) {
				fuzz_finding("the audit is refused", noun, (u64)-next);
				return;
			}
			audited += (u32)found.checked;
			if (found.wrong) {
				core_log("fuzz: audit: noun %u, %u: %s", noun, found.which,
					 found.what);
				fuzz_finding("audit", noun, found.which);
			}
		} while (next);
	}
	audits++;
}

/* Frames that only the supervisor's name opens, bound once: nobody changes anything about them. */
void canaries(void)
{
	static u32 lost;

	for (u32 i = 0; i < CANARIES && !lost; i++) {
		const volatile struct aril_frame *c = frame_info(canary_first + i);

		lost = c->state || c->refs != 1 || c->pins ||
		       c->guard[0].len != CORE_DOMAIN->cap.len || c->guard[1].rights ||
		       c->account != frame_info(probe_first)->account;
		if (lost)
			fuzz_finding("a frame changed that nobody may change: state, bindings",
				     c->state, c->refs);
	}
	for (u32 i = 0; i < CANARIES * 512 && !lost; i++)
		if (((volatile u64 *)CANARY_VA)[i] != (PATTERN ^ i)) {
			fuzz_finding("a canary changed: word, value", i,
				     ((volatile u64 *)CANARY_VA)[i]);
			((volatile u64 *)CANARY_VA)[i] = PATTERN ^ i;
			return;
		}
}

/* The last level's entry for va, as the recursive map shows it. */
static u64 page_entry(u64 va)
{
	return *(const volatile u64 *)(ARIL_SELF_VA + ((va & 0xffffffffffff) >> 12) * 8);
}

/* Of a frame whose first guard lets nobody write: a writable binding is the second's, and goes with it. */
void probe_guard(void)
{
	static u8 round;
	struct aril_guard second = {.rights = ARIL_READ | ARIL_WRITE};
	u64 va = PROBE_VA + 0x4000;

	memcpy(second.name, CORE_DOMAIN->cap.name, sizeof(second.name));
	second.len = CORE_DOMAIN->cap.len;
	second.name[second.len++] = (u8)(0x60 + (round++ & 7));
	s64 error = core_map(&core_self, va, guarded, 1, ARIL_BIND_WRITE, core_auth);
	if (!error)
		error = core_set_guard(core_auth, (struct core_run){guarded, 1}, 1, &second);
	if (error && error != -ARIL_E_QUOTA &&
	    error != -ARIL_E_RIGHTS) /* no second guard yet; the slice's work */
		fuzz_finding("the probe of guards is refused", (u64)-error, round);
	if (!error && page_entry(va) & ARIL_PTE_PRESENT)
		fuzz_finding("a binding outlives the guard that it was made under", guarded,
			     page_entry(va));
	if (error == -ARIL_E_RIGHTS)
		core_set_guard(core_auth, (struct core_run){guarded, 1}, 1, &second);
}

/* One page of two frames in turn: who reads it after the call that bound the next must not see the one before. */
void probe_change(void)
{
	static volatile u64 *const frame[2] = {(volatile u64 *)(PROBE_VA + 0x2000),
					       (volatile u64 *)(PROBE_VA + 0x3000)};
	u64 next = probe_round + 1;
	struct aril_space_op op = {.va = PROBE_VA,
				   .frame = probe_first + (next & 1),
				   .count = 1,
				   .kind = ARIL_BIND,
				   .auth = core_auth};

	*frame[next & 1] = next;
	must("a binding of the probe", aril_space_update(core_auth, CORE_DOMAIN->space, &op, 1));
	probe_round = next;
}

void probe_read(struct fuzzer *random, u32 cpu)
{
	u64 before = 0, seen = 0;

	for (u64 end = core_now() + 3000000; core_now() < end && seen >= before;) {
		before = probe_round;
		seen = *(volatile u64 *)PROBE_VA;
		disturb_others(random, cpu);
	}
	if (seen < before)
		fuzz_finding("a translation is used that was removed: round, seen", before, seen);
}

void checks_start(void)
{
	canary_first = core_pool_take(&core_pool, CANARIES);
	must("canaries",
	     core_map(&core_self, CANARY_VA, canary_first, CANARIES, ARIL_BIND_WRITE, core_auth));
	probe_first = core_pool_take(&core_pool, 2);
	guarded = core_pool_take(&core_pool, 1);
	struct aril_guard first = {.rights = ARIL_READ | ARIL_OWN, .len = CORE_DOMAIN->cap.len};
	memcpy(first.name, CORE_DOMAIN->cap.name, sizeof(first.name));
	must("a guard", core_set_guard(core_auth, (struct core_run){guarded, 1}, 0, &first));
	must("the probe",
	     core_map(&core_self, PROBE_VA, probe_first, 1, ARIL_BIND_WRITE, core_auth));
	must("the probe",
	     core_map(&core_self, PROBE_VA + 0x2000, probe_first, 2, ARIL_BIND_WRITE, core_auth));
	probe_change();
	for (u32 i = 0; i < CANARIES * 512; i++)
		((volatile u64 *)CANARY_VA)[i] = PATTERN ^ i;
}

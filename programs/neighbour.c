/* SPDX-License-Identifier: MIT
 * A domain that minds its own business beside others: computes, and checks that nothing of it was changed.
 *
 * Each round sums squares, whose total has a closed form, with a pattern in the registers that the sum does
 * not use, vector registers included; it is stopped and resumed at any instruction of that. A page of
 * memory is checked too. It ends when no other domain is left, after ROUNDS at least. */
#include <aril/info.h>
#include <aril_stubs.h>
#include <core/native.h>
#include <core/print.h>
#include <core/string.h>
#include <core/time.h>

#define ROUNDS 20
#define REPORT 64 /* rounds between lines */
#define SUM_TO 2000000ul
#define PATTERN 0x4e65696768626f75ul

static u64 page[512];
static u64 seen[16][4];
static u64 kept[5];

/* Sums i * i for i < n with patterns around it; what they are afterwards goes to seen and kept. */
static u64 round_of(u64 n)
{
	static const u64 pattern[4]
		__attribute__((aligned(32))) = {PATTERN, ~PATTERN, PATTERN * 3, PATTERN ^ 0x5555};
	u64 sum;

	__asm__ volatile("vmovdqa %[pattern], %%ymm0\n\t"
			 "vmovdqa %%ymm0, %%ymm7\n\t"
			 "vmovdqa %%ymm0, %%ymm15\n\t"
			 "movq %[word], %%r12\n\t"
			 "movq %[word], %%r13\n\t"
			 "movq %[word], %%r14\n\t"
			 "movq %[word], %%r15\n\t"
			 "movq %[word], %%r8\n\t"
			 "xorl %%eax, %%eax\n\t"
			 "xorl %%ecx, %%ecx\n"
			 "1:\tmovq %%rcx, %%rdx\n\t"
			 "imulq %%rcx, %%rdx\n\t"
			 "addq %%rdx, %%rax\n\t"
			 "incq %%rcx\n\t"
			 "cmpq %[n], %%rcx\n\t"
			 "jb 1b\n\t"
			 "vmovdqu %%ymm0, (%[seen])\n\t"
			 "vmovdqu %%ymm7, 32(%[seen])\n\t"
			 "vmovdqu %%ymm15, 64(%[seen])\n\t"
			 "movq %%r12, (%[kept])\n\t"
			 "movq %%r13, 8(%[kept])\n\t"
			 "movq %%r14, 16(%[kept])\n\t"
			 "movq %%r15, 24(%[kept])\n\t"
			 "movq %%r8, 32(%[kept])\n\t"
			 : "=&a"(sum)
			 : [n] "r"(n), [seen] "r"(seen), [kept] "r"(kept), [pattern] "m"(pattern),
			   [word] "m"(pattern[0])
			 : "rcx", "rdx", "r8", "r12", "r13", "r14", "r15", "memory", "cc");
	for (int i = 0; i < 3; i++)
		if (memcmp(seen[i], pattern, sizeof(pattern)))
			return 0;
	for (int i = 0; i < 5; i++)
		if (kept[i] != PATTERN)
			return 0;
	return sum;
}

/* 0 + 1 + 4 + ... + (n-1)^2, modulo 2^64. */
static u64 expected(u64 n)
{
	return (u64)((unsigned __int128)(n - 1) * n * (2 * n - 1) / 6);
}

/* Whether another domain's first env lives. */
static int others_live(void)
{
	const volatile struct aril_env_info *envs =
		(const volatile struct aril_env_info *)ARIL_INFO->envs_va;
	u32 self = CORE_DOMAIN->env, parent = envs[self & 0xffff].parent;

	for (u32 i = 0; i < ARIL_INFO->nenvs; i++)
		if (envs[i].id != self && envs[i].parent == parent &&
		    envs[i].state == ARIL_ENV_ALIVE && i)
			return 1;
	return 0;
}

int main(int argc, char **argv, char **envp)
{
	u64 last = core_now(), worst = 0, rounds = 0;

	(void)argc;
	(void)argv;
	(void)envp;
	for (u32 i = 0; i < 512; i++)
		page[i] = PATTERN + i;
	do {
		if (round_of(SUM_TO) != expected(SUM_TO)) {
			core_log("neighbour: WRONG sum or registers in round %lu", rounds);
			return 1;
		}
		for (u32 i = 0; i < 512; i++)
			if (page[i] != PATTERN + i) {
				core_log("neighbour: WRONG word %u in round %lu", i, rounds);
				return 1;
			}
		u64 now = core_now();
		if (now - last > worst)
			worst = now - last;
		last = now;
		if (++rounds % REPORT == 0)
			core_log("neighbour: round %lu", rounds);
	} while (rounds < ROUNDS || others_live());
	core_log("neighbour: ok, %lu rounds, the longest took %lu ms", rounds, worst / 1000000);
	return 0;
}

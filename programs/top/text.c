/* SPDX-License-Identifier: MIT
 * The books as text: a table for each kind of thing. */
#include "top.h"

#define NS 1000000000ul

static void print_machine(FILE *to, const struct snapshot *s)
{
	fprintf(to,
		"machine  %u CPUs, %lu MiB in %lu frames, up %lu.%lu s, booted by %s; slices of "
		"%lu.%lu ms, "
		"grace %lu.%lu ms\n",
		s->ncpus, s->present >> 8, s->present, s->now_ns / NS, s->now_ns / (NS / 10) % 10,
		s->info.machine, s->info.slice_ns / 1000000, s->info.slice_ns / 100000 % 10,
		s->info.grace_ns / 1000000, s->info.grace_ns / 100000 % 10);
}

/* A letter for each position's account: upper case where somebody has run there. */
static void print_cpus(FILE *to, const struct snapshot *s, const struct snapshot *before)
{
	fprintf(to, "\n%-4s %8s %10s %7s %10s %10s  %s\n", "CPU", "ENV", "SWITCHES", "IDLE %",
		"INTERRUPTS", "SHOOTDOWNS",
		"SLICES (a letter: the account; .: free; -: nobody runs)");
	for (u32 cpu = 0; cpu < s->ncpus; cpu++) {
		const struct aril_cpu_info *c = &s->info.cpu[cpu];
		u32 idle = idle_permille(s, before, cpu);
		char picture[ARIL_SLICES + 1] = {0};

		for (u32 i = 0; i < ARIL_SLICES; i++) {
			const struct aril_slice *slice = &s->slice[cpu][i];

			picture[i] = slice->account && !slice->env
					     ? '-'
					     : account_letter(slice->account & 0xffff);
		}
		fprintf(to, "%-4u %8x %10lu %5u.%u %10lu %10lu  %s\n", cpu, c->env, c->switches,
			idle / 10, idle % 10, c->interrupts, c->shootdowns, picture);
	}
}

static void print_quota(FILE *to, const struct aril_account *a, u32 quota, int width)
{
	char text[32];

	snprintf(text, sizeof(text), "%u/%u", a->used[quota], a->limit[quota]);
	fprintf(to, " %*s", width, text);
}

static void print_accounts(FILE *to, const struct snapshot *s)
{
	fprintf(to, "\n%-10s %-8s %-8s %15s %9s %9s %7s %7s %7s %11s\n", "ACCOUNT", "NAME",
		"PARENT", "FRAMES", "ENVS", "SLICES", "GRANTS", "RINGS", "ACCTS", "KEPT/RESERVE");
	for (u32 slot = 1; slot < ARIL_MAX_ACCOUNTS; slot++) {
		const struct aril_account *a = &s->account[slot];

		if (!a->id)
			continue;
		fprintf(to, "%c %-8x %-8s %-8x", account_letter(slot), a->id, guard_name(&a->guard),
			a->parent);
		print_quota(to, a, ARIL_QUOTA_FRAMES, 15);
		print_quota(to, a, ARIL_QUOTA_ENVS, 9);
		print_quota(to, a, ARIL_QUOTA_SLICES, 9);
		print_quota(to, a, ARIL_QUOTA_GRANTS, 7);
		print_quota(to, a, ARIL_QUOTA_RINGS, 7);
		print_quota(to, a, ARIL_QUOTA_ACCOUNTS, 7);
		fprintf(to, " %6u/%u\n", a->kept, a->reserve);
	}
	fprintf(to, "\n%-10s %12s %10s %8s %9s %9s %9s %9s  %s\n", "ACCOUNT", "WORK", "FLUSHES",
		"REFUSED", "REVOKED", "GIVEN", "TAKEN", "OPEN", "HANDLER");
	for (u32 slot = 1; slot < ARIL_MAX_ACCOUNTS; slot++) {
		const struct aril_account *a = &s->account[slot];

		if (!a->id)
			continue;
		fprintf(to, "%c %-8x %12lu %10lu %8lu %9lu %9lu %9lu %9lu  ", account_letter(slot),
			a->id, a->work, a->flushes, a->refused, a->revoked, a->given, a->taken,
			account_owed(a));
		if (a->handler)
			fprintf(to, "env %x on CPU %u\n", a->handler, a->handler_cpu);
		else
			fprintf(to, "nobody\n");
	}
}

static void print_end(FILE *to, const struct aril_env_info *e)
{
	static const char *const ends[] = {"", "exit", "destroyed", "fault", "overran"};

	if (e->state != ARIL_ENV_DEAD)
		return;
	fprintf(to, "  %s", e->end < 5 ? ends[e->end] : "?");
	if (e->end == ARIL_END_FAULT)
		fprintf(to, " %u at %lx", e->end_vector, e->end_rip);
	else
		fprintf(to, " %ld", e->status);
}

static void print_envs(FILE *to, const struct snapshot *s)
{
	fprintf(to, "\n%-8s %-6s %-8s %8s %8s %6s %5s %10s %8s %10s %9s  %s\n", "ENV", "STATE",
		"PARENT", "ACCOUNT", "SPACE", "CPUS", "GATE", "UPCALLS", "OVERRUNS", "WORK",
		"FLUSHES", "END");
	for (u32 i = 1; i < ARIL_MAX_ENVS; i++) {
		const struct aril_env_info *e = &s->env[i];

		if (!e->id)
			continue;
		fprintf(to, "%-8x %-6s %-8x %6s%c%c %8u %6x %5s %10lu %8lu %10lu %9lu", e->id,
			env_state_name(e->state), e->parent, "",
			account_letter(e->account & 0xffff), ' ', e->space, e->contexts,
			e->gate ? "open" : "-", e->upcalls, e->overruns, e->work, e->flushes);
		print_end(to, e);
		fputc('\n', to);
	}
}

static void print_held(FILE *to, const struct held *h, const char *label)
{
	fprintf(to, "%-10s %9lu %9lu %9lu %7lu", label, h->total, h->bound, h->refs, h->pinned);
	for (u32 state = 0, n = 0; state < STATES; state++)
		if (h->frames[state])
			fprintf(to, "%s%lu %s", n++ ? ", " : "  ", h->frames[state],
				state_name(state));
	fputc('\n', to);
}

static void print_frames(FILE *to, const struct snapshot *s)
{
	char label[16];

	fprintf(to, "\n%-10s %9s %9s %9s %7s  %s\n", "FRAMES", "ALL", "BOUND", "BINDINGS", "PINNED",
		"BY STATE");
	print_held(to, &s->all, "all");
	print_held(to, &s->held[0], "nobody's");
	for (u32 slot = 1; slot < ARIL_MAX_ACCOUNTS; slot++) {
		if (!s->account[slot].id)
			continue;
		snprintf(label, sizeof(label), "%c %x", account_letter(slot), s->account[slot].id);
		print_held(to, &s->held[slot], label);
	}
}

static void print_grants(FILE *to, const struct snapshot *s)
{
	if (!s->ngrants)
		return;
	fprintf(to, "\n%-5s %-7s %8s %-8s %10s %7s %4s %10s\n", "GRANT", "KIND", "ENV", "NAME",
		"FIRST", "COUNT", "CPU", "FIRED");
	for (u32 i = 0; i < ARIL_MAX_GRANTS; i++) {
		const struct aril_grant *g = &s->grant[i];

		if (g->env)
			fprintf(to, "%-5u %-7s %8x %-8s %10x %7u %4u %10lu\n", i,
				grant_kind_name(g->kind), g->env, guard_name(&g->guard), g->first,
				g->count, g->cpu, g->fired);
	}
}

void print_text(FILE *to, const struct snapshot *s, const struct snapshot *before)
{
	print_machine(to, s);
	print_cpus(to, s, before);
	print_accounts(to, s);
	print_envs(to, s);
	print_frames(to, s);
	print_grants(to, s);
}

/* SPDX-License-Identifier: MIT
 * The books as one JSON object. Ids are numbers, as in the books; times are nanoseconds. */
#include "top.h"

/* ,"key":value, without the comma where it is the first of its object. */
static void number(FILE *to, const char *key, u64 value, int first)
{
	fprintf(to, "%s\"%s\":%lu", first ? "" : ",", key, value);
}

static void text(FILE *to, const char *key, const char *value)
{
	fprintf(to, ",\"%s\":\"", key);
	for (; *value; value++)
		if ((unsigned char)*value < ' ' || *value == '"' || *value == '\\')
			fprintf(to, "\\u%04x", (unsigned char)*value);
		else
			fputc(*value, to);
	fputc('"', to);
}

static void json_cpus(FILE *to, const struct snapshot *s)
{
	fprintf(to, ",\n\"cpus\":[");
	for (u32 cpu = 0; cpu < s->ncpus; cpu++) {
		const struct aril_cpu_info *c = &s->info.cpu[cpu];

		fprintf(to, "%s\n{", cpu ? "," : "");
		number(to, "cpu", cpu, 1);
		number(to, "env", c->env, 0);
		number(to, "position", c->position, 0);
		number(to, "switches", c->switches, 0);
		number(to, "idle_ns", c->idle_ns, 0);
		number(to, "interrupts", c->interrupts, 0);
		number(to, "shootdowns", c->shootdowns, 0);
		fprintf(to, ",\"slices\":[");
		for (u32 i = 0; i < ARIL_SLICES; i++) {
			const struct aril_slice *slice = &s->slice[cpu][i];

			fprintf(to, "%s{", i ? "," : "");
			number(to, "account", slice->account & 0xffff, 1);
			number(to, "env", slice->env, 0);
			number(to, "runs", slice->runs, 0);
			text(to, "name", guard_name(&slice->guard));
			fputc('}', to);
		}
		fprintf(to, "]}");
	}
	fputc(']', to);
}

static void json_held(FILE *to, const char *key, const struct held *h)
{
	fprintf(to, ",\"%s\":{", key);
	number(to, "total", h->total, 1);
	number(to, "bound", h->bound, 0);
	number(to, "bindings", h->refs, 0);
	number(to, "pinned", h->pinned, 0);
	for (u32 state = 0; state < STATES; state++)
		number(to, state_name(state), h->frames[state], 0);
	fputc('}', to);
}

static void json_accounts(FILE *to, const struct snapshot *s)
{
	static const char *const quotas[ARIL_QUOTAS] = {"frames", "envs",     "slices", "grants",
							"rings",  "accounts", "work",	"flushes"};
	int first = 1;

	fprintf(to, ",\n\"accounts\":[");
	for (u32 slot = 1; slot < ARIL_MAX_ACCOUNTS; slot++) {
		const struct aril_account *a = &s->account[slot];

		if (!a->id)
			continue;
		fprintf(to, "%s\n{", first ? "" : ",");
		first = 0;
		number(to, "slot", slot, 1);
		number(to, "id", a->id, 0);
		number(to, "parent", a->parent, 0);
		text(to, "name", guard_name(&a->guard));
		fprintf(to, ",\"limit\":{");
		for (u32 q = 0; q < ARIL_QUOTAS; q++)
			number(to, quotas[q], a->limit[q], !q);
		fprintf(to, "},\"used\":{");
		for (u32 q = 0; q < ARIL_QUOTA_HELD; q++)
			number(to, quotas[q], a->used[q], !q);
		fputc('}', to);
		number(to, "kept", a->kept, 0);
		number(to, "reserve", a->reserve, 0);
		number(to, "work", a->work, 0);
		number(to, "flushes", a->flushes, 0);
		number(to, "refused", a->refused, 0);
		number(to, "revoked", a->revoked, 0);
		number(to, "given", a->given, 0);
		number(to, "taken", a->taken, 0);
		number(to, "open", account_owed(a), 0);
		number(to, "handler", a->handler, 0);
		json_held(to, "frames", &s->held[slot]);
		fputc('}', to);
	}
	fputc(']', to);
}

static void json_envs(FILE *to, const struct snapshot *s)
{
	int first = 1;

	fprintf(to, ",\n\"envs\":[");
	for (u32 i = 1; i < ARIL_MAX_ENVS; i++) {
		const struct aril_env_info *e = &s->env[i];

		if (!e->id)
			continue;
		fprintf(to, "%s\n{", first ? "" : ",");
		first = 0;
		number(to, "id", e->id, 1);
		text(to, "state", env_state_name(e->state));
		number(to, "parent", e->parent, 0);
		number(to, "account", e->account & 0xffff, 0);
		number(to, "frame", e->frame, 0);
		number(to, "space", e->space, 0);
		number(to, "contexts", e->contexts, 0);
		number(to, "gate", e->gate, 0);
		number(to, "upcalls", e->upcalls, 0);
		number(to, "overruns", e->overruns, 0);
		number(to, "excess", e->excess, 0);
		number(to, "work", e->work, 0);
		number(to, "flushes", e->flushes, 0);
		number(to, "end", e->end, 0);
		fprintf(to, ",\"status\":%ld}", e->status);
	}
	fputc(']', to);
}

static void json_grants(FILE *to, const struct snapshot *s)
{
	int first = 1;

	fprintf(to, ",\n\"grants\":[");
	for (u32 i = 0; i < ARIL_MAX_GRANTS; i++) {
		const struct aril_grant *g = &s->grant[i];

		if (!g->env)
			continue;
		fprintf(to, "%s\n{", first ? "" : ",");
		first = 0;
		number(to, "grant", i, 1);
		text(to, "kind", grant_kind_name(g->kind));
		number(to, "env", g->env, 0);
		number(to, "account", g->account & 0xffff, 0);
		text(to, "name", guard_name(&g->guard));
		number(to, "first", g->first, 0);
		number(to, "count", g->count, 0);
		number(to, "cpu", g->cpu, 0);
		number(to, "fired", g->fired, 0);
		fputc('}', to);
	}
	fputc(']', to);
}

void print_json(FILE *to, const struct snapshot *s)
{
	fprintf(to, "{\"machine\":{");
	number(to, "version", s->info.version, 1);
	number(to, "cpus", s->ncpus, 0);
	number(to, "frames", s->present, 0);
	number(to, "envs", s->nenvs, 0);
	number(to, "grants", s->ngrants, 0);
	number(to, "uptime_ns", s->now_ns, 0);
	number(to, "slice_ns", s->info.slice_ns, 0);
	number(to, "grace_ns", s->info.grace_ns, 0);
	text(to, "booted_by", s->info.machine);
	fputc('}', to);
	json_cpus(to, s);
	json_accounts(to, s);
	json_envs(to, s);
	fprintf(to, ",\n\"frames\":{\"version\":1");
	json_held(to, "all", &s->all);
	json_held(to, "free", &s->held[0]);
	fputc('}', to);
	json_grants(to, s);
	fprintf(to, "}\n");
}

/* SPDX-License-Identifier: MIT
 * Refusals of the verifier: one root cause, where it is in the source, what is known and what was needed; and the record
 * for the fuzzer. */
#include "mem.h"
#include <refusal.h>
#include <verify.h>

static void place(const struct verify *ver, u32 insn, struct ext_refusal *r)
{
	const struct ext_program *p = ver->p;

	r->insn = insn;
	for (u32 f = 0; f < p->functions; f++)
		if (insn - p->function[f].first < p->function[f].count)
			ext_format(r->function, sizeof(r->function), "%s", p->function[f].name);
	for (u32 n = 0; n < p->lines && p->line[n].insn <= insn; n++) {
		r->line = p->line[n].line;
		ext_format(r->file, sizeof(r->file), "%s", p->line[n].file);
	}
}

int verify_refuse(struct verify *ver, enum ext_why why, u32 insn, s32 reg, const char *format, ...)
{
	va_list list;

	if (ver->failed) {
		ver->failed = 1;
	} else {
		ext_refusal_clear(ver->why);
		ver->why->why = why;
		ver->why->reg = reg;
		place(ver, insn, ver->why);
		va_start(list, format);
		ext_format_list(ver->why->text, sizeof(ver->why->text), format, list);
		va_end(list);
		ver->failed = 2; /* known and needed may follow */
	}
	if (ver->runs)
		return 0;
	ver->stop = 1;
	return -1;
}

u64 verify_print(struct verify *ver, const struct state *s, const struct val *v, char *out,
		 u64 size)
{
	static const char *const names[] = {"not written",
					    "not the same on all ways that lead here",
					    "number",
					    "pointer to stack",
					    "pointer to",
					    "map",
					    "pointer to a value of",
					    "pointer to memory",
					    "pointer to an object"};
	struct num n;
	char num[64];
	const char *object = "";

	if (!val_is_set(v))
		return ext_format(out, size, "%s", names[v->type]);
	n = state_num(ver, s, &v->form);
	num_print(&n, num, sizeof(num));
	if (v->type == VAL_SCALAR)
		return ext_format(out, size, "number %s", num);
	if (v->type == VAL_REGION || v->type == VAL_VALUE || v->type == VAL_MAP) {
		object = ver->p->region[v->which].name;
	} else if (v->type == VAL_OBJECT) {
		const struct object_kind *k = &ver->object[v->which];

		object = k->btf ? k->btf->type[k->type].name : "";
	} else if (v->type == VAL_STACK) {
		struct num top = num_const(EXT_FRAME_BYTES);

		n = num_alu(EXT_ALU64 | EXT_SUB | EXT_X, 0, &n, &top);
		num_print(&n, num, sizeof(num));
	}
	return ext_format(out, size, "%s%s %s, offset %s", v->may_null ? "null or " : "",
			  names[v->type], object, num);
}

void verify_known(struct verify *ver, const struct state *s, s32 reg, const struct val *v)
{
	char text[80];

	if (ver->failed != 2 || ver->why->known[0])
		return;
	verify_print(ver, s, v, text, sizeof(text));
	if (reg >= 0)
		ext_format(ver->why->known, sizeof(ver->why->known), "R%u = %s", (u64)reg, text);
	else
		ext_format(ver->why->known, sizeof(ver->why->known), "%s", text);
}

void verify_needed(struct verify *ver, const char *format, ...)
{
	va_list list;

	if (ver->failed != 2)
		return;
	va_start(list, format);
	ext_format_list(ver->why->needed, sizeof(ver->why->needed), format, list);
	va_end(list);
	ver->failed = 1;
}

int verify_read(struct verify *ver, struct state *s, u32 insn, u32 reg)
{
	const struct val *v = &s->reg[reg];

	if (val_is_set(v))
		return 0;
	if (v->type == VAL_UNSET && v->which == VAL_RELEASED)
		verify_refuse(ver, EXT_WHY_REFERENCE, insn, (s32)reg,
			      "R%u was given back and must not be used any more", (u64)reg);
	else if (v->type == VAL_MIXED)
		verify_refuse(ver, EXT_WHY_UNSET, insn, (s32)reg,
			      "R%u is not the same kind of value on all ways that lead here",
			      (u64)reg);
	else
		verify_refuse(ver, EXT_WHY_UNSET, insn, (s32)reg, "R%u was not written", (u64)reg);
	return ver->stop ? -1 : 1;
}

/* --- for the fuzzer */
void verify_watch(struct verify *ver, const struct state *s, u32 insn)
{
	struct ext_watched *w = &ver->out->watched->at[insn];

	for (u32 r = 0; r < EXT_REGS; r++) {
		const struct val *v = &s->reg[r];

		if (!val_is_set(v)) {
			w->kinds[r] |= EXT_WATCH_UNSET;
		} else if (val_is_pointer(v)) {
			w->kinds[r] |= v->may_null ? EXT_WATCH_NULL : EXT_WATCH_POINTER;
		} else {
			struct num n = state_num(ver, s, &v->form);

			w->num[r] = w->kinds[r] & EXT_WATCH_SCALAR ? num_join(&w->num[r], &n) : n;
			w->kinds[r] |= EXT_WATCH_SCALAR;
		}
	}
}

const char *ext_watch_compare(const struct ext_states *s, u32 insn, const u64 *reg, u32 written)
{
	const struct ext_watched *w;

	if (insn >= s->insns)
		return "an instruction that is not there";
	w = &s->at[insn];
	for (u32 r = 0; r < EXT_REGS; r++) {
		u32 kinds = w->kinds[r];

		if (!kinds)
			return "an instruction that was proved not to be reached";
		if (kinds & EXT_WATCH_UNSET)
			continue; /* nothing is claimed */
		if (!(written >> r & 1))
			return "a register that was proved written";
		if (kinds == EXT_WATCH_SCALAR && !num_contains(&w->num[r], reg[r]))
			return "a register outside what was proved of it";
		if (kinds == EXT_WATCH_POINTER && !reg[r])
			return "a null pointer where none can be";
	}
	return 0;
}

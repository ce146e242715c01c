/* SPDX-License-Identifier: MIT
 * Objects: any bytes are refused with a reason that is whole, or each of their programs is linked or refused; what is
 * linked holds together. The same bytes are tried as an interface.
 * links: ext/link.c ext/import.c ext/core.c ext/image.c ext/interface.c ext/load.c ext/lines.c ext/dwarf.c ext/maps.c ext/elf.c ext/btf.c ext/btf_check.c ext/btf_look.c ext/btf_equal.c ext/btf_print.c ext/order.c ext/refusal.c
 * seeds: objects */
#include "loader.h"

#include <map.h>

static struct ext_interface face;
static u32 kept;

static u32 function_at(const struct ext_program *p, s64 insn)
{
	for (u32 i = 0; i < p->functions; i++)
		if (p->function[i].first == insn)
			return i;
	MUST(!"a call of what is no function");
	return 0;
}

static void insns_check(const struct ext_program *p)
{
	for (u32 n = 0; n < p->insns; n++) {
		const struct ext_insn *i = &p->insn[n];

		if (i->code == EXT_LDDW) {
			MUST(n + 1 < p->insns);
			MUST(ext_src(i) <= EXT_LD_MAP);
			if (ext_src(i))
				MUST((u32)i->imm < p->regions);
			if (ext_src(i) == EXT_LD_MAP)
				MUST(p->region[i->imm].kind >= EXT_ARRAY && !i[1].imm);
			if (ext_src(i) == EXT_LD_REGION)
				MUST(p->region[i->imm].kind < EXT_ARRAY);
			n++;
		} else if (i->code == (EXT_JMP | EXT_CALL)) {
			MUST(ext_src(i) <= EXT_CALL_LOCAL);
			if (ext_src(i) == EXT_CALL_LOCAL)
				function_at(p, (s64)n + 1 + i->imm);
			else
				MUST((u32)i->imm < p->imports);
		}
	}
}

static void program_check(const struct ext_program *p)
{
	u64 at[2] = {0, p->rodata_bytes};
	u32 next = 0;

	MUST(p->functions && p->insns);
	for (u32 i = 0; i < p->functions; next += p->function[i++].count)
		MUST(p->function[i].first == next && p->function[i].count && p->function[i].name);
	MUST(next == p->insns);
	insns_check(p);
	MUST(p->rodata_bytes % 4096 == 0 && p->data_bytes % 4096 == 0 &&
	     p->rodata_bytes <= p->data_bytes);
	for (u32 i = 0; i < p->regions; i++) {
		const struct ext_region *r = &p->region[i];
		u64 *from = &at[r->kind != EXT_RODATA];

		MUST(r->offset % 64 == 0 && r->offset >= *from);
		*from = r->offset + r->bytes;
		MUST(*from <= (r->kind == EXT_RODATA ? p->rodata_bytes : p->data_bytes));
		MUST(r->init_bytes <= r->bytes);
		for (u64 k = 0; k < r->init_bytes; k += 61)
			MUST(r->init[k] || 1);
	}
	for (u32 i = 0; i < p->imports; i++)
		MUST(p->import[i].contract && p->import[i].slot == p->import[i].contract->slot);
	for (u32 i = 0; i < p->lines; i++) {
		MUST(p->line[i].insn < p->insns && strlen(p->line[i].file) < 1 << 16);
		MUST(!i || p->line[i - 1].insn < p->line[i].insn);
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, usize bytes)
{
	const struct ext_interface *faces[1] = {&face};
	struct ext_arena arena = {.size = 1 << 22};
	struct ext_interface other;
	struct ext_object *o;
	struct ext_refusal why;
	struct ext_program p;
	const char *section;
	u8 *bare;
	u64 size;
	int got;

	if (!kept && (bare = file_read("build/fuzz/interface.o", &size))) {
		MUST(!ext_interface_load(&arena, bare, size, &face, &why));
		kept = pieces;
	}
	got = ext_interface_load(&arena, data, bytes, &other, &why);
	if (got)
		refusal_check(&why, got, bytes);
	else
		types_walk(other.btf);
	got = ext_object_open(&arena, data, bytes, &o, &why);
	if (got)
		refusal_check(&why, got, bytes);
	for (u32 n = 0; !got && n < 8; n++) {
		const char *name = ext_object_entry(o, n, &section);
		int linked;

		if (!name)
			break;
		linked = ext_object_link(&arena, o, name, faces, kept != 0, &p, &why);
		if (linked)
			refusal_check(&why, linked, bytes);
		else
			program_check(&p);
	}
	pieces_free(kept);
	return 0;
}

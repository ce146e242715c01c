/* SPDX-License-Identifier: MIT
 * Programs out of what the fuzzer made: the same regions and imports for all. */
#include "verify_fuzz.h"

struct ext_interface interface;
extern const u8 interface_begin[], interface_end[];
__asm__(".section .rodata\n"
	"interface_begin: .incbin \"build/fuzz/verify_interface.o\"\n"
	"interface_end:\n"
	".previous\n");

static u8 constants[24];
static u8 initial[96];
static const struct ext_region regions[REGIONS] = {
	[CONSTANTS] = {.name = "constants",
		       .kind = EXT_RODATA,
		       .bytes = CONSTANTS_BYTES,
		       .init = constants,
		       .init_bytes = sizeof(constants)},
	[DATA] = {.name = "data",
		  .kind = EXT_DATA,
		  .bytes = DATA_BYTES,
		  .init = initial,
		  .init_bytes = sizeof(initial)},
	[ARRAY] = {.name = "array",
		   .kind = EXT_ARRAY,
		   .key = 4,
		   .value = ARRAY_VALUE,
		   .entries = ARRAY_ENTRIES},
	[HASH] = {.name = "hash",
		  .kind = EXT_HASH,
		  .key = HASH_KEY,
		  .value = HASH_VALUE,
		  .entries = 8},
	[PERCPU] = {.name = "percpu",
		    .kind = EXT_PERCPU,
		    .key = 4,
		    .value = PERCPU_VALUE,
		    .entries = 4},
	[RING] = {.name = "ring", .kind = EXT_RING, .value = RING_VALUE, .entries = 4},
	[WORD] = {.name = "word", .kind = EXT_DATA, .bytes = 8},
};

void interface_read(void)
{
	static u8 memory[4 << 20];
	static struct ext_arena a = {memory, sizeof(memory), 0};
	struct ext_refusal why;
	char text[600];

	if (ext_interface_load(&a, interface_begin, (u64)(interface_end - interface_begin),
			       &interface, &why)) {
		ext_refusal_print(&why, text, sizeof(text));
		fprintf(stderr, "the interface: %s\n", text);
		exit(2);
	}
	for (u32 i = 0; i < sizeof(constants); i++)
		constants[i] = (u8)(i * 37 % 11);
	for (u32 i = 0; i < sizeof(initial); i++)
		initial[i] = (u8)(i * 91 + 3);
}

u32 import_of(u32 slot)
{
	for (u32 i = 0; i < interface.functions; i++)
		if (interface.function[i].slot == slot)
			return i;
	abort();
}

const struct ext_attach *attach_of(const struct made *m)
{
	return &interface.attach[m->attach % interface.attaches];
}

int program_make(struct ext_arena *a, const struct made *m, struct ext_program *p,
		 struct ext_refusal *why)
{
	int error = ext_raw_program(a, (const u8 *)m->insn, m->insns * 8ul, p, why);

	if (error)
		return error;
	p->interface = &interface;
	p->attach = attach_of(m);
	p->btf = interface.btf;
	p->imports = interface.functions;
	p->import = ext_alloc(a, p->imports * sizeof(p->import[0]));
	p->regions = REGIONS;
	p->region = ext_alloc(a, sizeof(regions));
	if (!p->import || !p->region)
		return EXT_WHY_MEMORY;
	memcpy(p->region, regions, sizeof(regions));
	for (u32 i = 0; i < p->imports; i++)
		p->import[i] = (struct ext_import){.name = interface.function[i].name,
						   .slot = interface.function[i].slot,
						   .proto = interface.function[i].proto,
						   .contract = &interface.function[i]};
	return ext_layout(p, why);
}

void program_show(const struct ext_program *p, const struct ext_verdict *v)
{
	char text[200];

	fprintf(stderr, "attached to %s, %u instructions\n", p->attach->name, p->insns);
	for (u32 i = 0; i < p->insns; i++) {
		const u8 *b = (const u8 *)&p->insn[i];

		ext_disassemble(p, i, text, sizeof(text));
		fprintf(stderr, "%4u: %02x%02x %02x%02x %02x%02x%02x%02x  %s", i, b[0], b[1], b[2],
			b[3], b[4], b[5], b[6], b[7], text);
		for (u32 r = 0; v && v->watched && r < EXT_REGS - 1; r++) {
			const struct ext_watched *w = &v->watched->at[i];

			if (w->kinds[r] == EXT_WATCH_SCALAR) {
				num_print(&w->num[r], text, sizeof(text));
				fprintf(stderr, "\t[R%u %s]", r, text);
			} else if (!(w->kinds[r] & EXT_WATCH_UNSET) && w->kinds[r]) {
				fprintf(stderr, "\t[R%u %s]", r,
					w->kinds[r] & EXT_WATCH_NULL ? "pointer?" : "pointer");
			}
		}
		fprintf(stderr, "\n");
		i += p->insn[i].code == EXT_LDDW;
	}
}

/* SPDX-License-Identifier: MIT
 * What a run is given: memories that end (or begin) at a page that is not there, objects, numbers. */
#include "verify_fuzz.h"

#include <sys/mman.h>

#include "../../cases/ext/case.h"

#define PAGE 4096ul
#define MEMORIES 6u
#define MEMORY_BYTES PAGE /* most of one */

static struct memory {
	u8 *page, *at;
	u64 bytes;
	u32 writable, readable;
	u8 kept[MEMORY_BYTES], result[MEMORY_BYTES];
} memory[MEMORIES];
static u32 memories;
static struct object *object;
static struct inner inner[2];
static struct chain chain[2];
static u32 has_object, has_chain;

static struct memory *memory_make(struct random *r, u64 bytes, int writable)
{
	struct memory *m = &memory[memories++];

	if (!m->page) {
		u8 *map = mmap(0, 3 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (map == MAP_FAILED || mprotect(map + PAGE, PAGE, PROT_READ | PROT_WRITE))
			abort();
		m->page = map + PAGE;
	}
	m->bytes = bytes;
	m->at = below(r, 3) ? m->page + PAGE - bytes : m->page;
	m->writable = (u32)writable;
	m->readable = 1;
	for (u64 i = 0; i < bytes; i += 8) {
		u64 x = draw_number(r);

		memcpy(m->at + i, &x, bytes - i < 8 ? bytes - i : 8);
	}
	return m;
}

static u64 size_draw(struct random *r, u64 least, u64 most)
{
	static const u16 edge[] = {0, 1, 2, 3, 4, 7, 8, 9, 15, 16, 31, 32, 33, 64, 100, 255, 256};
	u64 n = below(r, 4) ? edge[below(r, sizeof(edge) / 2)] : below(r, 1000);

	if (least <= most && n < least)
		n = least;
	return least <= most && n > most ? most : n;
}

static u64 object_make(struct random *r)
{
	struct memory *o = memory_make(r, sizeof(struct object), 0), *m;

	object = (struct object *)o->at;
	has_object = 1;
	o->writable = o->readable = 0; /* by member */
	object->length = (u32)size_draw(r, 0, MEMORY_BYTES);
	m = memory_make(r, object->length, 0);
	m->writable = object->data == 0; /* as its type has it: const */
	m->writable = 0;
	object->data = m->at;
	object->room = (u32)size_draw(r, 0, MEMORY_BYTES);
	object->buffer = memory_make(r, object->room, 1)->at;
	inner[0] = (struct inner){(u32)draw_number(r), (u32)draw_number(r)};
	inner[1] = (struct inner){(u32)draw_number(r), (u32)draw_number(r)};
	object->other = &inner[0];
	object->maybe = below(r, 2) ? &inner[1] : 0;
	object->wild = (void *)draw_number(r);
	object->unstable = (void *)draw_number(r);
	return (u64)object;
}

/* Of the type that the attach point names: none of its pointers is null. */
static u64 chain_make(void)
{
	chain[0].next = &chain[1];
	chain[1].next = &chain[0];
	has_chain = 1;
	return (u64)&chain[0];
}

static u64 object_of(const struct ext_attach *t, struct random *r)
{
	return strcmp(t->name, "chain") ? object_make(r) : chain_make();
}

void arguments_make(const struct ext_attach *t, struct random *r, u64 *arg)
{
	memories = has_object = has_chain = 0;
	for (u32 i = 0; i < 5; i++)
		arg[i] = draw_number(r);
	for (u32 i = 0; i < t->args; i++) {
		const struct ext_arg *a = &t->arg[i];
		u64 n = draw_number(r);

		if (a->kind == EXT_ARG_SCALAR || a->kind == EXT_ARG_SIZE) {
			if (a->least > a->most) {
				u64 span = a->most - a->least + 1;

				n = n - a->least < span ? n : a->least + n % span;
			} else if (n < a->least || n > a->most) {
				n = a->least + n % (a->most - a->least + 1);
			}
			if (!below(r, 6))
				n = below(r, 2) ? a->least : a->most;
			arg[i] = n;
		}
	}
	for (u32 i = 0; i < t->args; i++) {
		const struct ext_arg *a = &t->arg[i];
		u64 bytes = a->bytes;

		if (a->kind == EXT_ARG_OBJECT)
			arg[i] = a->flags & EXT_ARG_NULLABLE && below(r, 2) ? 0 : object_of(t, r);
		if (a->kind != EXT_ARG_MEM)
			continue;
		if (a->size_arg < t->args)
			bytes = arg[a->size_arg] =
				size_draw(r, t->arg[a->size_arg].least, t->arg[a->size_arg].most);
		arg[i] = (u64)memory_make(r, bytes, !(a->flags & EXT_ARG_CONST))->at;
		if (a->flags & EXT_ARG_NULLABLE && below(r, 2)) {
			memories--;
			arg[i] = 0;
		}
	}
}

void arguments_allow(const struct ext_attach *t, struct ext_check *c)
{
	int is_const = 0;

	c->memories = 0;
	c->regs = 0;
	for (u32 i = 0; i < t->args; i++) {
		c->regs |= 2u << i;
		is_const |= t->arg[i].kind == EXT_ARG_OBJECT && t->arg[i].flags & EXT_ARG_CONST;
	}
	for (u32 i = 0; i < memories; i++)
		if (memory[i].readable && memory[i].bytes)
			ext_check_allow(c, (u64)memory[i].at, memory[i].bytes,
					(int)memory[i].writable);
	if (has_chain)
		ext_check_allow(c, (u64)chain, sizeof(chain), 0);
	if (!has_object)
		return;
	if (t->class != EXT_PURE && !is_const) {
		ext_check_allow(c, (u64)&object->writable, 4, 1);
		ext_check_allow(c, (u64)&object->changing, 4, 1);
	}
	ext_check_allow(c, (u64)object, sizeof(*object), 0);
	ext_check_allow(c, (u64)&inner[0], sizeof(inner[0]), 0);
	if (object->maybe)
		ext_check_allow(c, (u64)&inner[1], sizeof(inner[1]), 0);
}

void arguments_keep(void)
{
	for (u32 i = 0; i < memories; i++)
		memcpy(memory[i].kept, memory[i].at, memory[i].bytes);
}

void arguments_restore(void)
{
	for (u32 i = 0; i < memories; i++)
		memcpy(memory[i].at, memory[i].kept, memory[i].bytes);
}

void arguments_keep_result(void)
{
	for (u32 i = 0; i < memories; i++)
		memcpy(memory[i].result, memory[i].at, memory[i].bytes);
}

const char *arguments_differ(void)
{
	for (u32 i = 0; i < memories; i++)
		if (memcmp(memory[i].result, memory[i].at, memory[i].bytes))
			return "a memory that was given has other contents than after "
			       "interpretation";
	return 0;
}

int arguments_untouched(void)
{
	for (u32 i = 0; i < memories; i++)
		if (memcmp(memory[i].kept, memory[i].at, memory[i].bytes))
			return 0;
	return 1;
}

void arguments_disturb(struct random *r)
{
	struct memory *m;

	if (has_object && below(r, 2)) {
		object->writable = (u32)draw_number(r);
		object->changing = (u32)draw_number(r);
	}
	if (!memories)
		return;
	m = &memory[below(r, memories)];
	if (m->readable && m->bytes)
		m->at[below(r, (u32)m->bytes)] = (u8)draw(r);
}
